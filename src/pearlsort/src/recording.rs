//! Recordings of a running line and of the virtual one: what is written before the first event, and the cold end of the
//! hot thread's ring of bytes.
//!
//! Cold, but for [`HotTape`], which codes events on the hot thread.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use line::{Input, LinePlan};
use rt::ring::{Consumer, Producer};
use sim::demo::DemoOptions;
use sim::digest::Digest;
use sim::virtual_time::Listener;
use tape::tap::{Sink, Tap};
use tape::{Head, Machine, RecipeEntry, Text, Totals, Writer};
use tracing::{error, info, warn};
use units::HostUs;

use crate::exit::{Exit, Failure};

/// Time between two hand-overs to the disk: a crash costs as much.
const FLUSH: Duration = Duration::from_millis(500);
/// Bytes fetched from the ring at once.
const FETCH: usize = 64 * 1024;

/// What stands at the head of a recording.
#[must_use]
pub fn head(machine: Machine, plan: &LinePlan, recipe: u64) -> Head {
    Head {
        program: env!("CARGO_PKG_VERSION").to_owned(),
        machine,
        plan: fingerprint(plan),
        recipe,
    }
}

/// The virtual line's machine, as a recording keeps it.
#[must_use]
pub const fn virtual_machine(lanes: u8, options: DemoOptions) -> Machine {
    Machine::Virtual {
        lanes,
        rate: options.rate,
        um_s: options.um_s,
        least_gap: options.least_gap,
        samples: options.samples,
    }
}

/// A number that two plans share only when they are the same: FNV-1a of their text, 64 bits.
#[must_use]
pub fn fingerprint(plan: &LinePlan) -> u64 {
    format!("{plan:?}").bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

/// A recipe of a file, as a recording keeps it: with its text and its standard's as they are now.
#[must_use]
pub fn entry(path: &Path, recipe: &config::Recipe) -> RecipeEntry {
    let text = |path: &Path| {
        let text = std::fs::read_to_string(path).ok()?;
        Some(Text {
            name: path.display().to_string(),
            text,
        })
    };
    let own = text(path);
    let standard = own.as_ref().and_then(|own| named_standard(path, &own.text));
    let standard = standard.and_then(|path| text(&path));
    RecipeEntry::new(
        &recipe.compiled,
        recipe.doubt,
        own.into_iter().chain(standard).collect(),
    )
}

/// The standard's file that a recipe's text names.
#[must_use]
pub fn named_standard(recipe: &Path, text: &str) -> Option<PathBuf> {
    let document: toml_edit::DocumentMut = text.parse().ok()?;
    let named = document.get("standard")?.as_str()?.to_owned();
    Some(
        recipe
            .parent()
            .map_or_else(|| PathBuf::from(&named), |folder| folder.join(&named)),
    )
}

/// Makes a recording's file; a recording that is there already is never written over.
///
/// # Errors
/// When there is such a file, or it can't be made.
pub fn create(path: &Path, head: &Head, recipe: &RecipeEntry, limit: u64) -> Result<Writer<File>> {
    let file = File::create_new(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Failure::new(
            Exit::Io,
            format!(
                "{} is there already: name another file, recordings are not written over",
                path.display()
            ),
        )
        .into(),
        _ => anyhow::Error::from(error).context(format!("{} can't be made", path.display())),
    })?;
    let begin = |file| {
        let mut writer = Writer::new(file, head, limit)?;
        writer.recipe(recipe)?;
        io::Result::Ok(writer)
    };
    begin(file).with_context(|| format!("{} can't be written", path.display()))
}

/// The hot end: codes what the core sees, and keeps the digest of what it gives.
pub(crate) struct HotTape {
    tap: Tap,
    ring: ByteRing,
    pub(crate) digest: Digest,
}

impl HotTape {
    pub(crate) fn new(ring: Producer<u8>) -> Self {
        Self {
            tap: Tap::new(),
            ring: ByteRing(ring),
            digest: Digest::default(),
        }
    }

    /// The core is about to see this.
    pub(crate) fn before(&mut self, at: HostUs, input: &Input<'_>) {
        self.tap.hear(at, input, &mut self.ring);
    }

    /// It has.
    pub(crate) fn after(&mut self, at: HostUs) {
        if self.tap.wants_check(at) {
            self.tap.check(at, self.digest.value(), &mut self.ring);
        }
    }

    /// Events dropped.
    pub(crate) const fn lost(&self) -> u64 {
        self.tap.lost()
    }
}

/// The ring takes an event whole or not at all.
struct ByteRing(Producer<u8>);

impl Sink for ByteRing {
    fn take(&mut self, bytes: &[u8]) -> bool {
        let fits = self.0.vacant() >= bytes.len();
        if fits {
            self.0.push_batch(bytes);
        }
        fits
    }
}

/// The cold end: from the ring to the disk.
pub struct Recorder {
    path: PathBuf,
    /// `None` when the disk has failed: the line goes on without.
    writer: Option<Writer<File>>,
    stream: Consumer<u8>,
    fetched: Vec<u8>,
    flushed: Instant,
    told_full: bool,
}

impl Recorder {
    /// A recorder of what comes through `stream`.
    #[must_use]
    pub fn new(path: &Path, writer: Writer<File>, stream: Consumer<u8>) -> Self {
        Self {
            path: path.to_owned(),
            writer: Some(writer),
            stream,
            fetched: vec![0; FETCH],
            flushed: Instant::now(),
            told_full: false,
        }
    }

    /// A recipe is about to be published.
    pub fn recipe(&mut self, recipe: &RecipeEntry) {
        self.write(|writer| writer.recipe(recipe));
    }

    /// Fetches what has come, and twice a second hands it to the disk.
    pub fn look(&mut self) {
        self.fetch();
        if self.flushed.elapsed() >= FLUSH {
            self.flushed = Instant::now();
            self.write(|writer| {
                writer.flush()?;
                writer.file().sync_data()
            });
        }
        if !self.told_full && self.writer.as_ref().is_some_and(Writer::is_full) {
            self.told_full = true;
            warn!(
                "{} has come to its limit: from here on nothing is recorded (--record-mb sets the limit)",
                self.path.display()
            );
        }
    }

    /// Ends the recording, when the hot thread has ended; `lost` events did not fit into the ring.
    pub fn end(mut self, lost: u64) {
        self.fetch();
        let Some(writer) = self.writer.take() else { return };
        match writer
            .end(lost)
            .and_then(|(totals, file)| file.sync_all().map(|()| totals))
        {
            Ok(Totals { lost: 0, unkept: 0 }) => info!("{} is whole", self.path.display()),
            Ok(Totals { lost, unkept }) => warn!(
                "{} is incomplete: {lost} events were dropped, {unkept} bytes were beyond its limit",
                self.path.display()
            ),
            Err(error) => error!("{} could not be ended: {error}", self.path.display()),
        }
    }

    fn fetch(&mut self) {
        loop {
            let mut fetched = std::mem::take(&mut self.fetched);
            let got = self.stream.pop_batch(&mut fetched).len();
            self.write(|writer| writer.stream(&fetched[..got]));
            self.fetched = fetched;
            if got < FETCH {
                return;
            }
        }
    }

    /// Does something with the file; when that fails, the recording ends there and the line goes on.
    fn write(&mut self, work: impl FnOnce(&mut Writer<File>) -> io::Result<()>) {
        let Some(writer) = &mut self.writer else { return };
        if let Err(error) = work(writer) {
            error!(
                "{} can't be written any more: {error}. The line goes on, the recording ends here",
                self.path.display()
            );
            self.writer = None;
        }
    }
}

/// Records a run in virtual time, where the core's thread may wait for the disk.
pub struct VirtualRecorder {
    writer: Writer<File>,
    tap: Tap,
}

impl VirtualRecorder {
    /// A recorder into `writer`.
    #[must_use]
    pub const fn new(writer: Writer<File>) -> Self {
        Self {
            writer,
            tap: Tap::new(),
        }
    }

    /// Ends the recording.
    ///
    /// # Errors
    /// When the file does not take the bytes.
    pub fn end(self) -> io::Result<Totals> {
        Ok(self.writer.end(self.tap.lost())?.0)
    }
}

impl Listener for VirtualRecorder {
    fn before(&mut self, at: HostUs, input: &Input<'_>) {
        self.tap.hear(at, input, &mut self.writer);
    }

    fn after(&mut self, at: HostUs, digest: &Digest) {
        if self.tap.wants_check(at) {
            self.tap.check(at, digest.value(), &mut self.writer);
        }
    }
}
