//! One emulated microcontroller with the firmware: a process, its two serial ports and its end.
//!
//! Cold. The process does not outlive its handle.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rt::port::{claim, make_raw, open};
use serde_json::{Value, json};
use stand::ToStand;

use super::SLACK_US;
use crate::conformance::{Live, Subject};

/// The emulator.
const PROGRAM: &str = "qemu-system-arm";
/// Its priority: boards are hardware and don't wait, but the program comes first.
const PRIORITY: u8 = 65;
/// It must run within this.
const READY: Duration = Duration::from_secs(5);
/// Time between two tries.
const TRY: Duration = Duration::from_millis(10);
/// The emulator looks once a second whether somebody has opened its pseudo-terminals.
const NOTICED: Duration = Duration::from_millis(1_500);

/// How its time passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// As on the wall.
    Wall,
    /// A nanosecond an instruction.
    Counted,
}

/// See the module.
#[derive(Debug)]
pub struct Emulator {
    child: Child,
    /// The path of the field bus's port.
    pub bus_path: PathBuf,
    /// The field bus's port: open as long as the emulator runs, so that it never finds it closed.
    pub bus: OwnedFd,
    /// The test stand's port.
    pub stand: OwnedFd,
}

/// Where the firmware is: `FIRMWARE` in the environment, or where `src/firmware/build.sh` puts it.
///
/// # Errors
/// When it is not there.
pub fn firmware() -> Result<PathBuf> {
    let path = std::env::var_os("FIRMWARE").map_or_else(
        || Path::new("target/firmware/thumbv7m-none-eabi/release/firmware").to_path_buf(),
        PathBuf::from,
    );
    if !path.is_file() {
        bail!(
            "there is no firmware at {}: build it (src/firmware/build.sh), or name it in the environment (FIRMWARE)",
            path.display()
        );
    }
    Ok(path)
}

impl Emulator {
    /// Starts an emulator with the firmware as board `number` (its last three bytes of identity), and opens its ports.
    ///
    /// # Errors
    /// When it can't be started or does not run in time.
    pub fn start(firmware: &Path, number: u32, time: Time) -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("hil-qemu-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).with_context(|| format!("{} can't be made", folder.display()))?;
        let control = folder.join("control");
        let log = folder.join("log");
        let [_, high, middle, low] = number.to_be_bytes();
        let mut command = program();
        command
            .args(["-M", "lm3s6965evb", "-display", "none", "-monitor", "none"])
            .args(["-serial", "pty", "-serial", "pty", "-qmp"])
            .arg(format!("unix:{},server=on,wait=off", control.display()))
            // The board's number stands where this chip's boards keep their network address.
            .args([
                "-net",
                &format!("nic,macaddr=52:54:00:{high:02x}:{middle:02x}:{low:02x}"),
            ])
            .arg("-kernel")
            .arg(firmware);
        if time == Time::Counted {
            command.args(["-icount", "shift=0"]);
        }
        let log_file = File::create(&log).with_context(|| format!("{} can't be made", log.display()))?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log_file);
        let mut child = command
            .spawn()
            .with_context(|| format!("{PROGRAM} can't be started: apt-get install qemu-system-arm"))?;
        let ports = ports(&control, &mut child);
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        // Both are of use to nobody any more.
        let _ = std::fs::remove_dir_all(&folder);
        let opened = ports.and_then(|[bus, stand]| Ok((open_raw(&bus)?, open_raw(&stand)?, bus)));
        match opened {
            Ok((bus, stand, bus_path)) => Ok(Self {
                child,
                bus_path,
                bus,
                stand,
            }),
            Err(error) => {
                // It may have ended already.
                let _ = child.kill();
                let _ = child.wait();
                Err(error.context(format!("{PROGRAM}: {}", said.trim())))
            }
        }
    }

    /// Fails when the emulator has ended.
    ///
    /// # Errors
    /// When it has.
    pub fn runs(&mut self) -> Result<()> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => bail!("the emulator has ended: {status}"),
            Err(error) => Err(error).context("the emulator"),
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The emulator's command: with real-time priority where the rights are there, because a microcontroller waits for nobody.
fn program() -> Command {
    let chrt = Path::new("/usr/bin/chrt");
    let granted = || rt::thread::set_fifo(PRIORITY).is_ok();
    // Whether the right is there is tried in a thread that ends with that.
    let may = std::thread::scope(|scope| scope.spawn(granted).join()).unwrap_or(false);
    if !may || !chrt.is_file() {
        return Command::new(PROGRAM);
    }
    let mut command = Command::new(chrt);
    command.args(["--fifo", &PRIORITY.to_string(), PROGRAM]);
    command
}

fn open_raw(path: &Path) -> Result<OwnedFd> {
    let port = open(path).with_context(|| format!("{} can't be opened", path.display()))?;
    // A program that seeks a board where one was before finds this one taken.
    claim(&port)?;
    make_raw(&port)?;
    Ok(port)
}

/// Asks the emulator where its two serial ports are.
fn ports(control: &Path, child: &mut Child) -> Result<[PathBuf; 2]> {
    let began = Instant::now();
    let stream = loop {
        match UnixStream::connect(control) {
            Ok(stream) => break stream,
            Err(_) if began.elapsed() < READY && matches!(child.try_wait(), Ok(None)) => std::thread::sleep(TRY),
            Err(error) => return Err(error).context("its control socket"),
        }
    };
    stream.set_read_timeout(Some(READY))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut ask = |question: Value| -> Result<Value> {
        writeln!(&stream, "{question}")?;
        loop {
            let mut line = String::new();
            if reader.by_ref().take(1 << 20).read_line(&mut line)? == 0 {
                bail!("its control socket is closed");
            }
            let answer: Value = serde_json::from_str(&line).context("its control socket")?;
            if let Some(answer) = answer.get("return") {
                return Ok(answer.clone());
            }
        }
    };
    ask(json!({"execute": "qmp_capabilities"}))?;
    let devices = ask(json!({"execute": "query-chardev"}))?;
    let port = |name: &str| {
        devices
            .as_array()
            .into_iter()
            .flatten()
            .find(|device| device["label"] == name)
            .and_then(|device| device["filename"].as_str())
            .and_then(|file| file.strip_prefix("pty:"))
            .map(PathBuf::from)
            .with_context(|| format!("it has no port {name}"))
    };
    Ok([port("serial0")?, port("serial1")?])
}

/// An emulated board as a subject of the conformance suite, and the emulator that must outlive it.
///
/// # Errors
/// When the emulator or the firmware is not there, or does not answer.
pub fn subject(firmware: &Path) -> Result<(Live, Emulator)> {
    let emulator = Emulator::start(firmware, 1, Time::Wall)?;
    let mut live = Live::new(
        emulator.bus.try_clone()?,
        Some(emulator.stand.try_clone()?),
        true,
        SLACK_US,
    )?;
    answers(&mut live)?;
    Ok((live, emulator))
}

/// Waits until a board's stand answers.
pub(super) fn answers(live: &mut Live) -> Result<()> {
    let began = Instant::now();
    let (mut bytes, mut told) = (Vec::new(), Vec::new());
    while began.elapsed() < READY {
        let asked = live.stand(&ToStand::Ping { token: 0 });
        let until_us = live.now_us() + 50_000;
        let heard = asked.and_then(|()| live.receive(until_us, &mut bytes, &mut told));
        heard.map_err(|stop| anyhow::anyhow!("the emulated board: {stop:?}"))?;
        if told.iter().any(|told| matches!(told, stand::FromStand::Pong { .. })) {
            // Both ports are noticed by the same clock; the bus may be a second behind.
            std::thread::sleep(NOTICED.saturating_sub(began.elapsed()));
            live.receive(live.now_us(), &mut bytes, &mut told)
                .map_err(|stop| anyhow::anyhow!("the emulated board: {stop:?}"))?;
            return Ok(());
        }
    }
    bail!("the firmware does not answer within {} s", READY.as_secs())
}
