//! The fake line's parts as the API shows them. Any thread.

use hmi::machine::{Answer, Refusal, RefusalKind};
use hmi::shapes::{
    Alarm, AlarmEvent, AlarmState, AlarmSummary, Bin, BoardHealth, CauseCount, ClassSum, Command, Counts, Crop,
    GradeSum, HighGrade, Histogram, Histograms, Lane, LaneHealth, Layout, LayoutBin, Lot, LotReport, Mode, NewLot, Oee,
    OpenLot, Priority, RecipeUse, Signal, Snapshot, State, Station, StationKind, Store, Text, Timing, ValveHealth,
};

use super::pearls::RATE;
use super::{BEGAN_MS, BINS, Inner, LANES, recipe_name, unknown};

/// Pictures that are kept.
pub(super) const CROPS: u64 = 12;

/// Names of the tray and the bins.
const NAMES: [(&str, &str); BINS as usize + 1] = [
    ("复检盘", "recirculate tray"),
    ("优珠", "high grade"),
    ("合格", "jewellery grade"),
    ("工艺珠", "craft grade"),
    ("异形", "baroque"),
    ("次品", "reject"),
];

fn name(bin: usize) -> Text {
    Text::new(NAMES[bin].0, NAMES[bin].1)
}

pub(super) fn layout() -> Layout {
    let station = |kind, from_eye_mm, bin, drop_eye| Station {
        kind,
        from_eye_mm,
        bin,
        drop_eye,
    };
    let mut stations = vec![
        station(StationKind::EntryEye, 0.0, None, false),
        station(StationKind::Camera, 30.0, None, false),
        station(StationKind::WeighCell, 180.0, None, false),
    ];
    stations.extend((1..=BINS).map(|bin| station(StationKind::Jet, 350.0 + 60.0 * f64::from(bin), Some(bin), true)));
    stations.push(station(StationKind::Tray, 800.0, Some(0), true));
    Layout {
        name: Text::new("假想线", "a line that is not there"),
        lanes: LANES,
        stations,
        bins: (0..=BINS)
            .map(|bin| LayoutBin {
                bin,
                name: name(bin.into()),
                high_grade: bin == 1,
            })
            .collect(),
        most_speed_m_s: 3.0,
    }
}

/// Commands that a state allows.
pub(super) fn commands(state: State) -> Vec<Command> {
    use Command as C;
    let mut allowed = match state {
        State::Stopped | State::Complete => vec![C::Reset],
        State::Idle => vec![C::Start],
        State::Execute => vec![C::Hold, C::Suspend, C::Complete, C::EmptyOut, C::Purge],
        State::Held => vec![C::Unhold],
        State::Suspended => vec![C::Unsuspend],
        State::Aborted => vec![C::Clear],
        _ => Vec::new(),
    };
    use State as S;
    if !matches!(state, S::Stopping | S::Stopped | S::Aborting | S::Aborted | S::Clearing) {
        allowed.push(C::Stop);
    }
    if !matches!(state, S::Aborting | S::Aborted) {
        allowed.push(C::Abort);
    }
    allowed
}

pub(super) fn snapshot(inner: &Inner) -> Snapshot {
    let runs = inner.state == State::Execute;
    let all: u64 = inner.bins[1..].iter().map(|bin| bin.0).sum();
    Snapshot {
        at_ms: inner.now_ms,
        state: inner.state,
        state_number: inner.state.number(),
        state_since_ms: inner.since_ms,
        stop_reason: (inner.state == State::Held).then(|| Text::new("操作员保持", "held by an operator")),
        stop_alarm: None,
        commands: commands(inner.state),
        mode: inner.mode,
        modes: vec![
            Mode::Production,
            Mode::Maintenance,
            Mode::Calibration,
            Mode::ValveTest,
            Mode::DryCycle,
        ],
        speed_m_s: if runs { 1.0 } else { 0.0 },
        speed_set_m_s: 1.0,
        feeder: runs,
        rate_pearls_s: if runs { RATE * f64::from(LANES) } else { 0.0 },
        counts: inner.counts,
        causes: causes(inner.counts.recirculated),
        high_grade: HighGrade {
            share: (all > 0).then(|| inner.bins[1].0 as f64 / all as f64),
            aim: Some(0.25),
        },
        lanes: lanes_now(inner, runs),
        bins: bins(inner, all),
        signals: signals(),
        recipe: recipe_name(&inner.recipe.0, &inner.recipe.2),
        lot: open_lot(inner),
        alarms: summary(inner),
        oee: Oee {
            availability: Some(0.94),
            performance: Some(0.81),
            quality: Some(0.97),
            oee: Some(0.94 * 0.81 * 0.97),
        },
        timing: Timing {
            decision_p50_us: Some(42),
            decision_p99_us: Some(151),
            lead_least_us: Some(86_000),
        },
        store: Store {
            written: inner.counts.entered,
            waiting: 3,
            dropped: 0,
            good: true,
        },
    }
}

fn causes(recirculated: u64) -> Vec<CauseCount> {
    vec![
        CauseCount {
            cause: "no_bin".to_owned(),
            name: Text::new("没有料仓接收", "no bin takes it"),
            pearls: recirculated - recirculated / 3,
        },
        CauseCount {
            cause: "neighbour".to_owned(),
            name: Text::new("邻珠太近", "a neighbour is too close"),
            pearls: recirculated / 3,
        },
    ]
}

fn lanes_now(inner: &Inner, runs: bool) -> Vec<Lane> {
    let lanes = (1..=LANES).zip(&inner.lanes);
    lanes
        .map(|(lane, (entered, fires))| Lane {
            lane,
            rate_pearls_s: if runs { RATE } else { 0.0 },
            entered: *entered,
            in_flight: inner.counts.in_flight / u64::from(LANES),
            fires: fires.clone(),
            faulty: false,
        })
        .collect()
}

fn bins(inner: &Inner, all: u64) -> Vec<Bin> {
    let bins = (0..=BINS).zip(&inner.bins);
    bins.map(|(bin, (pearls, mass_mg, state))| Bin {
        bin,
        name: name(bin.into()),
        high_grade: bin == 1,
        state: *state,
        pearls: *pearls,
        mass_mg: Some(*mass_mg),
        fill: (bin > 0).then(|| (*pearls as f64 / 50_000.0).min(1.0)),
        share: if bin == 0 {
            0.0
        } else {
            *pearls as f64 / all.max(1) as f64
        },
    })
    .collect()
}

fn signals() -> Vec<Signal> {
    let good = Text::new("正常", "as it must be");
    let signal = |signal: &str, zh: &str, en: &str| Signal {
        signal: signal.to_owned(),
        name: Text::new(zh, en),
        good: Some(true),
        says: good.clone(),
    };
    vec![
        signal("safety", "安全链", "safety chain"),
        signal("doors", "防护门", "guard doors"),
        signal("air", "气压", "air pressure"),
        signal("lamp", "灯电流", "lamp current"),
    ]
}

fn open_lot(inner: &Inner) -> Option<OpenLot> {
    let lot = inner.lots.last().filter(|lot| lot.closed_at_ms.is_none())?;
    Some(OpenLot {
        lot: lot.lot,
        number: lot.number.clone(),
        farm: lot.farm.clone(),
        opened_at_ms: lot.opened_at_ms,
        counts: lot.passes,
        binned_mg: lot.binned_mg,
    })
}

fn summary(inner: &Inner) -> AlarmSummary {
    let count = |states: &[AlarmState]| {
        let of = inner.alarms.iter().filter(|alarm| states.contains(&alarm.state));
        u32::try_from(of.count()).unwrap_or(u32::MAX)
    };
    use AlarmState as A;
    let active = inner
        .alarms
        .iter()
        .filter(|alarm| matches!(alarm.state, A::Unacknowledged | A::Acknowledged));
    AlarmSummary {
        active: count(&[A::Unacknowledged, A::Acknowledged]),
        unacknowledged: count(&[A::Unacknowledged, A::ReturnedUnacknowledged]),
        shelved: count(&[A::Shelved]),
        gravest: active.map(|alarm| alarm.priority).max(),
        flood: false,
        version: inner.alarm_version,
    }
}

pub(super) fn lot(number: u64, now_ms: u64, operator: &str, new: &NewLot) -> Lot {
    Lot {
        lot: number,
        number: new.number.clone(),
        farm: new.farm.clone(),
        harvest_date: new.harvest_date.clone(),
        customer: new.customer.clone(),
        operator: operator.to_owned(),
        mass_in_mg: new.mass_in_mg,
        count_in: new.count_in,
        opened_at_ms: now_ms,
        closed_at_ms: None,
        passes: Counts::default(),
        pearls: 0,
        binned_mg: 0.0,
    }
}

pub(super) fn first_lot() -> Lot {
    let new = NewLot {
        number: "2026-1124".to_owned(),
        farm: "诸暨山下湖三号塘".to_owned(),
        harvest_date: "2026-11-20".to_owned(),
        customer: "园区加工厂".to_owned(),
        mass_in_mg: Some(12_500_000.0),
        count_in: None,
    };
    lot(1, BEGAN_MS, "li", &new)
}

/// The lot's pearls in the shares of the bins, so that its grades add up to what was binned.
fn grades(inner: &Inner, lot: &Lot) -> Vec<GradeSum> {
    let all: u64 = inner.bins[1..].iter().map(|bin| bin.0).sum();
    let part = |count: u64| lot.passes.binned * count / all.max(1);
    let rest = lot.passes.binned - inner.bins[1..].iter().map(|bin| part(bin.0)).sum::<u64>();
    let grade = |(bin, (count, _, _)): (u8, &(u64, f64, hmi::shapes::BinState))| {
        let pearls = part(*count) + if bin == 1 { rest } else { 0 };
        let share = pearls as f64 / lot.passes.binned.max(1) as f64;
        GradeSum {
            bin,
            name: name(bin.into()),
            high_grade: bin == 1,
            pearls,
            share,
            mass_mg: Some(lot.binned_mg * share),
            mean_diameter_mm: Some(7.0),
            value: None,
        }
    };
    (1..=BINS).zip(&inner.bins[1..]).map(grade).collect()
}

pub(super) fn report(inner: &Inner, lot: Lot) -> LotReport {
    let binned = lot.binned_mg;
    let pearls = lot.passes.binned;
    let grades = grades(inner, &lot);
    let passes = lot.passes;
    LotReport {
        made_at_ms: inner.now_ms,
        mass_seen_mg: binned,
        mass_binned_mg: binned,
        mass_recirculated_mg: 0.0,
        mass_lost_mg: 0.0,
        mass_missing_mg: lot.mass_in_mg.map(|mass| mass - binned),
        adds_up: passes.entered == passes.binned + passes.recirculated + passes.lost + passes.in_flight,
        high_grade_share: (pearls > 0).then(|| grades[0].share),
        grades,
        classes: vec![ClassSum {
            property: Text::new("光泽", "lustre"),
            class: "B".to_owned(),
            pearls,
        }],
        causes: causes(passes.recirculated),
        currency: None,
        recipes: vec![RecipeUse {
            hash: inner.recipe.2.hash_name(),
            name: recipe_name(&inner.recipe.0, &inner.recipe.2).name,
            from_ms: lot.opened_at_ms,
            passes: passes.entered,
        }],
        calibrations: inner.wizard.status().items,
        audit: inner.audit.clone(),
        audit_hash: inner.audit.last().map(|entry| entry.hash.clone()).unwrap_or_default(),
        records_dropped: 0,
        lot,
    }
}

fn alarm(inner: &Inner, kind: usize, number: u64) -> Alarm {
    let (id, priority, zh, en) = [
        ("valve_drift", Priority::Medium, "阀门滞后漂移", "a valve's lag drifts"),
        ("repeat_rate", Priority::Low, "链路重发增多", "a link repeats more"),
        ("air_low", Priority::High, "气压偏低", "air pressure is low"),
    ][kind];
    Alarm {
        id: format!("{id}.{number}"),
        priority,
        state: AlarmState::Unacknowledged,
        name: Text::new(zh, en),
        place: Text::new(format!("{number} 号"), format!("number {number}")),
        cause: Text::new("这是假想线的报警", "this is an alarm of a line that is not there"),
        consequence: Text::new("珍珠会送复检", "pearls are recirculated"),
        action: Text::new("检查该部件，然后确认", "look at the part, then acknowledge"),
        raised_at_ms: inner.now_ms,
        cleared_at_ms: None,
        times: 1,
        acknowledged_by: None,
        shelved_until_ms: None,
        first_out: false,
        value: Some("312 us".to_owned()),
    }
}

/// Alarms come and go: one each ten seconds or so, the cause of each there for twenty.
pub(super) fn pass(inner: &mut Inner) {
    if inner.chance(40) == 0 && inner.alarms.len() < 6 {
        let (kind, number) = (inner.chance(3) as usize, inner.chance(20) + 1);
        let alarm = alarm(inner, kind, number);
        if !inner.alarms.iter().any(|of| of.id == alarm.id) {
            note(inner, &alarm, None);
            inner.tell("alarm", &alarm.name.zh, &alarm.name.en);
            inner.alarms.push(alarm);
        }
    }
    let now = inner.now_ms;
    let mut changed = Vec::new();
    for alarm in &mut inner.alarms {
        let next = match alarm.state {
            AlarmState::Unacknowledged if now > alarm.raised_at_ms + 20_000 => AlarmState::ReturnedUnacknowledged,
            AlarmState::Acknowledged if now > alarm.raised_at_ms + 20_000 => AlarmState::Normal,
            AlarmState::Shelved if alarm.shelved_until_ms.is_some_and(|until| now >= until) => AlarmState::Normal,
            _ => continue,
        };
        alarm.state = next;
        alarm.cleared_at_ms = Some(now);
        changed.push(alarm.clone());
    }
    for alarm in changed {
        note(inner, &alarm, None);
    }
    inner.alarms.retain(|alarm| alarm.state != AlarmState::Normal);
}

fn note(inner: &mut Inner, alarm: &Alarm, by: Option<&str>) {
    inner.alarm_version += 1;
    inner.history.push(AlarmEvent {
        number: inner.history.len() as u64 + 1,
        at_ms: inner.now_ms,
        id: alarm.id.clone(),
        name: alarm.name.clone(),
        priority: alarm.priority,
        state: alarm.state,
        by: by.map(str::to_owned),
    });
}

pub(super) fn acknowledge(inner: &mut Inner, user: &str, id: &str) -> Answer<Alarm> {
    let alarm = inner.alarms.iter_mut().find(|alarm| alarm.id == id);
    let alarm = alarm.ok_or_else(|| unknown(&format!("alarm {id}")))?;
    if let Some(first) = &alarm.acknowledged_by {
        return Err(Refusal::new(
            RefusalKind::Conflict,
            "acknowledged",
            &format!("{first} 已确认"),
            &format!("{first} has acknowledged it already"),
            id,
        ));
    }
    alarm.acknowledged_by = Some(user.to_owned());
    alarm.state = match alarm.state {
        AlarmState::ReturnedUnacknowledged => AlarmState::Normal,
        _ => AlarmState::Acknowledged,
    };
    let alarm = alarm.clone();
    note(inner, &alarm, Some(user));
    Ok(alarm)
}

pub(super) fn shelve(inner: &mut Inner, user: &str, id: &str, for_s: Option<u32>) -> Answer<Alarm> {
    let now = inner.now_ms;
    let alarm = inner.alarms.iter_mut().find(|alarm| alarm.id == id);
    let alarm = alarm.ok_or_else(|| unknown(&format!("alarm {id}")))?;
    alarm.state = if for_s.is_some() {
        AlarmState::Shelved
    } else {
        AlarmState::Unacknowledged
    };
    alarm.shelved_until_ms = for_s.map(|s| now + u64::from(s) * 1_000);
    let alarm = alarm.clone();
    note(inner, &alarm, Some(user));
    Ok(alarm)
}

pub(super) fn lanes(inner: &Inner) -> Vec<LaneHealth> {
    let lanes = (1..=LANES).zip(&inner.lanes);
    lanes
        .map(|(lane, (entered, fires))| {
            let binned: u64 = fires.iter().sum();
            LaneHealth {
                lane,
                entered: *entered,
                binned,
                recirculated: entered - binned,
                lost: 0,
                unmeasured: 0,
                zero_drift_mg: Some(0.02 * f64::from(lane) - 0.1),
                lamp: Some(0.98),
                causes: causes(entered - binned),
            }
        })
        .collect()
}

pub(super) fn valves(inner: &Inner) -> Vec<ValveHealth> {
    let valves = (1..=LANES).flat_map(|lane| (1..=BINS).map(move |bin| (lane, bin)));
    let numbers = 1_u16..;
    numbers
        .zip(valves)
        .map(|(valve, (lane, bin))| {
            let fires = inner.lanes[usize::from(lane) - 1].1[usize::from(bin) - 1];
            ValveHealth {
                valve,
                lane,
                bin,
                fires,
                fires_since_service: fires + 1_200_000,
                lag_on_us: 900 + i32::from(valve),
                lag_off_us: 400,
                drift_us: (fires > 0).then(|| f64::from(valve % 7) * 12.0 - 36.0),
                confirmed: (fires > 0).then_some(0.999),
                faults: 0,
                late: 0,
            }
        })
        .collect()
}

pub(super) fn boards(inner: &Inner) -> Vec<BoardHealth> {
    let names = ["east", "west"];
    names
        .into_iter()
        .enumerate()
        .map(|(n, name)| BoardHealth {
            name: name.to_owned(),
            connected: true,
            port: Some(format!("/dev/ttyACM{n}")),
            frames: inner.counts.entered * 3,
            repeats: inner.counts.entered / 5_000,
            crc_errors: 0,
            round_trip_us: Some(380),
            clock_fit_us: Some(4.1),
            belt_offset_um: Some(12.0),
            restarts: 0,
        })
        .collect()
}

pub(super) fn histograms(inner: &Inner) -> Histograms {
    let decisions = inner.records.iter().filter_map(|record| record.decision_us);
    let leads = inner.records.iter().filter_map(|record| record.lead_us);
    Histograms {
        decision: histogram(Text::new("决定用时", "time to the order"), decisions, 10),
        lead: histogram(Text::new("提前量", "lead"), leads, 10_000),
    }
}

fn histogram(name: Text, values: impl Iterator<Item = i32>, width: i64) -> Histogram {
    let mut values: Vec<i64> = values.map(i64::from).collect();
    values.sort_unstable();
    let at = |part: f64| values.get((part * values.len() as f64) as usize).copied();
    let mut counts = vec![0; 32];
    for value in &values {
        let class = usize::try_from(value / width).unwrap_or(0).min(counts.len() - 1);
        counts[class] += 1;
    }
    Histogram {
        name,
        edges_us: (0..=32).map(|edge| edge * width).collect(),
        counts,
        p50_us: at(0.5),
        p99_us: at(0.99),
        p999_us: at(0.999),
        least_us: values.first().copied(),
        most_us: values.last().copied(),
    }
}

pub(super) fn crops(inner: &Inner, most: usize) -> Vec<Crop> {
    let crops = (1..=CROPS).rev().take(most);
    crops
        .map(|crop| Crop {
            crop,
            pearl: crop * 17,
            lane: (crop % u64::from(LANES)) as u8 + 1,
            at_ms: inner.now_ms - 1_000 * (CROPS - crop),
            cause: "view_dirty".to_owned(),
            name: Text::new("表面有污", "the view is dirty"),
            diameter_mm: Some(6.4 + 0.1 * crop as f64),
            mass_mg: Some(410.0),
        })
        .collect()
}
