//! What the page may ask of the program. Cold, the page's threads, which may wait.

use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use config::{Recipe, Report};
use hmi::machine::{Answer, By, ExportForm, Machine, Note, RecipeBook, Refusal, RefusalKind};
use hmi::shapes as s;
use operate::alarm::AlarmId;
use operate::{Request, words};
use units::BinId;

use super::desk::{Desk, Inner, Wish};
use super::words::{refusal, shape, shape_words};
use super::{crops, lots, snapshot};

/// The line behind the page.
pub(super) struct Line {
    desk: Desk,
}

impl Line {
    pub(super) const fn new(desk: Desk) -> Self {
        Self { desk }
    }

    fn ask(&self, by: &By, request: &Request) -> Answer<()> {
        self.desk.with(|inner| {
            let now = rt::clock::now_us();
            let commands = matches!(
                request,
                Request::Command(_) | Request::EmptyOut | Request::Purge | Request::Mode(_)
            );
            inner.by_hand |= commands;
            let done = inner.operate.request(now, request, &by.user);
            done.map_err(|why| refusal(&why, inner.operate.setup()))
        })
    }

    fn alarm(&self, by: &By, alarm: &str, request: impl Fn(AlarmId) -> Request) -> Answer<s::Alarm> {
        self.desk.with(|inner| {
            let unknown = || refusal(&operate::Refusal::UnknownAlarm, inner.operate.setup());
            let id: AlarmId = alarm.parse().map_err(|_| unknown())?;
            let before = inner.operate.alarm(id).cloned().ok_or_else(unknown)?;
            let now = rt::clock::now_us();
            let done = inner.operate.request(now, &request(id), &by.user);
            done.map_err(|why| refusal(&why, inner.operate.setup()))?;
            // What is normal now is told as it was, with its new state.
            Ok(match inner.operate.alarm(id) {
                Some(alarm) => snapshot::alarm_shape(inner, alarm),
                None => s::Alarm {
                    state: s::AlarmState::Normal,
                    acknowledged_by: Some(by.user.clone()),
                    ..snapshot::alarm_shape(inner, &before)
                },
            })
        })
    }

    fn check(&self, file: &str, text: &str) -> Result<Recipe, Report> {
        let Some(line) = &self.desk.fixed().line else {
            let report = config::check_bytes(file, text.as_bytes(), Path::new("."));
            return Err(report);
        };
        // Beside the others, so that it finds its standard; a name that no look at the folder takes for a recipe.
        let folder = self.folder();
        let trial = tempfile_in(&folder, text);
        let Some(trial) = trial else {
            return Err(config::check_bytes(file, text.as_bytes(), &folder));
        };
        let checked = config::load_recipe(&trial.0, line);
        checked.map_err(|mut report| {
            for fault in &mut report.faults {
                if Path::new(&fault.file) == trial.0 {
                    file.clone_into(&mut fault.file);
                }
            }
            report
        })
    }

    fn folder(&self) -> PathBuf {
        self.desk.with(|inner| {
            let path = inner.book.as_ref().and_then(|book| book.path.parent());
            path.map_or_else(|| PathBuf::from("."), Path::to_owned)
        })
    }
}

/// A file that goes with this value.
struct Trial(PathBuf);

impl Drop for Trial {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = std::fs::remove_file(&self.0);
    }
}

fn tempfile_in(folder: &Path, text: &str) -> Option<Trial> {
    static NUMBER: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let path = folder.join(format!(".trial-{}-{number}", std::process::id()));
    let trial = Trial(path);
    std::fs::write(&trial.0, text).ok()?;
    Some(trial)
}

fn no_recipes() -> Refusal {
    Refusal::new(
        RefusalKind::Unavailable,
        "built_in",
        "虚拟线使用内置配方，没有配方文件夹。请用 pearlsort run 运行带配方的线。",
        "The virtual line sorts by its own recipe and has no folder of recipes. Run a line with recipes with pearlsort run.",
        "recipe",
    )
}

fn no_wizard() -> Refusal {
    Refusal::new(
        RefusalKind::Unavailable,
        "calibrate",
        "页面上还不能标定。请停线后在命令行运行 pearlsort calibrate。",
        "The page does not calibrate yet. Stop the line and run pearlsort calibrate on the command line.",
        "calibration",
    )
}

fn unknown(place: &str) -> Refusal {
    Refusal::new(
        RefusalKind::Unknown,
        "unknown",
        "没有这一项。",
        "There is no such thing.",
        place,
    )
}

impl Machine for Line {
    fn is_virtual(&self) -> bool {
        self.desk.fixed().is_virtual
    }

    fn layout(&self) -> s::Layout {
        snapshot::layout(&self.desk)
    }

    fn snapshot(&self) -> s::Snapshot {
        snapshot::snapshot(&self.desk)
    }

    fn journal(&self, after: u64, most: usize) -> Vec<s::JournalEntry> {
        self.desk.with(|inner| {
            let from = inner.journal.partition_point(|entry| entry.number <= after);
            let from = from.max(inner.journal.len().saturating_sub(most));
            let entry = |entry: &super::desk::Entry| s::JournalEntry {
                number: entry.number,
                at_ms: inner.wall_ms(entry.at),
                kind: entry.kind.to_owned(),
                text: shape(&entry.text),
            };
            inner.journal.range(from..).map(entry).collect()
        })
    }

    fn command(&self, by: &By, command: s::Command) -> Answer<()> {
        self.ask(by, &snapshot::request(command))
    }

    fn set_mode(&self, by: &By, mode: s::Mode) -> Answer<()> {
        self.ask(by, &Request::Mode(snapshot::mode(mode)))
    }

    fn bin(&self, by: &By, bin: u8, action: s::BinAction) -> Answer<()> {
        let bin = BinId(bin.checked_sub(1).ok_or_else(|| unknown("bin"))?);
        let request = match action {
            s::BinAction::Inhibit => Request::Inhibit { bin, on: true },
            s::BinAction::Release => Request::Inhibit { bin, on: false },
            s::BinAction::Changed => Request::BinChanged(bin),
            s::BinAction::EndQuarantine => Request::EndQuarantine(bin),
        };
        self.ask(by, &request)
    }

    fn pulse(&self, by: &By, valve: u16, length_us: u32) -> Answer<()> {
        let jets = self.desk.with(|inner| inner.operate.setup().lanes.concat());
        let jet = usize::from(valve).checked_sub(1).and_then(|n| jets.get(n).copied());
        let jet = jet.ok_or_else(|| unknown("valve"))?;
        let request = Request::Pulse {
            board: jet.board,
            valve: jet.valve,
            us: u16::try_from(length_us).unwrap_or(u16::MAX),
        };
        self.ask(by, &request)
    }

    fn lots(&self, before: Option<u64>, most: usize) -> Answer<Vec<s::Lot>> {
        lots::list(&self.desk, before, most)
    }

    fn lot(&self, lot: u64) -> Answer<s::Lot> {
        lots::get(&self.desk, lot)
    }

    fn open_lot(&self, by: &By, lot: &s::NewLot) -> Answer<s::Lot> {
        let opened = lots::open(&self.desk, lots::form(lot, &by.user), &by.user)?;
        lots::get(&self.desk, opened.lot.into())
    }

    fn close_lot(&self, by: &By, lot: u64) -> Answer<s::Lot> {
        lots::close(&self.desk, lot, &by.user)
    }

    fn lot_report(&self, lot: u64) -> Answer<s::LotReport> {
        lots::report(&self.desk, lot)
    }

    fn export_lot(&self, lot: u64, form: ExportForm) -> Answer<Box<dyn Read + Send>> {
        lots::export(&self.desk, lot, form)
    }

    fn alarms(&self) -> s::Alarms {
        self.desk.with(|inner| {
            let alarms = inner.operate.alarms();
            s::Alarms {
                version: alarms.version(),
                alarms: alarms
                    .list()
                    .into_iter()
                    .map(|alarm| snapshot::alarm_shape(inner, alarm))
                    .collect(),
                flood: alarms.is_flood(),
            }
        })
    }

    fn alarm_history(&self, before: Option<u64>, most: usize) -> Answer<Vec<s::AlarmEvent>> {
        Ok(self.desk.with(|inner| {
            let older = |number: u64| before.is_none_or(|before| number < before);
            let entries = inner
                .operate
                .alarm_history(0)
                .rev()
                .filter(|entry| older(entry.number))
                .take(most);
            entries.map(|entry| event_shape(inner, entry)).collect()
        }))
    }

    fn acknowledge(&self, by: &By, alarm: &str) -> Answer<s::Alarm> {
        self.alarm(by, alarm, Request::Acknowledge)
    }

    fn shelve(&self, by: &By, alarm: &str, for_s: u32, reason: &str) -> Answer<s::Alarm> {
        self.alarm(by, alarm, |id| Request::Shelve {
            id,
            for_us: i64::from(for_s) * 1_000_000,
            reason: reason.to_owned(),
        })
    }

    fn unshelve(&self, by: &By, alarm: &str) -> Answer<s::Alarm> {
        self.alarm(by, alarm, Request::Unshelve)
    }

    fn lanes(&self) -> Vec<s::LaneHealth> {
        snapshot::lane_health(&self.desk)
    }

    fn valves(&self) -> Vec<s::ValveHealth> {
        snapshot::valve_health(&self.desk)
    }

    fn boards(&self) -> Vec<s::BoardHealth> {
        snapshot::board_health(&self.desk)
    }

    fn histograms(&self) -> s::Histograms {
        snapshot::histograms(&self.desk)
    }

    fn recipes(&self) -> Answer<RecipeBook> {
        let book = self.desk.with(|inner| inner.book.clone()).ok_or_else(no_recipes)?;
        let recipe = book.recipe.clone().ok_or_else(no_recipes)?;
        let folder = self.folder();
        let names = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        let mut files: Vec<String> = names
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| name.ends_with(".toml") && !name.starts_with('.'))
            .collect();
        files.sort();
        Ok(RecipeBook {
            folder,
            in_force: self.desk.with(|inner| snapshot::recipe_name(inner)),
            text: book.text,
            recipe,
            files,
        })
    }

    fn check_recipe(&self, file: &str, text: &str) -> (Report, Option<Arc<Recipe>>) {
        match self.check(file, text) {
            Ok(recipe) => (Report::default(), Some(Arc::new(recipe))),
            Err(report) => (report, None),
        }
    }

    fn last_records(&self, most: usize) -> Answer<Vec<line::Record>> {
        Ok(lots::last_records(&self.desk, most))
    }

    fn apply_recipe(&self, _by: &By, file: &str, text: &str, recipe: Arc<Recipe>) -> Answer<()> {
        if self.desk.fixed().line.is_none() {
            return Err(no_recipes());
        }
        self.desk.with(|inner| {
            let allowed = inner.operate.allows(operate::Deed::Recipe);
            allowed.map_err(|why| refusal(&why, inner.operate.setup()))
        })?;
        let path = self.folder().join(file);
        save(&path, text).map_err(|error| {
            Refusal::new(
                RefusalKind::Unavailable,
                "save",
                &format!("{} 无法保存：{error}", path.display()),
                &format!("{} can't be saved: {error}", path.display()),
                "recipe",
            )
        })?;
        self.desk.with(|inner| inner.wish = Some(Wish { path, recipe }));
        Ok(())
    }

    fn calibration(&self) -> s::Calibration {
        s::Calibration::default()
    }

    fn calibration_start(&self, _by: &By, _start: &s::CalibrationStart) -> Answer<s::Calibration> {
        Err(no_wizard())
    }

    fn calibration_answer(&self, _by: &By, _answer: &s::CalibrationAnswer) -> Answer<s::Calibration> {
        Err(no_wizard())
    }

    fn calibration_cancel(&self, _by: &By) -> Answer<s::Calibration> {
        Err(no_wizard())
    }

    fn crops(&self, most: usize) -> Answer<Vec<s::Crop>> {
        let folder = self.desk.fixed().doubts.as_deref();
        Ok(folder.map_or_else(Vec::new, |folder| crops::list(&self.desk, folder, most)))
    }

    fn crop_image(&self, crop: u64) -> Answer<Vec<u8>> {
        let folder = self.desk.fixed().doubts.as_deref();
        let picture = folder.and_then(|folder| inspect::png(folder, crop, vision::ViewName::Top));
        picture.ok_or_else(|| unknown("crop"))
    }

    fn audit(&self, note: &Note) -> Answer<()> {
        lots::audit(&self.desk, note)
    }

    fn audit_page(&self, before: Option<u64>, most: usize) -> Answer<s::AuditPage> {
        lots::audit_page(&self.desk, before, most)
    }

    fn audit_verify(&self) -> Answer<s::AuditVerdict> {
        lots::audit_verify(&self.desk)
    }
}

fn event_shape(inner: &Inner, entry: &operate::alarm::Entry) -> s::AlarmEvent {
    let of = words::alarm(entry.id.kind);
    s::AlarmEvent {
        number: entry.number,
        at_ms: inner.wall_ms(entry.at),
        id: entry.id.to_string(),
        name: shape_words(of.name),
        priority: snapshot::priority_shape(of.priority),
        state: snapshot::alarm_state_shape(entry.state),
        by: entry.by.as_deref().map(str::to_owned),
    }
}

/// Saves a recipe: whole, or not at all.
fn save(path: &Path, text: &str) -> std::io::Result<()> {
    let part = path.with_extension("toml.part");
    let mut file = std::fs::File::create(&part)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&part, path)
}
