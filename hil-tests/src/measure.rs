//! What is measured in a run, by name: the words that limits in scenario files are written in. Any thread.

use std::collections::BTreeMap;

use line::Notice;
use sim::summary::{Summary, lower_bound};

/// What a rig has seen of a run.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// The judge's figures, which know the truth; none on a rig that knows no truth.
    pub summary: Option<Summary>,
    /// The judge's first complaints in words, and whatever else is worth telling.
    pub complaints: Vec<String>,
    /// The core's news with their times, us of the run; none on a rig that does not hear it.
    pub notices: Option<Vec<(u64, Notice)>>,
    /// Measures that only some rigs have.
    pub others: BTreeMap<&'static str, f64>,
    /// First and last moment of the timetable, us of the run.
    pub trouble_us: Option<(u64, u64)>,
    /// When the feeder was told to stop, us of the run: news that come later are of the end.
    pub until_us: u64,
    /// What the boards say that they are.
    pub boards: Vec<String>,
}

/// A measure by its name.
#[derive(Clone, Copy, Debug)]
pub struct Measure {
    /// Its name, as limits have it before `-most` and `-least`.
    pub name: &'static str,
    /// What it is, for people.
    pub what: &'static str,
    value: fn(&Observed) -> Option<f64>,
}

impl PartialEq for Measure {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// A count of the judge's summary.
macro_rules! count {
    ($name:literal, $field:ident, $what:literal) => {
        Measure {
            name: $name,
            what: $what,
            value: |seen| seen.summary.as_ref().map(|summary| summary.$field as f64),
        }
    };
}

/// A figure that only some rigs have.
macro_rules! other {
    ($name:literal, $what:literal) => {
        Measure {
            name: $name,
            what: $what,
            value: |seen| seen.others.get($name).copied(),
        }
    };
}

/// Every measure.
pub const MEASURES: &[Measure] = &[
    count!("pearls-in", pearls_in, "pearls that came to their end"),
    count!("binned", binned, "pearls in grade bins"),
    count!("lost", lost, "pearls that came to neither bin nor tray"),
    count!("lost-wrong", lost_wrong, "pearls wrongly called lost, or not called so"),
    count!("unaccounted", unaccounted, "triggers without a record or with several"),
    count!("unseen", unseen, "pearls that no record stands for"),
    count!("misrouted", misrouted, "pearls that landed where they were not sent"),
    count!("misrouted-into-bins", misrouted_into_bins, "of those, in a grade bin"),
    count!("upgraded", upgraded, "pearls in a bin that their figures did not earn"),
    count!(
        "upgraded-unquarantined",
        upgraded_unquarantined,
        "of those, covered by no quarantine"
    ),
    count!("mixed-up", mixed_up, "records with another pearl's figures"),
    count!("late", late, "orders that boards refused as late"),
    count!("cancelled", cancelled, "orders taken back in time"),
    count!("repeats", repeats, "frames sent again"),
    count!("crc-errors", crc_errors, "frames refused for their checksum"),
    count!("valve-overlong", valve_overlong, "valves open longer than they may"),
    count!("valve-unfed", valve_unfed, "valves open with their watchdog unfed"),
    count!("holds", holds, "times that the line went into hold"),
    count!("quarantines", quarantines, "bins put in quarantine"),
    count!("single", single, "pearls that came singly"),
    Measure {
        name: "lead-ms",
        what: "shortest lead of an order at its board, ms",
        value: |seen| seen.summary.as_ref().map(|summary| summary.lead_ms.min),
    },
    Measure {
        name: "single-binned-share",
        what: "share of single pearls that was binned",
        value: |seen| seen.summary.as_ref().map(|summary| summary.binned_single_share),
    },
    Measure {
        name: "single-right-share",
        what: "lower 95 % bound of the share of single pearls at their destination",
        value: |seen| seen.summary.as_ref().map(|summary| summary.single_right_bound),
    },
    Measure {
        name: "binned-share",
        what: "share of all pearls that was binned",
        value: |seen| {
            let summary = seen.summary.as_ref()?;
            Some(summary.binned as f64 / summary.pearls_in.max(1) as f64)
        },
    },
    Measure {
        name: "unbalanced",
        what: "pearls in, less binned, recirculated and lost",
        value: |seen| {
            let summary = seen.summary.as_ref()?;
            let ends = summary.binned + summary.recirculated_total() + summary.lost;
            Some(summary.pearls_in.abs_diff(ends) as f64)
        },
    },
    Measure {
        name: "ready-after-s",
        what: "from the start to the first sorting, s",
        value: |seen| {
            seen.first(0, |notice| *notice == Notice::Running)
                .map(|us| seconds(0, us))
        },
    },
    Measure {
        name: "held-after-s",
        what: "from the first trouble to the hold, s",
        value: |seen| {
            let (from_us, _) = seen.trouble_us?;
            let held = seen.first(from_us, |notice| matches!(notice, Notice::Held(_)));
            held.map(|us| seconds(from_us, us))
        },
    },
    Measure {
        name: "back-after-s",
        what: "from the end of the trouble to sorting again, s",
        value: back_after_s,
    },
    Measure {
        name: "gaps",
        what: "gaps seen in the eyes' numbers",
        value: |seen| seen.count(|notice| matches!(notice, Notice::Gap(..))),
    },
    other!("incomplete", "pearls or records left over at the end"),
    other!(
        "replay-differs",
        "checks of the recording that its replay does not meet"
    ),
    other!("accounts-off", "states of the program whose accounts do not add up"),
    other!("left-behind-s", "after a kill: from the new start to sorting again, s"),
    other!("hot-allocations", "allocations of the hot thread"),
    other!("bus-repeats", "frames sent again, on a rig without the truth"),
    other!(
        "bus-crc-errors",
        "frames refused for their checksum, on a rig without the truth"
    ),
    other!("disk-full-told", "1 when the program said that its disk is full"),
    other!(
        "faults-told",
        "1 when the program's state says that link faults are allowed"
    ),
];

impl Observed {
    /// Time of the first news of a sort, from a time on.
    fn first(&self, from_us: u64, is: impl Fn(&Notice) -> bool) -> Option<u64> {
        let notices = self.notices.as_ref()?;
        let after = notices.iter().filter(|(at_us, _)| *at_us >= from_us);
        // What never comes is later than any limit.
        Some(
            after
                .clone()
                .find(|(_, notice)| is(notice))
                .map_or(u64::MAX, |(at_us, _)| *at_us),
        )
    }

    fn count(&self, is: impl Fn(&Notice) -> bool) -> Option<f64> {
        let notices = self.notices.as_ref()?;
        Some(notices.iter().filter(|(_, notice)| is(notice)).count() as f64)
    }
}

/// From the end of the trouble to the last beginning of sorting before the end; 0 when nothing held the line since.
fn back_after_s(seen: &Observed) -> Option<f64> {
    let (from_us, over_us) = seen.trouble_us?;
    let mut running_since = Some(over_us);
    for (at_us, notice) in seen.notices.as_ref()? {
        if *at_us < from_us || *at_us > seen.until_us {
            continue;
        }
        match notice {
            Notice::Held(_) | Notice::Stopped => running_since = None,
            Notice::Running => running_since = Some((*at_us).max(over_us)),
            _ => {}
        }
    }
    Some(running_since.map_or(f64::INFINITY, |us| seconds(over_us, us)))
}

fn seconds(from_us: u64, until_us: u64) -> f64 {
    if until_us == u64::MAX {
        f64::INFINITY
    } else {
        (until_us - from_us) as f64 * 1e-6
    }
}

/// On which side of its bound a measure must stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// At the bound or below.
    Most,
    /// At the bound or above.
    Least,
}

/// A limit of a scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// Number of its requirement.
    pub requirement: &'static str,
    /// What is measured.
    pub measure: What,
    /// Its side.
    pub side: Side,
    /// Its bound.
    pub bound: f64,
}

/// What a limit is about.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// A measure of the table.
    Measure(Measure),
    /// Pearls recirculated for a cause, such as `recirculated-no-mass`.
    Cause(&'static str),
}

impl What {
    /// The measure of a name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        if let Some(measure) = MEASURES.iter().find(|measure| measure.name == name) {
            return Some(Self::Measure(*measure));
        }
        let cause = name.strip_prefix("recirculated-")?.replace('-', "_");
        let known = line::Cause::all().map(line::Cause::name).chain(["unseen"]);
        known.into_iter().find(|known| *known == cause).map(Self::Cause)
    }

    fn name(&self) -> String {
        match self {
            Self::Measure(measure) => measure.name.to_owned(),
            Self::Cause(cause) => format!("recirculated-{}", cause.replace('_', "-")),
        }
    }

    fn value(&self, seen: &Observed) -> Option<f64> {
        match self {
            Self::Measure(measure) => (measure.value)(seen),
            Self::Cause(cause) => {
                let summary = seen.summary.as_ref()?;
                Some(summary.recirculated.get(cause).copied().unwrap_or(0) as f64)
            }
        }
    }
}

impl Limit {
    /// The limit in words.
    #[must_use]
    pub fn text(&self) -> String {
        let sign = match self.side {
            Side::Most => "<=",
            Side::Least => ">=",
        };
        format!("{} {sign} {}", self.measure.name(), self.bound)
    }

    /// Holds the limit against a run; none when the rig does not see the measure.
    #[must_use]
    pub fn check(&self, seen: &Observed) -> Option<(String, bool)> {
        let value = self.measure.value(seen)?;
        let shown = |value: f64| {
            if value.is_infinite() {
                "never".to_owned()
            } else if value.fract() == 0.0 {
                format!("{value}")
            } else {
                format!("{value:.5}")
            }
        };
        let holds = match self.side {
            Side::Most => value <= self.bound,
            Side::Least => value >= self.bound,
        };
        if !holds && let Some(answer) = few_pearls(self, seen) {
            return Some(answer);
        }
        Some((shown(value), holds))
    }
}

/// A share's bound that a run has too few pearls to reach, even with none of them wrong: then so few may be wrong as are
/// seen by chance more often than once in twenty on a line that just meets the bound.
fn few_pearls(limit: &Limit, seen: &Observed) -> Option<(String, bool)> {
    let summary = seen.summary.as_ref()?;
    let is_share = matches!(&limit.measure, What::Measure(measure) if measure.name == "single-right-share");
    if !is_share || lower_bound(0, summary.single_sent) >= limit.bound {
        return None;
    }
    let mean = (1.0 - limit.bound) * summary.single_sent as f64;
    let wrong = summary.single_sent - summary.single_right;
    let (mut term, mut fewer) = ((-mean).exp(), 0.0);
    for n in 0..wrong {
        fewer += term;
        term *= mean / (n + 1) as f64;
    }
    let text = format!(
        "{:.5}: {wrong} of {} single pearls wrong, too few pearls for more",
        summary.single_right_bound, summary.single_sent
    );
    Some((text, 1.0 - fewer >= 0.05))
}

#[cfg(test)]
mod tests {
    use line::HoldCause;

    use super::*;

    fn limit(name: &str, side: Side, bound: f64) -> Limit {
        Limit {
            requirement: "I1",
            measure: What::find(name).expect("a measure"),
            side,
            bound,
        }
    }

    fn seen(notices: &[(u64, Notice)]) -> Observed {
        Observed {
            summary: Some(Summary::default()),
            notices: Some(notices.to_vec()),
            trouble_us: Some((2_000_000, 3_000_000)),
            until_us: 9_000_000,
            ..Observed::default()
        }
    }

    #[test]
    fn hold_and_return_are_timed_from_the_trouble() {
        let held = Notice::Held(HoldCause::Command);
        let run = seen(&[
            (500_000, Notice::Running),
            (2_400_000, held),
            (3_700_000, Notice::Running),
            (9_500_000, held),
        ]);
        let check = |name, bound| limit(name, Side::Most, bound).check(&run).expect("seen");
        assert_eq!(check("ready-after-s", 0.5), ("0.50000".to_owned(), true));
        assert_eq!(check("held-after-s", 0.4), ("0.40000".to_owned(), true));
        assert!(!check("held-after-s", 0.39).1);
        assert_eq!(check("back-after-s", 0.7), ("0.70000".to_owned(), true));
        assert!(!check("back-after-s", 0.69).1);
    }

    #[test]
    fn what_never_happens_is_beyond_any_limit_and_what_never_held_is_back_at_once() {
        let run = seen(&[(500_000, Notice::Running)]);
        let check = |name, bound| limit(name, Side::Most, bound).check(&run).expect("seen");
        assert_eq!(check("held-after-s", 100.0), ("never".to_owned(), false));
        assert_eq!(check("back-after-s", 0.0), ("0".to_owned(), true));
        let held = seen(&[(2_500_000, Notice::Held(HoldCause::Late))]);
        let back = limit("back-after-s", Side::Most, 100.0).check(&held);
        assert_eq!(back, Some(("never".to_owned(), false)));
    }

    #[test]
    fn what_a_rig_does_not_see_is_not_judged() {
        let blind = Observed::default();
        assert_eq!(limit("unaccounted", Side::Most, 0.0).check(&blind), None);
        assert_eq!(limit("replay-differs", Side::Most, 0.0).check(&blind), None);
    }

    #[test]
    fn few_pearls_may_have_so_few_wrong_as_chance_allows() {
        let with = |wrong: u64, sent: u64| {
            let summary = Summary {
                single_sent: sent,
                single_right: sent - wrong,
                single_right_bound: lower_bound(wrong, sent),
                ..Summary::default()
            };
            let run = Observed {
                summary: Some(summary),
                ..Observed::default()
            };
            limit("single-right-share", Side::Least, 0.9999)
                .check(&run)
                .expect("seen")
                .1
        };
        assert!(with(0, 40_000) && with(0, 300) && with(1, 2_000));
        assert!(!with(2, 2_000) && !with(3, 40_000));
    }

    #[test]
    fn causes_are_measures() {
        assert_eq!(What::find("recirculated-no-mass"), Some(What::Cause("no_mass")));
        assert_eq!(What::find("recirculated-moon"), None);
        assert_eq!(What::find("moon"), None);
    }
}
