//! The eye beside OpenCV: the same crops, on the same core, round by round in turn.
//!
//! A **crop** is one view of one pearl. Each round takes every pearl's three crops twice: **fetched** is the first time,
//! with the pixels coming from memory as they do when other pearls' were looked at since, **cached** is the second. The
//! peer is `peers/opencv_crops.py`. Diameters are held against the truth; the peer's are in pixels and get the scale of
//! the station and the constant that makes their median error nothing, which is more than an integrator would know.

use std::{
    collections::HashMap,
    io::{self, BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Instant,
};

use inspect::{FolderError, Frame, Row, Truth, TruthError};
use serde::{Deserialize, Serialize};
use vision::{Calibration, Eye, Limits, ViewName};

use crate::report::median;

/// One contender's figures.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Figures {
    /// Crops a second with pixels fetched from memory, one figure a round.
    pub fetched_per_s: Vec<f64>,
    /// The same with pixels in the cache.
    pub cached_per_s: Vec<f64>,
    /// Error of the largest diameter, 95th percentile over pearls that are not baroque, um.
    pub dmax_p95_um: f64,
    /// The same of the smallest diameter.
    pub dmin_p95_um: f64,
}

/// What was measured.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Crops {
    /// Crops in the folder.
    pub crops: usize,
    /// The core both ran on, or why they ran on any.
    pub core: String,
    /// The peer's version.
    pub opencv: String,
    /// The eye.
    pub ours: Figures,
    /// The peer.
    pub peer: Figures,
}

impl Figures {
    /// Medians over the rounds: fetched, cached.
    #[must_use]
    pub fn medians(&self) -> [f64; 2] {
        [&self.fetched_per_s, &self.cached_per_s].map(|rounds| median(rounds.iter().copied()).unwrap_or(0.0))
    }
}

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum CropsError {
    /// The folder of pearls.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// Its truth.
    #[error(transparent)]
    Truth(#[from] TruthError),
    /// A view that is no picture.
    #[error("{}: no picture that can be read", .0.display())]
    View(PathBuf),
    /// A crop that the eye refuses.
    #[error("the eye refuses pearl {0}: {1:?}")]
    Refused(String, vision::Refusal),
    /// The peer's program.
    #[error("the OpenCV peer: {0}; benches/vision.sh installs what it needs")]
    Peer(#[from] io::Error),
    /// What the peer said instead of figures.
    #[error("the OpenCV peer said `{0}`")]
    Answer(String),
}

/// Measures both over `folder`, which holds `truth.csv`, `rounds` times in turn, on `core`.
///
/// # Errors
///
/// When the folder or the peer is not there, or a crop can't be measured.
pub fn measure(folder: &Path, python: &str, rounds: u32, core: usize) -> Result<Crops, CropsError> {
    // The peer is started from the bound thread, and so bound to the same core.
    let core = match rt::thread::bind_to_core(core).err() {
        None => format!("core {core}"),
        Some(refused) => format!("any core: {refused}"),
    };
    let truths = inspect::read_truth(&folder.join("truth.csv"))?;
    let mut eye = Contender::read(folder)?;
    let (mut peer, opencv, crops) = Peer::start(python, folder)?;
    let mut out = Crops {
        crops,
        core,
        opencv,
        ..Crops::default()
    };
    for _ in 0..rounds {
        for (figures, [fetched, cached]) in [(&mut out.ours, eye.round()), (&mut out.peer, peer.round()?)] {
            figures.fetched_per_s.push(crops as f64 / fetched);
            figures.cached_per_s.push(crops as f64 / cached);
        }
    }
    let diameters = eye.diameters_um()?;
    [out.ours.dmax_p95_um, out.ours.dmin_p95_um] = errors(&diameters, &truths, false);
    let um_per_px = 1000.0 / Calibration::nominal().cameras[0].px_per_mm;
    let mut diameters = peer.diameters_px()?;
    for pearl in &mut diameters {
        pearl.1 = pearl.1.map(|px| px * um_per_px);
    }
    [out.peer.dmax_p95_um, out.peer.dmin_p95_um] = errors(&diameters, &truths, true);
    Ok(out)
}

/// Largest and smallest diameter by pearl.
type Diameters = Vec<(String, [f64; 2])>;

/// 95th percentile of the errors of largest and smallest diameter; `shifted` takes the median error off before.
fn errors(diameters: &Diameters, truths: &HashMap<String, Truth>, shifted: bool) -> [f64; 2] {
    [0, 1].map(|k| {
        let of = |truth: &Truth| 1000.0 * if k == 0 { truth.dmax_mm } else { truth.dmin_mm };
        let known = diameters
            .iter()
            .filter_map(|(id, seen)| Some((seen[k], truths.get(id)?)));
        let mut errors: Vec<f64> = known
            .filter(|(_, truth)| truth.kind != "baroque")
            .map(|(seen, truth)| seen - of(truth))
            .collect();
        let shift = median(errors.iter().copied()).filter(|_| shifted).unwrap_or(0.0);
        for error in &mut errors {
            *error = (*error - shift).abs();
        }
        errors.sort_by(f64::total_cmp);
        errors.get(errors.len() * 95 / 100).copied().unwrap_or(f64::NAN)
    })
}

/// The eye with every crop in memory.
struct Contender {
    eye: Eye,
    pearls: Vec<(String, [Frame; 3])>,
}

impl Contender {
    fn read(folder: &Path) -> Result<Self, CropsError> {
        let mut pearls = Vec::new();
        for id in inspect::pearls(folder)? {
            let read = |view| {
                let file = inspect::file(folder, &id, view);
                Frame::read(&file).map_err(|_| CropsError::View(file))
            };
            let [top, left, right] = ViewName::ALL.map(read);
            let frames = [top?, left?, right?];
            pearls.push((id, frames));
        }
        Ok(Self {
            eye: Eye::new(&Calibration::nominal(), Limits::default()),
            pearls,
        })
    }

    /// Seconds of all crops, fetched and cached.
    fn round(&mut self) -> [f64; 2] {
        let mut seconds = [0.0; 2];
        for (_, frames) in &self.pearls {
            for seconds in &mut seconds {
                let start = Instant::now();
                let views = [0, 1, 2].map(|k| frames[k].view());
                std::hint::black_box(self.eye.measure(&views)).ok();
                *seconds += start.elapsed().as_secs_f64();
            }
        }
        seconds
    }

    fn diameters_um(&mut self) -> Result<Diameters, CropsError> {
        let mut all = Vec::new();
        for (id, [top, left, right]) in &self.pearls {
            match Row::of(id.clone(), [top, left, right], &mut self.eye).result {
                Ok((m, _)) => all.push((id.clone(), [f64::from(m.d_max.0), f64::from(m.d_min.0)])),
                Err(refusal) => return Err(CropsError::Refused(id.clone(), refusal)),
            }
        }
        Ok(all)
    }
}

/// The peer's process.
struct Peer {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    /// Starts it; says its version and its number of crops.
    fn start(python: &str, folder: &Path) -> Result<(Self, String, usize), CropsError> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/opencv_crops.py");
        let mut child = Command::new(python)
            .arg(script)
            .arg(folder)
            // One thread, also in the libraries below.
            .env("OMP_NUM_THREADS", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (Some(orders), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(CropsError::Answer("no pipes".to_owned()));
        };
        let mut peer = Self {
            child,
            orders,
            answers: BufReader::new(answers),
        };
        let greeting = peer.line()?;
        let parts: Option<(&str, &str)> = greeting.split_once(' ');
        match parts.and_then(|(version, crops)| Some((version.to_owned(), crops.parse().ok()?))) {
            Some((version, crops)) => Ok((peer, version, crops)),
            None => Err(CropsError::Answer(greeting)),
        }
    }

    fn line(&mut self) -> Result<String, CropsError> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }

    fn ask(&mut self, order: &str) -> Result<(), CropsError> {
        writeln!(self.orders, "{order}")?;
        Ok(self.orders.flush()?)
    }

    fn round(&mut self) -> Result<[f64; 2], CropsError> {
        self.ask("round")?;
        let line = self.line()?;
        let mut seconds = line.split(' ').map(str::parse);
        match (seconds.next(), seconds.next()) {
            (Some(Ok(fetched)), Some(Ok(cached))) => Ok([fetched, cached]),
            _ => Err(CropsError::Answer(line)),
        }
    }

    fn diameters_px(&mut self) -> Result<Diameters, CropsError> {
        self.ask("figures")?;
        let mut all = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(all);
            }
            let mut fields = line.split(' ');
            let id = fields.next().unwrap_or_default().to_owned();
            match (fields.next().map(str::parse), fields.next().map(str::parse)) {
                (Some(Ok(most)), Some(Ok(least))) => all.push((id, [most, least])),
                _ => return Err(CropsError::Answer(line)),
            }
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended by itself: then there is nothing to end.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_error_is_the_peers_to_lose_and_not_ours() {
        let truth = |dmax_mm: f64| Truth {
            kind: "round".to_owned(),
            dmax_mm,
            dmin_mm: dmax_mm - 0.1,
            ddp_pct: 1.0,
            volume_mm3: 100.0,
            colour: "white".to_owned(),
            alpha: 0.1,
            blemish_area: 0.0,
        };
        let truths: HashMap<_, _> = (0..10)
            .map(|k| (k.to_string(), truth(7.0 + 0.1 * f64::from(k))))
            .collect();
        let seen: Diameters = truths
            .iter()
            .map(|(id, t)| (id.clone(), [t.dmax_mm * 1000.0 + 40.0, t.dmin_mm * 1000.0]))
            .collect();
        let [dmax, dmin] = errors(&seen, &truths, false);
        assert!((dmax - 40.0).abs() < 1e-6 && dmin < 1e-6);
        assert!(errors(&seen, &truths, true).iter().all(|error| *error < 1e-6));
    }
}
