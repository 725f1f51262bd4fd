//! Pseudo-terminals for tests: the scale's end is a script, the other end a path that the crate opens.

#![allow(dead_code, reason = "each test program uses its part")]

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use scales::{Protocol, Setup};

/// A pseudo-terminal in raw mode.
pub(crate) struct Pty {
    pub(crate) master: File,
    pub(crate) path: PathBuf,
    /// Held open so that the master is never hung up on before the crate opens the path.
    _slave: File,
}

impl Pty {
    pub(crate) fn open() -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let path = PathBuf::from(ptsname(&master, Vec::new()).unwrap().into_string().unwrap());
        let slave = open(&path, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        let mut termios = tcgetattr(&slave).unwrap();
        termios.make_raw();
        tcsetattr(&slave, OptionalActions::Now, &termios).unwrap();
        Self {
            master: File::from(master),
            path,
            _slave: File::from(slave),
        }
    }
}

/// A scale that plays its script: hears each request in full, then says its answer.
pub(crate) fn scripted(mut master: File, script: Vec<(&'static [u8], &'static [u8])>) -> JoinHandle<File> {
    std::thread::spawn(move || {
        for (request, answer) in script {
            let mut heard = vec![0; request.len()];
            master.read_exact(&mut heard).unwrap();
            assert_eq!(heard.escape_ascii().to_string(), request.escape_ascii().to_string());
            master.write_all(answer).unwrap();
        }
        master
    })
}

/// A shipped file, with a shorter wait.
pub(crate) fn shipped(name: &str, timeout_ms: u64) -> Setup {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(3)
        .unwrap()
        .to_owned();
    let mut setup = Setup::load(&root.join("config/scales").join(name)).unwrap();
    setup.timeout_ms = timeout_ms;
    setup
}

/// The mapping of a Modbus file.
pub(crate) fn mapping(setup: &mut Setup) -> &mut scales::registers::RegistersSetup {
    match &mut setup.protocol {
        Protocol::ModbusRtu(mapping) => mapping,
        other => panic!("{other:?} is no mapping"),
    }
}
