//! The shipped program as a process: started on a machine's file, told an operator's commands, asked for its state, stalled,
//! killed. Cold.
//!
//! Whatever happens, the process does not outlive its handle.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use serde_json::Value;

/// Time that an answer may take.
pub const ANSWER: Duration = Duration::from_secs(5);
/// Bytes of the program's log that are kept.
const LOG_BYTES: usize = 64 * 1024;

/// How the program is started.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// The program.
    pub program: PathBuf,
    /// The machine's file.
    pub config: PathBuf,
    /// The recipe's file.
    pub recipe: PathBuf,
    /// Where the boards are: name and path.
    pub ports: Vec<(String, PathBuf)>,
    /// Where the recording goes, if one is wanted.
    pub record: Option<PathBuf>,
    /// Link faults that are allowed, if any.
    pub faults: Option<String>,
}

/// The program in this runner's own folder.
///
/// # Errors
/// When it is not there.
pub fn program_beside() -> Result<PathBuf> {
    let own = std::env::current_exe().context("this program's own path")?;
    let folders = own.ancestors().skip(1).take(2);
    let mut beside = folders.map(|folder| folder.join("pearlsort"));
    beside.find(|program| program.is_file()).with_context(|| {
        format!(
            "no program pearlsort beside {}: build it (cargo build --release -p pearlsort), or name it by --program",
            own.display()
        )
    })
}

/// A running program.
pub struct Daemon {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    log: Arc<Mutex<String>>,
}

impl Daemon {
    /// Starts the program; it sorts as soon as it can.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn start(how: &Start) -> Result<Self> {
        // A file that may grow no more is an error to the program, as a full disk is, and no signal.
        let mut command = Command::new("env");
        command.arg("--ignore-signal=XFSZ").arg(&how.program);
        command
            .args(["run", "--start", "--json", "--commands", "--config"])
            .arg(&how.config);
        command.arg("--recipe").arg(&how.recipe);
        for (name, path) in &how.ports {
            command.arg("--port").arg(format!("{name}={}", path.display()));
        }
        if let Some(record) = &how.record {
            command.arg("--record").arg(record);
        }
        if let Some(faults) = &how.faults {
            command.arg("--allow-faults").arg(faults);
        }
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .with_context(|| format!("{} can't be started", how.program.display()))?;
        let output = child.stdout.take().context("the program has no output")?;
        let errors = child.stderr.take().context("the program has no log")?;
        let input = child.stdin.take();
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let log = Arc::new(Mutex::new(String::new()));
        std::thread::spawn({
            let log = Arc::clone(&log);
            move || keep_log(errors, &log)
        });
        Ok(Self {
            child,
            input,
            lines,
            log,
        })
    }

    /// Number of the process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Says a command.
    ///
    /// # Errors
    /// When the program has ended.
    pub fn say(&mut self, word: &str) -> Result<()> {
        let input = self.input.as_mut().context("the program's input is closed")?;
        match writeln!(input, "{word}").and_then(|()| input.flush()) {
            Ok(()) => Ok(()),
            Err(_) => Err(self.ended()),
        }
    }

    /// The next line of state within the time given; none when there is none so soon.
    ///
    /// # Errors
    /// When the program has ended, or its line is no JSON.
    pub fn state_within(&mut self, within: Duration) -> Result<Option<Value>> {
        match self.lines.recv_timeout(within) {
            Ok(line) => {
                let state = serde_json::from_str(&line).with_context(|| format!("not a line of state: {line}"))?;
                Ok(Some(state))
            }
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(self.ended()),
        }
    }

    /// Asks for the state, and waits for it.
    ///
    /// # Errors
    /// When the program has ended or does not answer.
    pub fn state(&mut self) -> Result<Value> {
        self.say("state")?;
        self.state_within(ANSWER)?.context("the program does not answer")
    }

    /// What it wrote to its log last.
    #[must_use]
    pub fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Stops it where it stands, or lets it go on.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn stall(&self, stalled: bool) -> Result<()> {
        let signal = if stalled { Signal::STOP } else { Signal::CONT };
        kill_process(self.pid()?, signal).context("the program can't be stalled")
    }

    /// Lets no file of the program grow beyond `bytes`; none takes the limit away.
    ///
    /// # Errors
    /// When the process is gone.
    pub fn limit_files(&self, bytes: Option<u64>) -> Result<()> {
        let limit = Rlimit {
            current: bytes,
            maximum: None,
        };
        prlimit(Some(self.pid()?), Resource::Fsize, limit).context("the program's files can't be limited")?;
        Ok(())
    }

    /// Ends it as a fault would: at once, without a word.
    ///
    /// # Errors
    /// When it does not end.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill().context("the program can't be killed")?;
        self.child.wait().context("the program does not end")?;
        Ok(())
    }

    /// Asks it to end and waits until it has. Gives its last line of JSON.
    ///
    /// # Errors
    /// When it does not end in time, or not well.
    pub fn stop(mut self, within: Duration) -> Result<Value> {
        kill_process(self.pid()?, Signal::TERM).context("the program can't be asked to end")?;
        let began = Instant::now();
        let mut last = Value::Null;
        loop {
            let left = within.checked_sub(began.elapsed());
            let left = left.with_context(|| format!("the program did not end within {} s", within.as_secs()))?;
            match self.lines.recv_timeout(left) {
                Ok(line) => last = serde_json::from_str(&line).unwrap_or(Value::Null),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        let status = self.child.wait().context("the program does not end")?;
        if !status.success() {
            bail!("the program ended with {}: {}", text(status), last_lines(&self.log()));
        }
        Ok(last)
    }

    fn pid(&self) -> Result<Pid> {
        let number = i32::try_from(self.child.id()).ok();
        number.and_then(Pid::from_raw).context("the process has no number")
    }

    /// The error that it has ended by itself.
    fn ended(&mut self) -> anyhow::Error {
        // Its output closes a moment before it is gone.
        let status = self.child.wait().map_or_else(|error| error.to_string(), text);
        anyhow!("the program ended by itself ({status}): {}", last_lines(&self.log()))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Keeps the end of what a process writes.
fn keep_log(mut errors: impl Read, log: &Mutex<String>) {
    let mut bytes = [0; 4_096];
    while let Ok(count @ 1..) = errors.read(&mut bytes) {
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        log.push_str(&String::from_utf8_lossy(&bytes[..count]));
        if log.len() > 2 * LOG_BYTES {
            let from = log.len() - LOG_BYTES;
            let from = (from..log.len()).find(|at| log.is_char_boundary(*at)).unwrap_or(0);
            log.drain(..from);
        }
    }
}

/// The last lines of a log, in one.
pub(crate) fn last_lines(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    let from = lines.len().saturating_sub(3);
    lines[from..].join(" | ")
}

fn text(status: ExitStatus) -> String {
    status.to_string()
}

/// Whether a state's accounts add up.
#[must_use]
pub fn adds_up(state: &Value) -> bool {
    let count = |key: &str| state[key].as_u64();
    match (
        count("entered"),
        count("in_flight"),
        count("binned"),
        count("recirculated"),
        count("lost"),
    ) {
        (Some(entered), Some(in_flight), Some(binned), Some(recirculated), Some(lost)) => {
            entered == in_flight + binned + recirculated + lost
        }
        // No state of a running line.
        _ => true,
    }
}

/// A folder of this process's own, gone with its handle.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes one.
    ///
    /// # Errors
    /// When the system's folder for such things takes none.
    pub fn new(name: &str) -> Result<Self> {
        // Several runs of one name may go on at once.
        static MADE: AtomicU64 = AtomicU64::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("hil-{}-{number}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).with_context(|| format!("{} can't be made", folder.display()))?;
        Ok(Self(folder))
    }

    /// A file in it.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What can't be removed is left to the system.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
