//! The line as the page shows it: copies of what the desk has, in the page's shapes. Cold, the page's threads.

use hmi::shapes as s;
use line::Cause;
use operate::alarm::{self, Alarm, AlarmState};
use operate::{BinState, Command, Mode, State, words};
use rt::histogram::Histogram;
use units::BinId;

use super::desk::{Desk, Fixed, Inner};
use super::words::{shape, shape_words};
use crate::daemon::Figure;

/// The line as it is now.
pub(super) fn snapshot(desk: &Desk) -> s::Snapshot {
    let fixed = desk.fixed();
    desk.with(|inner| {
        let operate = &inner.operate;
        let state = operate.state();
        let reason = operate.reason();
        let health = operate.health();
        s::Snapshot {
            at_ms: inner.wall_ms(inner.now),
            state: state_shape(state),
            state_number: state.number(),
            state_since_ms: inner.wall_ms(operate.since()),
            stop_reason: reason.map(|reason| shape(&reason.why.text(operate.setup()))),
            stop_alarm: reason
                .and_then(|reason| reason.why.alarm(operate.setup()))
                .map(|id| id.to_string()),
            commands: commands(inner),
            mode: mode_shape(operate.mode()),
            modes: if Mode::may_change_in(state) {
                Mode::ALL.map(mode_shape).to_vec()
            } else {
                Vec::new()
            },
            speed_m_s: operate.glance().speed_um_s as f64 * 1e-6,
            speed_set_m_s: fixed.speed_um_s.unwrap_or_default() as f64 * 1e-6,
            feeder: operate.glance().takes_pearls,
            rate_pearls_s: inner.rate(),
            counts: counts(inner),
            causes: causes(|cause| health.recirculated(cause)),
            high_grade: high_grade(inner, fixed),
            lanes: lanes(inner),
            bins: bins(inner, fixed),
            signals: signals(inner),
            recipe: recipe_name(inner),
            lot: open_lot(inner),
            alarms: alarm_summary(inner),
            oee: oee(inner),
            timing: s::Timing {
                decision_p50_us: quantile(&inner.decision_us, 0.5),
                decision_p99_us: quantile(&inner.decision_us, 0.99),
                lead_least_us: quantile(&inner.lead_us, 0.0),
            },
            store: store(inner),
        }
    })
}

fn commands(inner: &Inner) -> Vec<s::Command> {
    let mut commands: Vec<s::Command> = inner.operate.commands().map(command_shape).collect();
    if commands.contains(&s::Command::Suspend) {
        commands.push(s::Command::EmptyOut);
    }
    let rests = matches!(inner.operate.state(), State::Stopped | State::Idle | State::Complete);
    if matches!(inner.operate.state(), State::Execute | State::Held) || rests && inner.operate.setup().has_belt {
        commands.push(s::Command::Purge);
    }
    commands
}

fn counts(inner: &Inner) -> s::Counts {
    let get = |figure| inner.figures.get(figure);
    s::Counts {
        entered: get(Figure::Entered),
        in_flight: get(Figure::InFlight),
        binned: get(Figure::Binned),
        recirculated: get(Figure::Recirculated),
        lost: get(Figure::Lost),
        late: get(Figure::Late),
    }
}

/// Causes with their counts, the most frequent first.
pub(super) fn causes(count: impl Fn(Cause) -> u64) -> Vec<s::CauseCount> {
    let mut causes: Vec<s::CauseCount> = Cause::all()
        .map(|cause| s::CauseCount {
            cause: cause.name().to_owned(),
            name: shape_words(words::cause(cause)),
            pearls: count(cause),
        })
        .filter(|cause| cause.pearls > 0)
        .collect();
    causes.sort_by_key(|cause| std::cmp::Reverse(cause.pearls));
    causes
}

fn high_grade(inner: &Inner, fixed: &Fixed) -> s::HighGrade {
    let bins = inner.operate.bins();
    let all: u64 = bins.iter().map(|bin| bin.pearls).sum();
    let marked: Vec<usize> = (0..bins.len()).filter(|n| is_high_grade(inner, *n)).collect();
    let high: u64 = marked.iter().map(|n| bins[*n].pearls).sum();
    s::HighGrade {
        share: (all > 0 && !marked.is_empty()).then(|| high as f64 / all as f64),
        aim: fixed.aim,
    }
}

/// Whether a bin's grade counts as high: the recipe calls it so.
pub(super) fn is_high_grade(inner: &Inner, bin: usize) -> bool {
    let name = bin_name(inner, bin);
    name.zh.contains("优珠") || name.en.to_lowercase().contains("high grade")
}

/// The grade that the recipe puts into a bin, else what the machine calls the bin.
pub(super) fn bin_name(inner: &Inner, bin: usize) -> s::Text {
    let id = BinId(u8::try_from(bin).unwrap_or(u8::MAX));
    let recipe = inner.book.as_ref().and_then(|book| book.recipe.as_ref());
    let grade = recipe.and_then(|recipe| recipe.bins.iter().find(|of| of.bin == id));
    match grade {
        Some(grade) => s::Text::new(grade.name.zh.clone(), grade.name.en.clone()),
        None => inner.operate.setup().bins.get(bin).map(shape).unwrap_or_default(),
    }
}

fn lanes(inner: &Inner) -> Vec<s::Lane> {
    let in_flight = inner.figures.get(Figure::InFlight) as f64;
    let rate = inner.rate().max(f64::MIN_POSITIVE);
    let lanes = inner.operate.health().lanes().iter().enumerate();
    lanes
        .map(|(n, lane)| {
            let of = inner.lane_rate(n);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a share of what is on the belt"
            )]
            let on_belt = (in_flight * of / rate).round() as u64;
            s::Lane {
                lane: u8::try_from(n + 1).unwrap_or(u8::MAX),
                rate_pearls_s: of,
                entered: lane.done + on_belt,
                in_flight: on_belt,
                fires: lane.valves.iter().map(|valve| valve.fires).collect(),
                faulty: is_faulty(inner, n),
            }
        })
        .collect()
}

fn is_faulty(inner: &Inner, lane: usize) -> bool {
    let alarms = inner.operate.alarms().list();
    let valves = &inner.operate.health().lanes()[lane].valves;
    alarms.iter().any(|alarm| match alarm.id.place {
        alarm::Place::Lane(of) => of.index() == lane && alarm.is_active,
        alarm::Place::Valve(board, valve) => {
            alarm.is_active && valves.iter().any(|of| of.board == board && of.valve == valve)
        }
        _ => false,
    })
}

fn bins(inner: &Inner, _fixed: &Fixed) -> Vec<s::Bin> {
    let bins = inner.operate.bins();
    let all: u64 = bins.iter().map(|bin| bin.pearls).sum();
    let tray = s::Bin {
        bin: 0,
        name: shape_words(words::place("tray")),
        high_grade: false,
        state: s::BinState::Ready,
        pearls: inner.figures.get(Figure::Recirculated),
        mass_mg: None,
        fill: None,
        share: 0.0,
    };
    let bin = |(n, of): (usize, &operate::Bin)| s::Bin {
        bin: u8::try_from(n + 1).unwrap_or(u8::MAX),
        name: bin_name(inner, n),
        high_grade: is_high_grade(inner, n),
        state: match of.state() {
            BinState::Quarantined => s::BinState::Quarantined,
            BinState::Missing => s::BinState::Missing,
            BinState::Full => s::BinState::Full,
            BinState::Inhibited | BinState::Changed => s::BinState::Inhibited,
            BinState::Ready => s::BinState::Ready,
        },
        pearls: of.pearls,
        mass_mg: (of.mass_ug > 0).then_some(of.mass_ug as f64 * 1e-3),
        fill: of.fill_per_mille().map(|fill| fill as f64 * 1e-3),
        share: of.pearls as f64 / all.max(1) as f64,
    };
    std::iter::once(tray).chain(bins.iter().enumerate().map(bin)).collect()
}

fn signals(inner: &Inner) -> Vec<s::Signal> {
    let setup = inner.operate.setup();
    let signals = setup.signals.iter().enumerate();
    signals
        .map(|(n, signal)| {
            let (good, value) = inner.operate.signal(n);
            let level = match good {
                None => "unknown",
                Some(true) => "good",
                Some(false) => "bad",
            };
            let says = words::find(&format!("signal.{level}"))
                .map(shape_words)
                .unwrap_or_default();
            let with_value = |text: &str| value.map_or_else(|| text.to_owned(), |value| format!("{text} ({value})"));
            s::Signal {
                signal: format!("{}.{}", signal.used_for.name(), n + 1),
                name: shape(&signal.name),
                good,
                says: s::Text::new(with_value(&says.zh), with_value(&says.en)),
            }
        })
        .collect()
}

/// The recipe in force.
pub(super) fn recipe_name(inner: &Inner) -> s::RecipeName {
    let Some(book) = &inner.book else {
        return s::RecipeName::default();
    };
    s::RecipeName {
        name: book
            .recipe
            .as_ref()
            .map(|recipe| s::Text::new(recipe.name.zh.clone(), recipe.name.en.clone()))
            .unwrap_or_else(|| s::Text::new("虚拟线内置配方", "the virtual line's own recipe")),
        file: book.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        hash: format!("{:016x}", book.hash),
    }
}

fn open_lot(inner: &Inner) -> Option<s::OpenLot> {
    let lot = inner.lot.as_ref()?;
    let counts = inner.lot_counts;
    Some(s::OpenLot {
        lot: lot.lot.into(),
        number: lot.form.number.clone(),
        farm: lot.form.farm.clone(),
        opened_at_ms: u64::try_from(lot.opened.wall_us / 1_000).unwrap_or(0),
        counts: s::Counts {
            entered: counts.binned + counts.recirculated + counts.lost,
            in_flight: 0,
            binned: counts.binned,
            recirculated: counts.recirculated,
            lost: counts.lost,
            late: 0,
        },
        binned_mg: counts.binned_ug as f64 * 1e-3,
    })
}

fn alarm_summary(inner: &Inner) -> s::AlarmSummary {
    let alarms = inner.operate.alarms();
    let list = alarms.list();
    let shown = |state: AlarmState| list.iter().filter(|alarm| alarm.state() == state).count();
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let (unseen, returned) = (
        shown(AlarmState::Unacknowledged),
        shown(AlarmState::ReturnedUnacknowledged),
    );
    s::AlarmSummary {
        active: count(unseen + shown(AlarmState::Acknowledged)),
        unacknowledged: count(unseen + returned),
        shelved: count(shown(AlarmState::Shelved)),
        gravest: list
            .iter()
            .filter(|alarm| matches!(alarm.state(), AlarmState::Unacknowledged | AlarmState::Acknowledged))
            .map(|alarm| priority_shape(alarm.priority()))
            .max(),
        flood: alarms.is_flood(),
        version: alarms.version(),
    }
}

fn oee(inner: &Inner) -> s::Oee {
    let factors = inner.operate.factors();
    s::Oee {
        availability: factors.availability,
        performance: factors.performance,
        quality: factors.quality,
        oee: factors.oee,
    }
}

fn store(inner: &Inner) -> s::Store {
    let Some(store) = &inner.store else {
        return s::Store::default();
    };
    let health = store.health();
    s::Store {
        written: health.kept_records,
        waiting: health.waiting_records as u64,
        dropped: health.dropped.records,
        good: health.failing_us == 0,
    }
}

fn quantile(histogram: &Histogram, q: f64) -> Option<i64> {
    histogram.quantile(q).and_then(|us| i64::try_from(us).ok())
}

/// What of the line does not move.
pub(super) fn layout(desk: &Desk) -> s::Layout {
    let fixed = desk.fixed();
    let plan = &fixed.plan;
    let mm = |um: i32| f64::from(um) * 1e-3;
    let station = |kind, from_eye_mm, bin, drop_eye| s::Station {
        kind,
        from_eye_mm,
        bin,
        drop_eye,
    };
    let mut stations = vec![station(s::StationKind::EntryEye, 0.0, None, false)];
    if let Some(lane) = plan.lanes.first() {
        if let Some(camera) = lane.camera {
            stations.push(station(s::StationKind::Camera, mm(camera.view_um) / 2.0, None, false));
        }
        if let Some(weigh) = lane.weigh {
            let middle = mm(weigh.at_um) + mm(weigh.length_um) / 2.0;
            stations.push(station(s::StationKind::WeighCell, middle, None, false));
        }
        for jet in &lane.jets {
            stations.push(station(
                s::StationKind::Jet,
                mm(jet.at_um),
                Some(jet.bin.0 + 1),
                jet.drop_eye.is_some(),
            ));
        }
        stations.push(station(
            s::StationKind::Tray,
            mm(lane.end_um),
            None,
            lane.tray_eye.is_some(),
        ));
    }
    desk.with(|inner| {
        let bin = |n: usize| s::LayoutBin {
            bin: u8::try_from(n + 1).unwrap_or(u8::MAX),
            name: bin_name(inner, n),
            high_grade: is_high_grade(inner, n),
        };
        let tray = s::LayoutBin {
            bin: 0,
            name: shape_words(words::place("tray")),
            high_grade: false,
        };
        s::Layout {
            name: shape(&fixed.name),
            lanes: u8::try_from(plan.lanes.len()).unwrap_or(u8::MAX),
            stations,
            bins: std::iter::once(tray)
                .chain((0..usize::from(plan.bins)).map(bin))
                .collect(),
            most_speed_m_s: f64::from(plan.tolerances.most_speed_um_s) * 1e-6,
        }
    })
}

/// How each lane is.
pub(super) fn lane_health(desk: &Desk) -> Vec<s::LaneHealth> {
    desk.with(|inner| {
        let lanes = inner.operate.health().lanes().iter().enumerate();
        lanes
            .map(|(n, lane)| s::LaneHealth {
                lane: u8::try_from(n + 1).unwrap_or(u8::MAX),
                entered: lane.done,
                binned: lane.binned,
                recirculated: lane.recirculated,
                lost: lane.lost,
                unmeasured: lane.unseen,
                zero_drift_mg: None,
                lamp: lamp(inner),
                causes: causes(|cause| lane.causes[cause.index()]),
            })
            .collect()
    })
}

/// The weakest of the watched lamps: they light all lanes.
fn lamp(inner: &Inner) -> Option<f64> {
    let signals = 0..inner.operate.setup().signals.len();
    signals.filter_map(|n| inner.operate.lamp(n)).min_by(f64::total_cmp)
}

/// How each valve is. A valve's number counts lanes and jets in belt order.
pub(super) fn valve_health(desk: &Desk) -> Vec<s::ValveHealth> {
    let lags = desk.fixed().line.as_ref().map(|line| &line.settings);
    desk.with(|inner| {
        let mut valves = Vec::new();
        for (n, lane) in inner.operate.health().lanes().iter().enumerate() {
            for valve in &lane.valves {
                let lag = |key| lag_us(lags, valve, key);
                valves.push(s::ValveHealth {
                    valve: u16::try_from(valves.len() + 1).unwrap_or(u16::MAX),
                    lane: u8::try_from(n + 1).unwrap_or(u8::MAX),
                    bin: valve.bin.0 + 1,
                    fires: valve.fires,
                    fires_since_service: valve.fires,
                    lag_on_us: lag(wire::SettingKey::LagOnUs),
                    lag_off_us: lag(wire::SettingKey::LagOffUs),
                    drift_us: valve.drift_us.map(f64::from),
                    confirmed: valve.confirmed.get(),
                    faults: valve.faults,
                    late: valve.late,
                });
            }
        }
        valves
    })
}

fn lag_us(settings: Option<&Vec<Vec<wire::Setting>>>, valve: &operate::Valve, key: wire::SettingKey) -> i32 {
    let of = settings.and_then(|boards| boards.get(valve.board.index()));
    let found = of.and_then(|settings| {
        settings
            .iter()
            .find(|setting| setting.key == key && setting.index == valve.valve.0)
    });
    found.map_or(0, |setting| i32::try_from(setting.value).unwrap_or(i32::MAX))
}

/// How each board is.
pub(super) fn board_health(desk: &Desk) -> Vec<s::BoardHealth> {
    desk.with(|inner| {
        let setup = inner.operate.setup();
        let boards = setup.boards.iter().enumerate();
        boards
            .map(|(n, name)| {
                let link = inner.links.get(n).copied().unwrap_or_default();
                let board = units::BoardId(u8::try_from(n).unwrap_or(u8::MAX));
                s::BoardHealth {
                    name: name.clone(),
                    connected: inner.operate.glance().boards_up >> n.min(63) & 1 == 1,
                    port: inner
                        .ports
                        .get(n)
                        .cloned()
                        .flatten()
                        .map(|path| path.display().to_string()),
                    frames: link.frames_sent.into(),
                    repeats: link.repeats.into(),
                    crc_errors: link.crc.into(),
                    round_trip_us: link.round_trip_us.map(u64::from),
                    clock_fit_us: link.clock_fit_us.map(|us| us as f64),
                    belt_offset_um: inner.operate.belt_offset_um(board).map(f64::from),
                    restarts: link.sessions.saturating_sub(1).into(),
                }
            })
            .collect()
    })
}

/// Decision times and leads, in classes of powers of two.
pub(super) fn histograms(desk: &Desk) -> s::Histograms {
    let (decision, lead) = desk.with(|inner| (inner.decision_us.clone(), inner.lead_us.clone()));
    s::Histograms {
        decision: histogram(&decision, "decision"),
        lead: histogram(&lead, "lead"),
    }
}

fn histogram(of: &Histogram, label: &str) -> s::Histogram {
    let mut edges_us = vec![0_i64];
    let mut counts = Vec::new();
    for (value, count) in of.occupied() {
        let value = i64::try_from(value).unwrap_or(i64::MAX / 2);
        while edges_us.last().is_some_and(|edge| *edge <= value) {
            let next = edges_us.last().map_or(1, |edge| (edge + edge / 4).max(edge + 1));
            edges_us.push(next);
            counts.push(0);
        }
        if let Some(last) = counts.last_mut() {
            *last += count;
        }
    }
    let empty = counts.iter().take_while(|count| **count == 0).count();
    counts.drain(..empty);
    edges_us.drain(..empty);
    s::Histogram {
        name: shape_words(words::label(label)),
        edges_us,
        counts,
        p50_us: quantile(of, 0.5),
        p99_us: quantile(of, 0.99),
        p999_us: quantile(of, 0.999),
        least_us: quantile(of, 0.0),
        most_us: quantile(of, 1.0),
    }
}

/// One alarm.
pub(super) fn alarm_shape(inner: &Inner, alarm: &Alarm) -> s::Alarm {
    let of = words::alarm(alarm.id.kind);
    let setup = inner.operate.setup();
    s::Alarm {
        id: alarm.id.to_string(),
        priority: priority_shape(alarm.priority()),
        state: alarm_state_shape(alarm.state()),
        name: shape_words(of.name),
        place: shape(&words::place_text(alarm.id.place, setup)),
        cause: shape_words(of.cause),
        consequence: shape_words(of.consequence),
        action: shape_words(of.action),
        raised_at_ms: inner.wall_ms(alarm.raised),
        cleared_at_ms: alarm.returned.map(|at| inner.wall_ms(at)),
        times: alarm.times,
        acknowledged_by: alarm.acknowledged_by.as_deref().map(str::to_owned),
        shelved_until_ms: alarm.shelved_until.map(|at| inner.wall_ms(at)),
        first_out: alarm.is_first_out,
        value: alarm.value.map(|value| {
            let figure = format!("{:.1}", value.value);
            let figure = figure.strip_suffix(".0").unwrap_or(&figure);
            format!("{figure} {}", words::unit(value.unit).en)
        }),
    }
}

pub(super) const fn alarm_state_shape(state: AlarmState) -> s::AlarmState {
    match state {
        AlarmState::Normal => s::AlarmState::Normal,
        AlarmState::Unacknowledged => s::AlarmState::Unacknowledged,
        AlarmState::Acknowledged => s::AlarmState::Acknowledged,
        AlarmState::ReturnedUnacknowledged => s::AlarmState::ReturnedUnacknowledged,
        AlarmState::Shelved => s::AlarmState::Shelved,
        AlarmState::Suppressed => s::AlarmState::Suppressed,
        AlarmState::OutOfService => s::AlarmState::OutOfService,
    }
}

pub(super) const fn priority_shape(priority: alarm::Priority) -> s::Priority {
    match priority {
        alarm::Priority::Low => s::Priority::Low,
        alarm::Priority::Medium => s::Priority::Medium,
        alarm::Priority::High => s::Priority::High,
        alarm::Priority::Critical => s::Priority::Critical,
    }
}

const fn state_shape(state: State) -> s::State {
    match state {
        State::Undefined => s::State::Undefined,
        State::Clearing => s::State::Clearing,
        State::Stopped => s::State::Stopped,
        State::Starting => s::State::Starting,
        State::Idle => s::State::Idle,
        State::Suspended => s::State::Suspended,
        State::Execute => s::State::Execute,
        State::Stopping => s::State::Stopping,
        State::Aborting => s::State::Aborting,
        State::Aborted => s::State::Aborted,
        State::Holding => s::State::Holding,
        State::Held => s::State::Held,
        State::Unholding => s::State::Unholding,
        State::Suspending => s::State::Suspending,
        State::Unsuspending => s::State::Unsuspending,
        State::Resetting => s::State::Resetting,
        State::Completing => s::State::Completing,
        State::Complete => s::State::Complete,
    }
}

const fn command_shape(command: Command) -> s::Command {
    match command {
        Command::Reset => s::Command::Reset,
        Command::Start => s::Command::Start,
        Command::Stop => s::Command::Stop,
        Command::Hold => s::Command::Hold,
        Command::Unhold => s::Command::Unhold,
        Command::Suspend => s::Command::Suspend,
        Command::Unsuspend => s::Command::Unsuspend,
        Command::Abort => s::Command::Abort,
        Command::Clear => s::Command::Clear,
        Command::Complete => s::Command::Complete,
    }
}

const fn mode_shape(mode: Mode) -> s::Mode {
    match mode {
        Mode::Production => s::Mode::Production,
        Mode::Maintenance => s::Mode::Maintenance,
        Mode::Manual => s::Mode::Manual,
        Mode::Calibration => s::Mode::Calibration,
        Mode::ValveTest => s::Mode::ValveTest,
        Mode::DryCycle => s::Mode::DryCycle,
    }
}

/// What the page's command asks for.
pub(super) const fn request(command: s::Command) -> operate::Request {
    use operate::Request as R;
    R::Command(match command {
        s::Command::Reset => Command::Reset,
        s::Command::Start => Command::Start,
        s::Command::Stop => Command::Stop,
        s::Command::Hold => Command::Hold,
        s::Command::Unhold => Command::Unhold,
        s::Command::Suspend => Command::Suspend,
        s::Command::Unsuspend => Command::Unsuspend,
        s::Command::Abort => Command::Abort,
        s::Command::Clear => Command::Clear,
        s::Command::Complete => Command::Complete,
        s::Command::EmptyOut => return R::EmptyOut,
        s::Command::Purge => return R::Purge,
    })
}

/// The mode that the page asks for.
pub(super) const fn mode(mode: s::Mode) -> Mode {
    match mode {
        s::Mode::Production => Mode::Production,
        s::Mode::Maintenance => Mode::Maintenance,
        s::Mode::Manual => Mode::Manual,
        s::Mode::Calibration => Mode::Calibration,
        s::Mode::ValveTest => Mode::ValveTest,
        s::Mode::DryCycle => Mode::DryCycle,
    }
}
