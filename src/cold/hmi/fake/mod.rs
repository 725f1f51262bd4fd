//! A lively line that is not there: for tests, for the page's makers, and for measuring those that watch. No part of the
//! program: examples and tests include this folder.
//!
//! Any thread. Time passes only in [`Fake::pass`], so that a test says how much.

mod parts;
mod pearls;
mod wizard;

use std::collections::VecDeque;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use config::{Recipe, Report};
use hmi::machine::{Answer, By, ExportForm, Machine, Note, RecipeBook, Refusal, RefusalKind};
use hmi::shapes::{
    Alarm, AlarmEvent, AlarmState, Alarms, AuditEntry, AuditPage, AuditVerdict, BinAction, BinState, BoardHealth,
    Calibration, CalibrationAnswer, CalibrationStart, Command, Counts, Crop, Histograms, JournalEntry, LaneHealth,
    Layout, Lot, LotReport, Mode, NewLot, RecipeName, Snapshot, State, Text, ValveHealth,
};
use line::Record;

/// Lanes of the line.
pub(crate) const LANES: u8 = 16;
/// Its bins.
pub(crate) const BINS: u8 = 5;
/// Its recipe's file.
pub(crate) const RECIPE: &str = "park-high-grade-rate.toml";
/// The moment at which it begins.
pub(crate) const BEGAN_MS: u64 = 1_795_500_000_000;

/// What it remembers.
struct Inner {
    now_ms: u64,
    state: State,
    since_ms: u64,
    mode: Mode,
    counts: Counts,
    lanes: Vec<(u64, Vec<u64>)>,
    bins: Vec<(u64, f64, BinState)>,
    random: u64,
    lots: Vec<Lot>,
    alarms: Vec<Alarm>,
    alarm_version: u64,
    history: Vec<AlarmEvent>,
    journal: Vec<JournalEntry>,
    audit: Vec<AuditEntry>,
    records: VecDeque<Record>,
    recipe: (String, String, Arc<Recipe>),
    wizard: wizard::Wizard,
}

/// See the module.
pub(crate) struct Fake {
    folder: PathBuf,
    inner: Mutex<Inner>,
}

impl Fake {
    /// A line whose recipes are copies, in `folder`, of the tree's.
    pub(crate) fn new(folder: &Path) -> Self {
        copy_recipes(folder);
        let text = std::fs::read_to_string(folder.join("recipes").join(RECIPE)).expect("the recipe was copied");
        let (report, recipe) = checked(folder, RECIPE, &text);
        let recipe = recipe.unwrap_or_else(|| panic!("the tree's recipe is wrong:\n{report}"));
        let mut inner = Inner {
            now_ms: BEGAN_MS,
            state: State::Execute,
            since_ms: BEGAN_MS,
            mode: Mode::Production,
            counts: Counts::default(),
            lanes: vec![(0, vec![0; BINS.into()]); LANES.into()],
            bins: vec![(0, 0.0, BinState::Ready); usize::from(BINS) + 1],
            random: 1,
            lots: Vec::new(),
            alarms: Vec::new(),
            alarm_version: 1,
            history: Vec::new(),
            journal: Vec::new(),
            audit: Vec::new(),
            records: VecDeque::new(),
            recipe: (RECIPE.to_owned(), text, recipe),
            wizard: wizard::Wizard::default(),
        };
        inner.lots.push(parts::first_lot());
        inner.tell("lot.open", "开批 2026-1124", "lot 2026-1124 opened");
        Self {
            folder: folder.to_owned(),
            inner: Mutex::new(inner),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Time passes: pearls come, alarms come and go.
    pub(crate) fn pass(&self, ms: u64) {
        let mut inner = self.inner();
        inner.now_ms += ms;
        inner.settle();
        pearls::pass(&mut inner, ms);
        parts::pass(&mut inner);
    }

    /// What is in the audit trail.
    pub(crate) fn audited(&self) -> Vec<AuditEntry> {
        self.inner().audit.clone()
    }
}

impl Inner {
    /// A number below `most`, by xorshift.
    fn chance(&mut self, most: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % most
    }

    fn tell(&mut self, kind: &str, zh: &str, en: &str) {
        let number = self.journal.len() as u64 + 1;
        self.journal.push(JournalEntry {
            number,
            at_ms: self.now_ms,
            kind: kind.to_owned(),
            text: Text::new(zh, en),
        });
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.since_ms = self.now_ms;
        let name = format!("{state:?}");
        self.tell("state", &name, &name);
    }

    /// States on the way end by themselves.
    fn settle(&mut self) {
        if self.now_ms < self.since_ms + 500 {
            return;
        }
        let next = match self.state {
            State::Resetting => State::Idle,
            State::Starting | State::Unholding | State::Unsuspending => State::Execute,
            State::Stopping | State::Clearing => State::Stopped,
            State::Holding => State::Held,
            State::Suspending => State::Suspended,
            State::Aborting => State::Aborted,
            State::Completing => State::Complete,
            _ => return,
        };
        self.enter(next);
    }
}

fn copy_recipes(folder: &Path) {
    let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../config");
    for name in ["recipes", "standards"] {
        let to = folder.join(name);
        std::fs::create_dir_all(&to).expect("the folder can be made");
        for entry in std::fs::read_dir(tree.join(name)).expect("the tree has recipes and standards") {
            let entry = entry.expect("the folder can be read");
            std::fs::copy(entry.path(), to.join(entry.file_name())).expect("a file can be copied");
        }
    }
}

/// Checks a text as `check` does.
fn checked(folder: &Path, file: &str, text: &str) -> (Report, Option<Arc<Recipe>>) {
    let folder = folder.join("recipes");
    let report = config::check_bytes(file, text.as_bytes(), &folder);
    if report.has_errors() {
        return (report, None);
    }
    let standard = text
        .lines()
        .find_map(|line| line.strip_prefix("standard = \"")?.strip_suffix('"'));
    let standard = standard.and_then(|standard| config::load_standard(&folder.join(standard)).ok());
    let recipe = standard.and_then(|standard| config::recipe_from_text(file, text, &Arc::new(standard)).ok());
    (report, recipe.map(Arc::new))
}

fn unknown(place: &str) -> Refusal {
    Refusal::new(
        RefusalKind::Unknown,
        "unknown",
        "没有这一项",
        "there is no such thing",
        place,
    )
}

/// The part of a list that is asked for, newest first.
fn page<T: Clone>(list: &[T], number: impl Fn(&T) -> u64, before: Option<u64>, most: usize) -> Vec<T> {
    let older = list
        .iter()
        .rev()
        .filter(|of| before.is_none_or(|before| number(of) < before));
    older.take(most).cloned().collect()
}

impl Machine for Fake {
    fn is_virtual(&self) -> bool {
        true
    }

    fn layout(&self) -> Layout {
        parts::layout()
    }

    fn snapshot(&self) -> Snapshot {
        parts::snapshot(&self.inner())
    }

    fn journal(&self, after: u64, most: usize) -> Vec<JournalEntry> {
        let inner = self.inner();
        let newer: Vec<_> = inner
            .journal
            .iter()
            .filter(|entry| entry.number > after)
            .cloned()
            .collect();
        newer[newer.len().saturating_sub(most)..].to_vec()
    }

    fn command(&self, _by: &By, command: Command) -> Answer<()> {
        let mut inner = self.inner();
        if !parts::commands(inner.state).contains(&command) {
            let place = format!("{:?}", inner.state);
            return Err(Refusal::new(
                RefusalKind::NotNow,
                "not_now",
                "当前状态不允许这个命令",
                "the state does not allow this command",
                &place,
            ));
        }
        let next = match command {
            Command::Reset => State::Resetting,
            Command::Start => State::Starting,
            Command::Stop => State::Stopping,
            Command::Hold => State::Holding,
            Command::Unhold => State::Unholding,
            Command::Suspend => State::Suspending,
            Command::Unsuspend => State::Unsuspending,
            Command::Abort => State::Aborting,
            Command::Clear => State::Clearing,
            Command::Complete | Command::EmptyOut | Command::Purge => State::Completing,
        };
        inner.enter(next);
        Ok(())
    }

    fn set_mode(&self, _by: &By, mode: Mode) -> Answer<()> {
        self.inner().mode = mode;
        Ok(())
    }

    fn bin(&self, _by: &By, bin: u8, action: BinAction) -> Answer<()> {
        let mut inner = self.inner();
        let of = inner.bins.get_mut(usize::from(bin)).filter(|_| bin > 0);
        let of = of.ok_or_else(|| unknown(&format!("bin {bin}")))?;
        match action {
            BinAction::Inhibit => of.2 = BinState::Inhibited,
            BinAction::Release | BinAction::EndQuarantine => of.2 = BinState::Ready,
            BinAction::Changed => *of = (0, 0.0, BinState::Ready),
        }
        Ok(())
    }

    fn pulse(&self, _by: &By, valve: u16, _length_us: u32) -> Answer<()> {
        if valve == 0 || valve > u16::from(LANES) * u16::from(BINS) {
            return Err(unknown(&format!("valve {valve}")));
        }
        if self.inner().mode == Mode::ValveTest {
            return Ok(());
        }
        Err(Refusal::new(
            RefusalKind::NotNow,
            "not_now",
            "请先切换到阀门测试模式",
            "change to the mode valve test first",
            "mode",
        ))
    }

    fn lots(&self, before: Option<u64>, most: usize) -> Answer<Vec<Lot>> {
        Ok(page(&self.inner().lots, |lot| lot.lot, before, most))
    }

    fn lot(&self, lot: u64) -> Answer<Lot> {
        let inner = self.inner();
        let found = inner.lots.iter().find(|of| of.lot == lot);
        found.cloned().ok_or_else(|| unknown(&format!("lot {lot}")))
    }

    fn open_lot(&self, by: &By, new: &NewLot) -> Answer<Lot> {
        let mut inner = self.inner();
        if let Some(open) = inner.lots.iter().find(|lot| lot.closed_at_ms.is_none()) {
            let place = format!("lot {}", open.lot);
            return Err(Refusal::new(
                RefusalKind::NotNow,
                "lot_open",
                "还有一批没有结批",
                "a lot is open still: close it first",
                &place,
            ));
        }
        let lot = parts::lot(inner.lots.len() as u64 + 1, inner.now_ms, &by.user, new);
        inner.lots.push(lot.clone());
        Ok(lot)
    }

    fn close_lot(&self, _by: &By, lot: u64) -> Answer<Lot> {
        let mut inner = self.inner();
        let now = inner.now_ms;
        let found = inner.lots.iter_mut().find(|of| of.lot == lot);
        let found = found.ok_or_else(|| unknown(&format!("lot {lot}")))?;
        if found.closed_at_ms.is_some() {
            return Err(Refusal::new(
                RefusalKind::NotNow,
                "lot_closed",
                "这一批已结批",
                "the lot is closed already",
                &format!("lot {lot}"),
            ));
        }
        found.passes.lost += found.passes.in_flight;
        found.passes.in_flight = 0;
        found.closed_at_ms = Some(now);
        Ok(found.clone())
    }

    fn lot_report(&self, lot: u64) -> Answer<LotReport> {
        let lot = self.lot(lot)?;
        Ok(parts::report(&self.inner(), lot))
    }

    fn export_lot(&self, lot: u64, form: ExportForm) -> Answer<Box<dyn Read + Send>> {
        self.lot(lot)?;
        let bytes = match form {
            ExportForm::Csv => b"pearl,lane,bin\n1,3,1\n".to_vec(),
            ExportForm::Parquet => b"PAR1".to_vec(),
        };
        Ok(Box::new(Cursor::new(bytes)))
    }

    fn alarms(&self) -> Alarms {
        let inner = self.inner();
        let shown = inner.alarms.iter().filter(|alarm| alarm.state != AlarmState::Normal);
        Alarms {
            version: inner.alarm_version,
            alarms: shown.cloned().collect(),
            flood: false,
        }
    }

    fn alarm_history(&self, before: Option<u64>, most: usize) -> Answer<Vec<AlarmEvent>> {
        Ok(page(&self.inner().history, |event| event.number, before, most))
    }

    fn acknowledge(&self, by: &By, alarm: &str) -> Answer<Alarm> {
        parts::acknowledge(&mut self.inner(), &by.user, alarm)
    }

    fn shelve(&self, by: &By, alarm: &str, for_s: u32, _reason: &str) -> Answer<Alarm> {
        parts::shelve(&mut self.inner(), &by.user, alarm, Some(for_s))
    }

    fn unshelve(&self, by: &By, alarm: &str) -> Answer<Alarm> {
        parts::shelve(&mut self.inner(), &by.user, alarm, None)
    }

    fn lanes(&self) -> Vec<LaneHealth> {
        parts::lanes(&self.inner())
    }

    fn valves(&self) -> Vec<ValveHealth> {
        parts::valves(&self.inner())
    }

    fn boards(&self) -> Vec<BoardHealth> {
        parts::boards(&self.inner())
    }

    fn histograms(&self) -> Histograms {
        parts::histograms(&self.inner())
    }

    fn recipes(&self) -> Answer<RecipeBook> {
        let inner = self.inner();
        let folder = self.folder.join("recipes");
        let entries = std::fs::read_dir(&folder).expect("the folder of recipes can be read");
        let mut files: Vec<String> = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        files.sort();
        let (file, text, recipe) = inner.recipe.clone();
        Ok(RecipeBook {
            folder,
            in_force: recipe_name(&file, &recipe),
            text,
            recipe,
            files,
        })
    }

    fn check_recipe(&self, file: &str, text: &str) -> (Report, Option<Arc<Recipe>>) {
        checked(&self.folder, file, text)
    }

    fn last_records(&self, most: usize) -> Answer<Vec<Record>> {
        let inner = self.inner();
        let first = inner.records.len().saturating_sub(most);
        Ok(inner.records.iter().skip(first).copied().collect())
    }

    fn apply_recipe(&self, _by: &By, file: &str, text: &str, recipe: Arc<Recipe>) -> Answer<()> {
        let path = self.folder.join("recipes").join(file);
        std::fs::write(path, text).expect("the folder of recipes can be written");
        self.inner().recipe = (file.to_owned(), text.to_owned(), recipe);
        Ok(())
    }

    fn calibration(&self) -> Calibration {
        self.inner().wizard.status()
    }

    fn calibration_start(&self, _by: &By, start: &CalibrationStart) -> Answer<Calibration> {
        self.inner().wizard.start(start)
    }

    fn calibration_answer(&self, by: &By, answer: &CalibrationAnswer) -> Answer<Calibration> {
        let mut inner = self.inner();
        let now = inner.now_ms;
        inner.wizard.answer(&by.user, now, answer)
    }

    fn calibration_cancel(&self, _by: &By) -> Answer<Calibration> {
        self.inner().wizard.cancel()
    }

    fn crops(&self, most: usize) -> Answer<Vec<Crop>> {
        Ok(parts::crops(&self.inner(), most))
    }

    fn crop_image(&self, crop: u64) -> Answer<Vec<u8>> {
        if crop == 0 || crop > parts::CROPS {
            return Err(unknown(&format!("crop {crop}")));
        }
        Ok(pearls::picture(crop))
    }

    fn audit(&self, note: &Note) -> Answer<()> {
        let mut inner = self.inner();
        let number = inner.audit.len() as u64 + 1;
        let entry = AuditEntry {
            number,
            at_ms: inner.now_ms,
            by: note.by.clone(),
            from: note.from.clone(),
            action: note.action.to_owned(),
            subject: note.subject.clone(),
            before: note.before.clone(),
            after: note.after.clone(),
            hash: format!("{number:064x}"),
        };
        inner.audit.push(entry);
        Ok(())
    }

    fn audit_page(&self, before: Option<u64>, most: usize) -> Answer<AuditPage> {
        let entries = page(&self.inner().audit, |entry| entry.number, before, most);
        let last = entries.last().map(|entry| entry.number);
        Ok(AuditPage {
            next_before: last.filter(|number| *number > 1),
            entries,
        })
    }

    fn audit_verify(&self) -> Answer<AuditVerdict> {
        Ok(AuditVerdict {
            entries: self.inner().audit.len() as u64,
            holds: true,
            first_broken: None,
            text: Text::new("审计链完整", "the chain holds"),
        })
    }
}

fn recipe_name(file: &str, recipe: &Recipe) -> RecipeName {
    RecipeName {
        name: Text::new(recipe.name.zh.clone(), recipe.name.en.clone()),
        file: file.to_owned(),
        hash: recipe.hash_name(),
    }
}
