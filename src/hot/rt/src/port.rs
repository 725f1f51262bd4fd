//! Serial ports below tokio-serial: the flags that decide how late a byte arrives, and pseudo-terminals for the simulator.
//!
//! Cold threads set ports up; [`bytes_unsent`] and [`bytes_waiting`] are cheap enough for the hot thread. A pty has no
//! UART behind it and answers ENOTTY to its questions: that is [`PortError::NotSupported`], not a failure.

use std::{
    fs, io,
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
        unix::ffi::OsStrExt as _,
    },
    path::{Path, PathBuf},
};

use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{
        ControlModes, InputModes, LocalModes, OptionalActions, OutputModes, SpecialCodeIndex, Termios, ioctl_tiocexcl,
        tcgetattr, tcsetattr,
    },
};

/// Flag of `serial_struct` that hands each byte on at once instead of batching (linux/tty_flags.h).
const ASYNC_LOW_LATENCY: libc::c_int = 1 << 13;
/// FTDI's latency timer in milliseconds that costs the least belt; its default of 16 is 16 mm at 1 m/s.
pub const BEST_FTDI_LATENCY_MS: u32 = 1;

/// What could not be asked of or told to a port.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// This kind of port has no such thing (a pty has no UART, not every adapter is FTDI's).
    #[error("{what}: this port has none")]
    NotSupported {
        /// What was asked for.
        what: &'static str,
    },
    /// The user may not.
    #[error("{what}: not permitted; add the user to the group of the device (dialout) or run as root")]
    Denied {
        /// What was asked for.
        what: &'static str,
    },
    /// Somebody else has the port.
    #[error("{what}: busy; end the program that uses the port (fuser shows it)")]
    Busy {
        /// What was asked for.
        what: &'static str,
    },
    /// Anything else.
    #[error("{what}: {source}")]
    Failed {
        /// What was asked for.
        what: &'static str,
        /// The system's reason.
        source: io::Error,
    },
}

impl PortError {
    fn of(what: &'static str, source: impl Into<io::Error>) -> Self {
        let source = source.into();
        match source.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::NOTTY | Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => Self::NotSupported { what },
            Some(Errno::ACCESS | Errno::PERM) => Self::Denied { what },
            Some(Errno::BUSY | Errno::WOULDBLOCK) => Self::Busy { what },
            _ => Self::Failed { what, source },
        }
    }
}

/// `struct serial_struct` of linux/serial.h.
#[repr(C)]
struct SerialStruct {
    kind: libc::c_int,
    line: libc::c_int,
    port: libc::c_uint,
    irq: libc::c_int,
    flags: libc::c_int,
    xmit_fifo_size: libc::c_int,
    custom_divisor: libc::c_int,
    baud_base: libc::c_int,
    close_delay: libc::c_ushort,
    io_type: libc::c_char,
    reserved_char: [libc::c_char; 1],
    hub6: libc::c_int,
    closing_wait: libc::c_ushort,
    closing_wait2: libc::c_ushort,
    iomem_base: *mut libc::c_uchar,
    iomem_reg_shift: libc::c_ushort,
    port_high: libc::c_uint,
    iomap_base: libc::c_ulong,
}

fn serial_struct(descriptor: BorrowedFd<'_>) -> Result<SerialStruct, PortError> {
    // SAFETY: integers and a raw pointer; all zeroes are a valid value of it.
    let mut serial: SerialStruct = unsafe { core::mem::zeroed() };
    // SAFETY: TIOCGSERIAL writes one serial_struct, whose layout this is, to the pointer given.
    let failed = unsafe { libc::ioctl(descriptor.as_raw_fd(), libc::TIOCGSERIAL, &raw mut serial) } != 0;
    if failed {
        return Err(PortError::of("low-latency flag", io::Error::last_os_error()));
    }
    Ok(serial)
}

/// Whether the port hands each byte on at once (ASYNC_LOW_LATENCY).
///
/// # Errors
/// [`PortError::NotSupported`] for ptys and adapters without it.
pub fn low_latency(descriptor: impl AsFd) -> Result<bool, PortError> {
    Ok(serial_struct(descriptor.as_fd())?.flags & ASYNC_LOW_LATENCY != 0)
}

/// Makes the port hand each byte on at once, and checks that it took.
///
/// # Errors
/// [`PortError::NotSupported`] for ptys and adapters that ignore it, [`PortError::Denied`] without the right.
pub fn set_low_latency(descriptor: impl AsFd) -> Result<(), PortError> {
    const WHAT: &str = "low-latency flag";
    let mut serial = serial_struct(descriptor.as_fd())?;
    serial.flags |= ASYNC_LOW_LATENCY;
    // SAFETY: TIOCSSERIAL reads one serial_struct, as the kernel itself filled it but for the flag.
    let failed = unsafe { libc::ioctl(descriptor.as_fd().as_raw_fd(), libc::TIOCSSERIAL, &raw const serial) } != 0;
    if failed {
        return Err(PortError::of(WHAT, io::Error::last_os_error()));
    }
    if low_latency(descriptor)? {
        Ok(())
    } else {
        Err(PortError::NotSupported { what: WHAT })
    }
}

/// The file of the kernel that holds the latency timer of the FTDI adapter behind `path`, links followed.
fn latency_timer_file(path: &Path) -> Result<PathBuf, PortError> {
    const WHAT: &str = "FTDI latency timer";
    let device = fs::canonicalize(path).map_err(|error| PortError::of(WHAT, error))?;
    let name = device.file_name().unwrap_or_default();
    let file = Path::new("/sys/class/tty").join(name).join("device/latency_timer");
    if file.exists() {
        Ok(file)
    } else {
        Err(PortError::NotSupported { what: WHAT })
    }
}

/// The latency timer in milliseconds of the FTDI adapter at `path` (`/dev/ttyUSB0` or a link to it).
///
/// # Errors
/// [`PortError::NotSupported`] when `path` is no FTDI adapter.
pub fn ftdi_latency_ms(path: &Path) -> Result<u32, PortError> {
    const WHAT: &str = "FTDI latency timer";
    let text = fs::read_to_string(latency_timer_file(path)?).map_err(|error| PortError::of(WHAT, error))?;
    text.trim()
        .parse()
        .map_err(|error| PortError::of(WHAT, io::Error::other(error)))
}

/// Sets the latency timer of the FTDI adapter at `path`, in milliseconds.
///
/// # Errors
/// [`PortError::NotSupported`] when `path` is no FTDI adapter, [`PortError::Denied`] without the right.
pub fn set_ftdi_latency_ms(path: &Path, latency_ms: u32) -> Result<(), PortError> {
    let file = latency_timer_file(path)?;
    fs::write(file, latency_ms.to_string()).map_err(|error| PortError::of("FTDI latency timer", error))
}

/// Takes the port for this program alone, until the last duplicate of `descriptor` is closed: other programs can't open
/// it (TIOCEXCL), and root, whom that does not stop, finds it locked (flock) when it claims it too. Claim a port before
/// the first byte is read or written: what a second reader takes is lost to the first.
///
/// # Errors
/// [`PortError::Busy`] when another program has claimed it, [`PortError::NotSupported`] when it is no terminal.
pub fn claim(descriptor: impl AsFd) -> Result<(), PortError> {
    const WHAT: &str = "exclusive use";
    ioctl_tiocexcl(&descriptor).map_err(|error| PortError::of(WHAT, error))?;
    flock(&descriptor, FlockOperation::NonBlockingLockExclusive).map_err(|error| PortError::of(WHAT, error))
}

/// Bytes written that have not left the kernel's buffer.
///
/// # Errors
/// [`PortError::NotSupported`] when it is no terminal.
pub fn bytes_unsent(descriptor: impl AsFd) -> Result<usize, PortError> {
    let mut count: libc::c_int = 0;
    // SAFETY: TIOCOUTQ writes one int to the pointer given.
    let failed = unsafe { libc::ioctl(descriptor.as_fd().as_raw_fd(), libc::TIOCOUTQ, &raw mut count) } != 0;
    if failed {
        return Err(PortError::of("bytes unsent", io::Error::last_os_error()));
    }
    Ok(usize::try_from(count).unwrap_or(0))
}

/// Bytes received that wait to be read.
///
/// # Errors
/// [`PortError::NotSupported`] when it is no stream.
pub fn bytes_waiting(descriptor: impl AsFd) -> Result<usize, PortError> {
    let count = rustix::io::ioctl_fionread(descriptor).map_err(|error| PortError::of("bytes waiting", error))?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

/// A second descriptor of the same open port, for the hot thread: `port` (a tokio-serial `SerialStream`, a `TTYPort`)
/// may live on or be dropped. Flags such as non-blocking are shared.
///
/// # Errors
/// When `port` is not open or the process has no descriptor left.
pub fn duplicate(port: &impl AsRawFd) -> Result<OwnedFd, PortError> {
    let number = port.as_raw_fd();
    if number < 0 {
        return Err(PortError::of("duplicate", Errno::BADF));
    }
    // SAFETY: `number` is not -1, and the borrow lasts for this call only, while `port` lives. For a bare number that
    // names nothing the kernel answers EBADF.
    let descriptor = unsafe { BorrowedFd::borrow_raw(number) };
    descriptor
        .try_clone_to_owned()
        .map_err(|error| PortError::of("duplicate", error))
}

/// A setting of a terminal that changes, holds back or answers bytes, and so has no place on a field bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RawFault {
    /// Input is gathered into lines (ICANON).
    Lines,
    /// Input is echoed (ECHO).
    Echo,
    /// Bytes act as signals or editing keys (ISIG, IEXTEN).
    Signals,
    /// Input bytes are mapped or stripped (ICRNL, INLCR, IGNCR, ISTRIP, PARMRK, BRKINT).
    InputMapping,
    /// XON and XOFF stop the flow (IXON, IXOFF).
    SoftwareFlow,
    /// Output bytes are mapped (OPOST).
    OutputMapping,
    /// Not 8 bits without parity (CS8, PARENB).
    Framing,
    /// A read waits for more than one byte or for a time (VMIN, VTIME).
    ReadDelay,
}

fn raw_faults_of(termios: &Termios) -> Vec<RawFault> {
    let input = termios.input_modes;
    let mapping = InputModes::ICRNL
        | InputModes::INLCR
        | InputModes::IGNCR
        | InputModes::ISTRIP
        | InputModes::PARMRK
        | InputModes::BRKINT;
    let size = termios.control_modes & ControlModes::CSIZE;
    let local = termios.local_modes;
    let codes = &termios.special_codes;
    let delay = codes[SpecialCodeIndex::VMIN] > 1 || codes[SpecialCodeIndex::VTIME] != 0;
    let faults = [
        (local.contains(LocalModes::ICANON), RawFault::Lines),
        (local.contains(LocalModes::ECHO), RawFault::Echo),
        (
            local.intersects(LocalModes::ISIG | LocalModes::IEXTEN),
            RawFault::Signals,
        ),
        (input.intersects(mapping), RawFault::InputMapping),
        (
            input.intersects(InputModes::IXON | InputModes::IXOFF),
            RawFault::SoftwareFlow,
        ),
        (
            termios.output_modes.contains(OutputModes::OPOST),
            RawFault::OutputMapping,
        ),
        (
            size != ControlModes::CS8 || termios.control_modes.contains(ControlModes::PARENB),
            RawFault::Framing,
        ),
        // In canonical mode these two codes mean something else.
        (!local.contains(LocalModes::ICANON) && delay, RawFault::ReadDelay),
    ];
    faults
        .into_iter()
        .filter_map(|(is, fault)| is.then_some(fault))
        .collect()
}

/// Everything in the port's settings that would change, hold back or answer bytes; empty for a raw port.
///
/// # Errors
/// [`PortError::NotSupported`] when it is no terminal.
pub fn raw_faults(descriptor: impl AsFd) -> Result<Vec<RawFault>, PortError> {
    let termios = tcgetattr(descriptor).map_err(|error| PortError::of("terminal settings", error))?;
    Ok(raw_faults_of(&termios))
}

/// Makes a terminal pass bytes as they are, and checks that it took. The speed is left alone.
///
/// # Errors
/// [`PortError::NotSupported`] when it is no terminal or keeps a setting that changes bytes.
pub fn make_raw(descriptor: impl AsFd) -> Result<(), PortError> {
    const WHAT: &str = "raw mode";
    let mut termios = tcgetattr(&descriptor).map_err(|error| PortError::of(WHAT, error))?;
    termios.make_raw();
    termios.input_modes -= InputModes::IXOFF;
    termios.special_codes[SpecialCodeIndex::VMIN] = 1;
    termios.special_codes[SpecialCodeIndex::VTIME] = 0;
    tcsetattr(&descriptor, OptionalActions::Now, &termios).map_err(|error| PortError::of(WHAT, error))?;
    if raw_faults(&descriptor)?.is_empty() {
        Ok(())
    } else {
        Err(PortError::NotSupported { what: WHAT })
    }
}

/// A pseudo-terminal: what is written to one end is read at the other.
#[derive(Debug)]
pub struct Pty {
    /// The board's end (the master).
    pub board: OwnedFd,
    /// The host's end (the slave), open from the start: while anybody holds it open the board's end stays usable and the
    /// raw mode stays set, whoever opens and closes `path` in between.
    pub host: OwnedFd,
    /// The device path that a program opens in the host's place.
    pub path: PathBuf,
}

/// Opens a pseudo-terminal in raw mode, both ends blocking.
///
/// # Errors
/// When the system has no pty left or /dev/pts is not mounted.
pub fn open_pty() -> Result<Pty, PortError> {
    let failed = |error: Errno| PortError::of("pseudo-terminal", error);
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let board = openpt(flags).map_err(failed)?;
    grantpt(&board).map_err(failed)?;
    unlockpt(&board).map_err(failed)?;
    let name = ptsname(&board, Vec::new()).map_err(failed)?;
    let path = PathBuf::from(std::ffi::OsStr::from_bytes(name.as_bytes()));
    let host = open(&path)?;
    make_raw(&host)?;
    Ok(Pty { board, host, path })
}

/// Opens a terminal for reading and writing, blocking, without making it the process's own terminal. Settings are left
/// alone: [`make_raw`] follows.
///
/// # Errors
/// When it is missing, busy or not permitted.
pub fn open(path: &Path) -> Result<OwnedFd, PortError> {
    use rustix::fs::{Mode, OFlags};
    // Non-blocking while it opens, or a port without carrier would hold the call.
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let failed = |error: Errno| PortError::of("port", error);
    let descriptor = rustix::fs::open(path, flags, Mode::empty()).map_err(failed)?;
    let flags = rustix::fs::fcntl_getfl(&descriptor).map_err(failed)?;
    rustix::fs::fcntl_setfl(&descriptor, flags - OFlags::NONBLOCK).map_err(failed)?;
    Ok(descriptor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pty_is_raw_counts_its_bytes_and_has_no_uart() {
        let pty = open_pty().expect("a pty");
        assert_eq!(raw_faults(&pty.host).expect("a terminal"), []);
        assert!(matches!(low_latency(&pty.host), Err(PortError::NotSupported { .. })));
        assert!(matches!(
            set_low_latency(&pty.host),
            Err(PortError::NotSupported { .. })
        ));
        assert!(matches!(
            ftdi_latency_ms(&pty.path),
            Err(PortError::NotSupported { .. })
        ));
        claim(&pty.host).expect("a pty can be claimed");
        assert_eq!(bytes_waiting(&pty.host).expect("a terminal"), 0);
        rustix::io::write(&pty.board, b"12345").expect("room");
        rustix::io::read(&pty.host, &mut [0; 1]).expect("bytes");
        assert_eq!(bytes_waiting(&pty.host).expect("a terminal"), 4);
        assert_eq!(bytes_unsent(&pty.host).expect("a terminal"), 0);
    }

    #[test]
    fn a_claimed_port_is_busy_for_whoever_claims_it_too() {
        let pty = open_pty().expect("a pty");
        // Root may open it all the same, anybody else is told here already.
        let other = open(&pty.path).expect("not claimed yet");
        claim(&pty.host).expect("free");
        let twin = duplicate(&pty.host).expect("open");
        claim(&twin).expect("a duplicate is the same program's");
        assert!(matches!(claim(&other), Err(PortError::Busy { .. })));
        drop((pty.host, twin));
        claim(&other).expect("free again");
    }

    #[test]
    fn settings_that_touch_bytes_are_found_and_removed() {
        let pty = open_pty().expect("a pty");
        let mut termios = tcgetattr(&pty.host).expect("a terminal");
        termios.local_modes |= LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG;
        termios.input_modes |= InputModes::ICRNL | InputModes::IXON;
        termios.output_modes |= OutputModes::OPOST;
        tcsetattr(&pty.host, OptionalActions::Now, &termios).expect("settings");
        let faults = raw_faults(&pty.host).expect("a terminal");
        use RawFault::{Echo, InputMapping, Lines, OutputMapping, Signals, SoftwareFlow};
        assert_eq!(
            faults,
            [Lines, Echo, Signals, InputMapping, SoftwareFlow, OutputMapping]
        );
        make_raw(&pty.host).expect("a terminal");
        assert_eq!(raw_faults(&pty.host).expect("a terminal"), []);
    }

    #[test]
    fn raw_mode_outlives_a_program_that_opened_and_closed_the_path() {
        let pty = open_pty().expect("a pty");
        drop(open(&pty.path).expect("the path opens"));
        assert_eq!(
            raw_faults(open(&pty.path).expect("the path opens")).expect("a terminal"),
            []
        );
    }

    #[test]
    fn what_is_no_terminal_or_not_there_is_told_apart() {
        let file = fs::File::open("/proc/self/stat").expect("readable");
        assert!(matches!(claim(&file), Err(PortError::NotSupported { .. })));
        assert!(matches!(raw_faults(&file), Err(PortError::NotSupported { .. })));
        assert!(matches!(
            ftdi_latency_ms(Path::new("/dev/no-such-port")),
            Err(PortError::Failed { .. })
        ));
        assert!(matches!(duplicate(&-1), Err(PortError::Failed { .. })));
    }
}
