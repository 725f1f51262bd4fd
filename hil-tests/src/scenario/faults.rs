//! Faults by their names in scenario files. Any thread.

use std::ops::Range;

use devices::faults::LinkFault;
use line::{DropEyePlan, EyePlan, JetPlan, LanePlan};
use serde::Deserialize;
use sim::faults::{Fault, TimedFault};
use toml::Spanned;
use units::{BoardId, LaneId};

use super::form::Reading;
use super::place::instead;
use super::{HostFault, ScenarioError};

/// Latest time of a timetable, s.
const LATEST_S: f64 = 100_000.0;

/// A fault as it stands in the file: which of the keys are needed, its name says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawFault {
    fault: String,
    at_s: f64,
    for_s: Option<f64>,
    board: Option<String>,
    lane: Option<u8>,
    bin: Option<u8>,
    share: Option<f64>,
    most_ms: Option<f64>,
    ms: Option<f64>,
    mm: Option<f64>,
    mg_s: Option<f64>,
    ppm: Option<f64>,
    ticks: Option<f64>,
}

/// Every fault, with the keys that it needs beside its time.
const FAULTS: &[(&str, &[&str])] = &[
    ("bytes-dropped", &["for-s", "board", "share"]),
    ("bytes-doubled", &["for-s", "board", "share"]),
    ("bytes-flipped", &["for-s", "board", "share"]),
    ("bytes-delayed", &["for-s", "board", "most-ms"]),
    ("bytes-reordered", &["for-s", "board", "share"]),
    ("link-stalled", &["for-s", "board"]),
    ("link-cut", &["for-s", "board"]),
    ("board-reset", &["for-s", "board"]),
    ("clock-skewed", &["for-s", "board", "ppm"]),
    ("clock-steps", &["board", "ms"]),
    ("encoder-slips", &["board", "ticks"]),
    ("encoder-stops", &["for-s", "board"]),
    ("encoder-reverses", &["for-s", "board"]),
    ("triggers-missing", &["for-s", "lane", "share"]),
    ("triggers-doubled", &["for-s", "lane", "share"]),
    ("entry-eye-dead", &["for-s", "lane"]),
    ("drop-eye-dead", &["for-s", "lane", "bin"]),
    ("tray-eye-dead", &["for-s", "lane"]),
    ("valve-coil-open", &["for-s", "lane", "bin"]),
    ("valve-stuck-shut", &["for-s", "lane", "bin"]),
    ("valve-stuck-open", &["for-s", "lane", "bin"]),
    ("valve-slow", &["for-s", "lane", "bin", "ms"]),
    ("camera-silent", &["for-s", "lane"]),
    ("cell-silent", &["for-s", "lane"]),
    ("cell-stuck", &["for-s", "lane"]),
    ("cell-saturated", &["for-s", "lane"]),
    ("cell-drifting", &["for-s", "lane", "mg-s"]),
    ("pearls-slip", &["for-s", "lane", "share", "mm"]),
    ("safety-open", &["for-s"]),
    ("host-stalled", &["for-s"]),
    ("disk-full", &["for-s"]),
    ("program-killed", &["for-s"]),
];

/// Names of all faults.
#[must_use]
pub fn fault_names() -> Vec<&'static str> {
    FAULTS.iter().map(|(name, _)| *name).collect()
}

/// A fault that was read.
pub(super) enum Read {
    Line(TimedFault),
    Host((u64, u64, HostFault)),
}

/// Reads one fault.
pub(super) fn read(reading: &Reading<'_>, fault: &Spanned<RawFault>) -> Result<Read, ScenarioError> {
    let (raw, span) = (fault.get_ref(), fault.span());
    let given = [
        ("for-s", raw.for_s.is_some()),
        ("board", raw.board.is_some()),
        ("lane", raw.lane.is_some()),
        ("bin", raw.bin.is_some()),
        ("share", raw.share.is_some()),
        ("most-ms", raw.most_ms.is_some()),
        ("ms", raw.ms.is_some()),
        ("mm", raw.mm.is_some()),
        ("mg-s", raw.mg_s.is_some()),
        ("ppm", raw.ppm.is_some()),
        ("ticks", raw.ticks.is_some()),
    ];
    check_keys(reading, &span, "fault", &raw.fault, FAULTS, &given)?;
    let from_us = time(reading, &span, "at-s", raw.at_s)?;
    let until_us = from_us + time(reading, &span, "for-s", raw.for_s.unwrap_or(0.0))?;
    match raw.fault.as_str() {
        "disk-full" => return Ok(Read::Host((from_us, until_us, HostFault::DiskFull))),
        "program-killed" => return Ok(Read::Host((from_us, until_us, HostFault::Killed))),
        _ => {}
    }
    let at = Where {
        reading,
        span: &span,
        raw,
    };
    let fault = if raw.board.is_some() {
        at.of_board()?
    } else if raw.lane.is_some() {
        at.of_lane()?
    } else if raw.fault == "safety-open" {
        Fault::SafetyOpen
    } else {
        Fault::HostStall
    };
    Ok(Read::Line(TimedFault {
        from_us,
        until_us,
        fault,
    }))
}

/// Holds the keys given against those that the name needs.
pub(super) fn check_keys(
    reading: &Reading<'_>,
    span: &Range<usize>,
    what: &str,
    name: &str,
    known: &[(&str, &[&str])],
    given: &[(&str, bool)],
) -> Result<(), ScenarioError> {
    let Some((_, needed)) = known.iter().find(|(other, _)| *other == name) else {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        let help = instead(name, &names);
        return Err(reading.wrong(span, format!("there is no {what} \"{name}\": {help}")));
    };
    for (key, is_given) in given {
        match (*is_given, needed.contains(key)) {
            (false, true) => return Err(reading.wrong(span, format!("the {what} \"{name}\" needs `{key}`"))),
            (true, false) => {
                let takes = if needed.is_empty() {
                    "nothing but its time".to_owned()
                } else {
                    needed.join(", ")
                };
                let message = format!("the {what} \"{name}\" takes no `{key}`; it takes {takes}");
                return Err(reading.wrong(span, message));
            }
            _ => {}
        }
    }
    Ok(())
}

/// A time of the timetable, us.
pub(super) fn time(reading: &Reading<'_>, span: &Range<usize>, key: &str, seconds: f64) -> Result<u64, ScenarioError> {
    if !(0.0..=LATEST_S).contains(&seconds) {
        return Err(reading.wrong(span, format!("{key} is {seconds}, must be 0 to {LATEST_S}")));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast of a float saturates"
    )]
    Ok((seconds * 1e6).round() as u64)
}

/// A fault and what it names: boards, lanes, bins.
struct Where<'a> {
    reading: &'a Reading<'a>,
    span: &'a Range<usize>,
    raw: &'a RawFault,
}

impl Where<'_> {
    fn wrong(&self, message: String) -> ScenarioError {
        self.reading.wrong(self.span, message)
    }

    fn within(&self, value: Option<f64>, least: f64, most: f64, key: &str) -> Result<f64, ScenarioError> {
        match value {
            Some(value) if (least..=most).contains(&value) => Ok(value),
            Some(value) => Err(self.wrong(format!("{key} is {value}, must be {least} to {most}"))),
            // `check_keys` has seen it.
            None => Ok(0.0),
        }
    }

    fn whole(&self, value: Option<f64>, most: f64, scale: f64, key: &str) -> Result<i32, ScenarioError> {
        #[expect(clippy::cast_possible_truncation, reason = "bounded")]
        Ok((self.within(value, -most, most, key)? * scale).round() as i32)
    }

    fn share(&self) -> Result<f64, ScenarioError> {
        self.within(self.raw.share, 0.0, 1.0, "share")
    }

    fn board(&self) -> Result<BoardId, ScenarioError> {
        let name = self.raw.board.as_deref().unwrap_or_default();
        let links = &self.reading.line.links;
        let place = links.iter().position(|link| link.name == name);
        place
            .and_then(|place| u8::try_from(place).ok())
            .map(BoardId)
            .ok_or_else(|| {
                let names: Vec<&str> = links.iter().map(|link| link.name.as_str()).collect();
                self.wrong(format!(
                    "the machine has no board \"{name}\": it has {}",
                    names.join(", ")
                ))
            })
    }

    fn lane(&self) -> Result<(LaneId, &LanePlan), ScenarioError> {
        let lane = self.raw.lane.unwrap_or(0);
        let lanes = &self.reading.line.plan.lanes;
        let plan = lanes.get(usize::from(lane)).ok_or_else(|| {
            let last = lanes.len().saturating_sub(1);
            self.wrong(format!("the machine has no lane {lane}: its lanes are 0 to {last}"))
        })?;
        Ok((LaneId(lane), plan))
    }

    /// The lane's jet of the bin that is named.
    fn jet(&self) -> Result<JetPlan, ScenarioError> {
        let bin = self.reading.bin(self.span, self.raw.bin.unwrap_or(0))?;
        let (lane, plan) = self.lane()?;
        let jet = plan.jets.iter().find(|jet| jet.bin == bin);
        jet.copied()
            .ok_or_else(|| self.wrong(format!("lane {} has no jet for bin {}", lane.0, bin.0 + 1)))
    }

    fn of_board(&self) -> Result<Fault, ScenarioError> {
        let board = self.board()?;
        let link = |fault| Ok(Fault::Link { board, fault });
        let noise = |drop, double, flip| link(LinkFault::Noise { drop, double, flip });
        match self.raw.fault.as_str() {
            "bytes-dropped" => noise(self.share()?, 0.0, 0.0),
            "bytes-doubled" => noise(0.0, self.share()?, 0.0),
            "bytes-flipped" => noise(0.0, 0.0, self.share()?),
            "bytes-delayed" => {
                let most_us = self.whole(self.raw.most_ms, 10_000.0, 1e3, "most-ms")?.unsigned_abs();
                link(LinkFault::Delay { most_us })
            }
            "bytes-reordered" => link(LinkFault::Reorder { share: self.share()? }),
            "link-stalled" => link(LinkFault::Stall),
            "link-cut" => link(LinkFault::Cut),
            "board-reset" => Ok(Fault::BoardReset { board }),
            "clock-skewed" => {
                let ppm = self.whole(self.raw.ppm, 10_000.0, 1.0, "ppm")?;
                Ok(Fault::ClockSkew { board, ppm })
            }
            "clock-steps" => {
                let us = self.whole(self.raw.ms, 1_000.0, 1e3, "ms")?;
                Ok(Fault::ClockStep { board, us })
            }
            "encoder-slips" => {
                let ticks = self.whole(self.raw.ticks, 100_000.0, 1.0, "ticks")?;
                Ok(Fault::EncoderSlip { board, ticks })
            }
            "encoder-stops" => Ok(Fault::EncoderStop { board }),
            _ => Ok(Fault::EncoderReverse { board }),
        }
    }

    fn of_lane(&self) -> Result<Fault, ScenarioError> {
        let (lane, plan) = self.lane()?;
        let dead = |eye: EyePlan| Fault::EyeDead {
            board: eye.board,
            eye: eye.eye,
        };
        let there = |eye: Option<DropEyePlan>| {
            eye.map(|eye| dead(eye.eye))
                .ok_or_else(|| self.wrong(format!("lane {} has no such eye", lane.0)))
        };
        let valve = || self.jet().map(|jet| (jet.board, jet.valve));
        Ok(match self.raw.fault.as_str() {
            "triggers-missing" => Fault::TriggersMissing {
                lane,
                share: self.share()?,
            },
            "triggers-doubled" => Fault::TriggersDoubled {
                lane,
                share: self.share()?,
            },
            "entry-eye-dead" => dead(plan.entry),
            "drop-eye-dead" => there(self.jet()?.drop_eye)?,
            "tray-eye-dead" => there(plan.tray_eye)?,
            "valve-coil-open" | "valve-stuck-shut" => {
                let (board, valve) = valve()?;
                Fault::ValveShut { board, valve }
            }
            "valve-stuck-open" => {
                let (board, valve) = valve()?;
                Fault::ValveOpen { board, valve }
            }
            "valve-slow" => {
                let (board, valve) = valve()?;
                let us = self.whole(self.raw.ms, 1_000.0, 1e3, "ms")?.unsigned_abs();
                Fault::ValveSlow { board, valve, us }
            }
            "camera-silent" => Fault::CameraSilent { lane },
            "cell-silent" => Fault::CellSilent { lane },
            "cell-stuck" => Fault::CellStuck { lane },
            "cell-saturated" => Fault::CellSaturated { lane },
            "cell-drifting" => Fault::CellDrifting {
                lane,
                ug_s: self.within(self.raw.mg_s, -100.0, 100.0, "mg-s")? * 1e3,
            },
            _ => Fault::SlipUnseen {
                lane,
                share: self.share()?,
                um: self.within(self.raw.mm, 0.0, 200.0, "mm")? * 1e3,
            },
        })
    }
}
