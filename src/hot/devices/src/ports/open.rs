//! Opening a serial port for a link: raw, 8N1, exclusive, non-blocking, with as little latency as it can do.
//!
//! Cold side.

use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use rustix::termios::{QueueSelector, tcflush};
use tokio_serial::{DataBits, FlowControl, Parity, StopBits};

/// Why a port can't be opened, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PortError {
    /// There is no such device.
    #[error("port {} does not exist: plug the board in, or correct the path", .path.display())]
    Missing {
        /// The path asked for.
        path: PathBuf,
    },
    /// The user may not open it.
    #[error(
        "port {} may not be opened: put the user into its group (`sudo usermod -aG {group} $USER`) and log in again",
        .path.display()
    )]
    Denied {
        /// The path asked for.
        path: PathBuf,
        /// The group that may.
        group: String,
    },
    /// Another program has it.
    #[error("port {} is in use: `fuser -v {}` shows the program, end it", .path.display(), .path.display())]
    Busy {
        /// The path asked for.
        path: PathBuf,
    },
    /// It is no serial port.
    #[error("{} is no serial port: correct the path", .path.display())]
    NotSerial {
        /// The path asked for.
        path: PathBuf,
    },
    /// Anything else; the system's words follow.
    #[error("port {} can't be opened at {baud} baud: {why}; unplug it and plug it in again, or try another baud", .path.display())]
    Failed {
        /// The path asked for.
        path: PathBuf,
        /// The speed asked for.
        baud: u32,
        /// The system's reason.
        why: String,
    },
}

/// What makes a port later than it need be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortWarning {
    /// The FTDI adapter holds bytes back for so long.
    LatencyTimer {
        /// The port.
        path: PathBuf,
        /// Its latency timer, in milliseconds.
        ms: u32,
    },
    /// The low-latency flag could not be set, for this reason.
    LowLatency {
        /// The port.
        path: PathBuf,
        /// The system's reason.
        why: String,
    },
}

impl fmt::Display for PortWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LatencyTimer { path, ms } => write!(
                f,
                "the adapter of {} holds bytes back for up to {ms} ms ({ms} mm of belt at 1 m/s): write 1 to its \
                 latency_timer in /sys as root, or by a udev rule",
                path.display()
            ),
            Self::LowLatency { path, why } => {
                write!(f, "{} hands bytes on in batches: {why}", path.display())
            }
        }
    }
}

/// An open port.
#[derive(Debug)]
pub struct OpenPort {
    descriptor: OwnedFd,
    path: PathBuf,
    device: PathBuf,
    warnings: Vec<PortWarning>,
}

impl OpenPort {
    /// The path that it was opened by.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The device behind the path, links followed: two paths to one device have the same.
    #[must_use]
    pub fn device(&self) -> &Path {
        &self.device
    }

    /// What makes it later than it need be.
    #[must_use]
    pub fn warnings(&self) -> &[PortWarning] {
        &self.warnings
    }

    /// The non-blocking descriptor, for the hot loop.
    #[must_use]
    pub fn into_descriptor(self) -> OwnedFd {
        self.descriptor
    }
}

impl AsFd for OpenPort {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

/// Opens a port with `baud`, 8 data bits, no parity, 1 stop bit, no flow control, for this program alone.
///
/// # Errors
/// See [`PortError`].
pub fn open(path: &Path, baud: u32) -> Result<OpenPort, PortError> {
    let failed = |why: String| PortError::Failed {
        path: path.to_owned(),
        baud,
        why,
    };
    let device = std::fs::canonicalize(path).map_err(|_| PortError::Missing { path: path.to_owned() })?;
    let port = tokio_serial::new(path.to_string_lossy(), baud)
        .data_bits(DataBits::Eight)
        .parity(Parity::None)
        .stop_bits(StopBits::One)
        .flow_control(FlowControl::None)
        .open_native()
        .map_err(|error| explain(path, baud, error.to_string()))?;
    // The duplicate keeps lock and exclusive mode when the port's own descriptor closes.
    let descriptor = rt::port::duplicate(&port).map_err(|error| failed(error.to_string()))?;
    rt::poll::set_nonblocking(&descriptor).map_err(|error| failed(error.to_string()))?;
    // What has come before nobody has asked for.
    tcflush(&descriptor, QueueSelector::IFlush).map_err(|error| failed(error.to_string()))?;
    let warnings = hurry(&descriptor, path);
    Ok(OpenPort {
        descriptor,
        path: path.to_owned(),
        device,
        warnings,
    })
}

/// Closes a port that is lost, without waiting for bytes that nobody will take. May still block for a while.
pub(crate) fn close(descriptor: OwnedFd) {
    // A device that is gone has nothing to flush or to unlock; closing is all that is left then.
    let _ = tcflush(&descriptor, QueueSelector::IOFlush);
    let _ = flock(&descriptor, FlockOperation::Unlock);
    drop(descriptor);
}

/// Sets what makes the port quicker, and says what could not be set. A port that has no such thing is as it should be.
fn hurry(descriptor: &OwnedFd, path: &Path) -> Vec<PortWarning> {
    let mut warnings = Vec::new();
    match rt::port::set_low_latency(descriptor) {
        Ok(()) | Err(rt::port::PortError::NotSupported { .. }) => {}
        Err(error) => warnings.push(PortWarning::LowLatency {
            path: path.to_owned(),
            why: error.to_string(),
        }),
    }
    if let Ok(ms) = rt::port::ftdi_latency_ms(path)
        && ms > rt::port::BEST_FTDI_LATENCY_MS
        && rt::port::set_ftdi_latency_ms(path, rt::port::BEST_FTDI_LATENCY_MS).is_err()
    {
        warnings.push(PortWarning::LatencyTimer {
            path: path.to_owned(),
            ms,
        });
    }
    warnings
}

/// Finds out why a port did not open: the library's error does not tell the cases apart.
fn explain(path: &Path, baud: u32, why: String) -> PortError {
    let path = path.to_owned();
    match rt::port::open(&path) {
        Err(rt::port::PortError::Denied { .. }) => PortError::Denied {
            group: group_of(&path),
            path,
        },
        Err(rt::port::PortError::Busy { .. }) => PortError::Busy { path },
        Err(rt::port::PortError::NotSupported { .. }) => PortError::NotSerial { path },
        Err(rt::port::PortError::Failed { source, .. }) => match source.kind() {
            std::io::ErrorKind::NotFound => PortError::Missing { path },
            _ => PortError::Failed {
                path,
                baud,
                why: source.to_string(),
            },
        },
        Ok(descriptor) => {
            if flock(&descriptor, FlockOperation::NonBlockingLockShared) == Err(Errno::WOULDBLOCK) {
                PortError::Busy { path }
            } else if matches!(
                rt::port::raw_faults(&descriptor),
                Err(rt::port::PortError::NotSupported { .. })
            ) {
                PortError::NotSerial { path }
            } else {
                PortError::Failed { path, baud, why }
            }
        }
    }
}

/// Name of the group that owns a device; `dialout` when it can't be told.
fn group_of(path: &Path) -> String {
    let gid = std::fs::metadata(path).map(|metadata| metadata.gid().to_string());
    let groups = std::fs::read_to_string("/etc/group").unwrap_or_default();
    let name = gid.ok().and_then(|gid| {
        let mut lines = groups.lines().map(|line| line.split(':').collect::<Vec<_>>());
        lines
            .find(|fields| fields.get(2) == Some(&gid.as_str()))
            .map(|fields| fields[0].to_owned())
    });
    name.filter(|name| name != "root")
        .unwrap_or_else(|| "dialout".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_names_the_port_and_what_to_do() {
        let path = PathBuf::from("/dev/ttyUSB7");
        for (error, remedy) in [
            (PortError::Missing { path: path.clone() }, "plug the board in"),
            (
                PortError::Denied {
                    path: path.clone(),
                    group: "dialout".into(),
                },
                "usermod -aG dialout",
            ),
            (PortError::Busy { path: path.clone() }, "fuser -v /dev/ttyUSB7"),
            (PortError::NotSerial { path: path.clone() }, "correct the path"),
            (
                PortError::Failed {
                    path,
                    baud: 9,
                    why: "no luck".into(),
                },
                "no luck",
            ),
        ] {
            let text = error.to_string();
            assert!(text.contains("/dev/ttyUSB7") && text.contains(remedy), "{text}");
        }
    }

    #[test]
    fn ports_that_are_missing_or_no_ports_are_told_apart() {
        let missing = open(Path::new("/dev/no-such-port"), 115_200);
        assert!(matches!(missing, Err(PortError::Missing { .. })), "{missing:?}");
        let null = open(Path::new("/dev/null"), 115_200);
        assert!(matches!(null, Err(PortError::NotSerial { .. })), "{null:?}");
    }

    #[test]
    fn a_port_is_opened_raw_and_for_one_only() {
        let pty = rt::port::open_pty().expect("a pty");
        let first = open(&pty.path, 1_000_000).expect("it opens");
        assert_eq!(rt::port::raw_faults(&first).expect("a terminal"), []);
        assert_eq!(first.warnings(), [], "a pty can't be hurried");
        assert_eq!(rt::poll::read(&first, &mut [0; 8]), rt::poll::Transfer::WouldBlock);
        let second = open(&pty.path, 1_000_000);
        assert!(matches!(second, Err(PortError::Busy { .. })), "{second:?}");
        close(first.into_descriptor());
        assert!(open(&pty.path, 1_000_000).is_ok());
    }

    #[test]
    fn the_group_of_a_device_is_named() {
        assert_eq!(group_of(Path::new("/dev/null")), "dialout", "root's group is no advice");
    }
}
