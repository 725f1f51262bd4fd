//! The program's processes: a virtual line that tells its ports, and a daemon that tells its state each second. Cold.
//!
//! Whatever happens, no process outlives its handle.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// The machine that the rig runs.
pub(crate) const MACHINE: &str = "hil-tests/config/line.toml";

/// The program in this runner's own folder.
pub(crate) fn program_beside() -> Result<PathBuf> {
    let program = std::env::current_exe()
        .context("this program's own path")?
        .with_file_name("pearlsort");
    if !program.exists() {
        bail!(
            "{} is not there: build it (cargo build --release), or name it by --program",
            program.display()
        );
    }
    Ok(program)
}

/// A process whose standard output is read line by line.
pub(crate) struct Process {
    child: Child,
    lines: Receiver<String>,
}

impl Process {
    fn start(command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{} can't be started", command.get_program().display()))?;
        let output = child.stdout.take().context("the process has no output")?;
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self { child, lines })
    }

    /// The next line, within the time given.
    pub(crate) fn line(&self, within: Duration) -> Result<String> {
        self.lines.recv_timeout(within).context("the process said nothing more")
    }

    /// Ends it as a fault would: at once, without a word.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.child.kill().context("the process can't be killed")?;
        self.child.wait().context("the process does not end")?;
        Ok(())
    }

    /// Asks it to end and waits until it has.
    pub(crate) fn stop(mut self, within: Duration) -> Result<()> {
        let asked = Command::new("kill")
            .arg("-TERM")
            .arg(self.child.id().to_string())
            .status();
        asked.context("the process can't be asked to end")?;
        let began = Instant::now();
        while began.elapsed() < within {
            if self
                .child
                .try_wait()
                .context("the process can't be waited for")?
                .is_some()
            {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("the process did not end within {} s", within.as_secs())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A virtual line: the process, and its ports as options for the daemon.
pub(crate) struct VirtualLine {
    /// The process.
    pub(crate) process: Process,
    ports: Vec<String>,
}

/// Starts a virtual line of [`MACHINE`] that writes what became of its pearls to `figures`.
pub(crate) fn start_line(program: &Path, seed: u64, figures: &Path) -> Result<VirtualLine> {
    let mut command = Command::new(program);
    command
        .args([
            "sim",
            "--config",
            MACHINE,
            "--seed",
            &seed.to_string(),
            "--rate",
            "15",
            "--json",
        ])
        .arg(figures);
    let process = Process::start(&mut command)?;
    let boards = 2;
    let ports = (0..boards)
        .map(|_| process.line(Duration::from_secs(5)))
        .collect::<Result<Vec<_>>>()?;
    Ok(VirtualLine { process, ports })
}

/// Starts the daemon on a line's ports; it sorts at once.
pub(crate) fn start_daemon(program: &Path, line: &VirtualLine) -> Result<Process> {
    let mut command = Command::new(program);
    command
        .args(["run", "--config", MACHINE, "--start", "--json"])
        .env("PEARLSORT_LOG", "error");
    for port in &line.ports {
        command.args(["--port", port]);
    }
    Process::start(&mut command)
}

/// The daemon's state, as it told it last: waits until `enough` says so.
pub(crate) fn wait_for(
    daemon: &Process,
    within: Duration,
    enough: impl Fn(&serde_json::Value) -> bool,
) -> Result<serde_json::Value> {
    let began = Instant::now();
    loop {
        let left = within
            .checked_sub(began.elapsed())
            .context("the line did not come so far in time")?;
        let state: serde_json::Value = serde_json::from_str(&daemon.line(left)?).context("a line of state")?;
        if enough(&state) {
            return Ok(state);
        }
    }
}
