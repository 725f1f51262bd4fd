//! Contenders that are programs of their own: started with the pty's path, as they would be on a real line.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use rt::port::open_pty;

use crate::{
    contender::{Conditions, Contender, FarEnd, Trouble},
    far_end::{LineFarEnd, Running},
};

/// A program that ends with its pty, or is ended.
struct Program(Child);

impl Running for Program {
    fn end(&mut self) {
        // It may have ended with its port already; either way it is waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start_program(command: &mut Command, what: &'static str) -> Result<Box<dyn FarEnd>, Trouble> {
    let pty = open_pty()?;
    let child = command
        .arg(&pty.path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let child = child.map_err(|source| Trouble::Failed { what, source })?;
    Ok(Box::new(LineFarEnd::new(pty, Box::new(Program(child)))?))
}

/// The plain tokio sorter, `peer-tokio`, built beside the driver.
pub struct TokioPeer;

impl Contender for TokioPeer {
    fn name(&self) -> &str {
        "plain tokio"
    }

    fn what(&self) -> &str {
        "tokio, tokio-serial, BufReader lines, mpsc from reader to sorter to writer; no priority"
    }

    fn start(&self, _: &Conditions) -> Result<Box<dyn FarEnd>, Trouble> {
        let driver = std::env::current_exe().map_err(|source| Trouble::Failed {
            what: "own path",
            source,
        })?;
        // Next to the driver; a test or bench stands one folder deeper.
        let peer = driver
            .ancestors()
            .skip(1)
            .take(2)
            .map(|folder| folder.join("peer-tokio"))
            .find(|path| path.exists());
        let peer = peer.ok_or_else(|| Trouble::Missing("build it: cargo build --release -p benches --bins".into()))?;
        start_program(&mut Command::new(peer), "plain tokio")
    }
}

/// A Python program on pyserial.
pub struct PythonPeer {
    /// Its name in the report.
    pub name: &'static str,
    /// What it is.
    pub what: &'static str,
    /// The interpreter.
    pub python: PathBuf,
    /// The program.
    pub script: PathBuf,
}

/// Whether `python` has pyserial.
fn has_pyserial(python: &Path) -> bool {
    let mut command = Command::new(python);
    command
        .args(["-c", "import serial"])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

impl Contender for PythonPeer {
    fn name(&self) -> &str {
        self.name
    }

    fn what(&self) -> &str {
        self.what
    }

    fn start(&self, _: &Conditions) -> Result<Box<dyn FarEnd>, Trouble> {
        if !has_pyserial(&self.python) {
            let advice = format!("{} has no pyserial (apt install python3-serial)", self.python.display());
            return Err(Trouble::Missing(advice));
        }
        start_program(Command::new(&self.python).arg(&self.script), "pyserial")
    }
}
