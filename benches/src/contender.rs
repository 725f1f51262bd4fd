//! What competes, seen by the driver: something that is started and then answers pearls at the far end of a pty.
//!
//! A new contender (a sorter that speaks the field bus, say) implements [`Contender`] to start itself and [`FarEnd`] to
//! speak its language; driver and report know nothing else of it.

use std::path::PathBuf;

use crate::belt::Belt;

/// Under which a contender runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conditions {
    /// Whether `/dev/cpu_dma_latency` is held at 0. The driver holds it; a contender that would hold it by itself must not
    /// when this is false.
    pub hold_cpu_latency: bool,
    /// The belt in front of contenders that know of one.
    pub belt: Belt,
}

/// Why a contender does not run, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// It is not installed here: left out of the report, with the reason.
    #[error("not measured: {0}")]
    Missing(String),
    /// A pty could not be had.
    #[error(transparent)]
    Port(#[from] rt::port::PortError),
    /// It could not be started, or its thread or program failed.
    #[error("{what}: {source}")]
    Failed {
        /// What failed.
        what: &'static str,
        /// The system's reason.
        source: std::io::Error,
    },
    /// It closed its end.
    #[error("the contender closed its port")]
    Closed,
    /// It stopped answering.
    #[error("no order for {waited_us} us, {outstanding} pearls outstanding")]
    Silent {
        /// How long.
        waited_us: u64,
        /// Pearls that were not answered.
        outstanding: u32,
    },
    /// It answered, but not all was as it should be: its figure does not count.
    #[error("unsound: {0}")]
    Unsound(String),
}

/// A figure, and what there is to note beside it.
#[derive(Clone, Debug)]
pub struct Measured<T> {
    /// The figure.
    pub figure: T,
    /// See [`FarEnd::finish`].
    pub note: Option<String>,
}

/// Something that sorts.
pub trait Contender {
    /// Its name in the report.
    fn name(&self) -> &str;

    /// What it is, in a few words, for the report.
    fn what(&self) -> &str;

    /// Starts it. Dropping the far end ends it.
    ///
    /// # Errors
    /// [`Trouble::Missing`] when it is not to be had on this computer.
    fn start(&self, conditions: &Conditions) -> Result<Box<dyn FarEnd>, Trouble>;
}

/// The world at the other end of a contender's links: what sends triggers and measurements and receives orders.
/// It is moved to a real-time thread, and must not allocate per pearl where that costs.
pub trait FarEnd: Send {
    /// Waits at most `timeout_us` until the contender takes pearls: a program has to start and open its port. Called once,
    /// before anything else; leaves nothing under way.
    ///
    /// # Errors
    /// [`Trouble::Silent`] when it does not answer, [`Trouble::Closed`] when it is gone.
    fn await_ready(&mut self, timeout_us: u64) -> Result<(), Trouble>;

    /// Puts the trigger of `pearl` into the next [`flush`](Self::flush). Pearls are numbered from 0 without gaps.
    fn trigger(&mut self, pearl: u32);

    /// Puts the measurement of `pearl`, the last figure that its order waits for, into the next flush.
    fn measurement(&mut self, pearl: u32);

    /// Sends what was put; what the link has no room for follows with the next call of this or of `receive`.
    ///
    /// # Errors
    /// [`Trouble::Closed`] when the contender is gone.
    fn flush(&mut self) -> Result<(), Trouble>;

    /// Waits at most `timeout_us` for orders and calls `each` with the pearl of every one that came. A contender whose
    /// protocol wants acknowledgements gets them from here.
    ///
    /// # Errors
    /// [`Trouble::Closed`] when the contender is gone.
    fn receive(&mut self, timeout_us: u64, each: &mut dyn FnMut(u32)) -> Result<(), Trouble>;

    /// When bytes last passed the pty's far end. What the far end itself needs to make and to understand them, a line or
    /// a frame of the bus, lies outside these times.
    fn stamps(&self) -> Stamps;

    /// After the measurement: lets what is under way come to its end, and says whether every pearl was sorted rightly,
    /// where the contender's language lets that be seen. Gives what there is to note beside the figure.
    ///
    /// # Errors
    /// [`Trouble::Unsound`] when not.
    fn finish(&mut self) -> Result<Option<String>, Trouble>;
}

/// Times on the computer's clock, in nanoseconds, of the latest transfers at the pty's far end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamps {
    /// Right before the write.
    pub written_ns: u64,
    /// Right after the read that brought something.
    pub read_ns: u64,
}

/// All contenders that come with this package, in the order of the report.
#[must_use]
pub fn all(python: &str) -> Vec<Box<dyn Contender>> {
    let peers = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("peers");
    vec![
        Box::new(crate::floor::Floor),
        Box::new(crate::hot_shapes::OneThread),
        Box::new(crate::hot_shapes::ThreeThreads),
        Box::new(crate::bus_shape::BusThread),
        Box::new(crate::ours::Pearlsort),
        Box::new(crate::program::TokioPeer),
        Box::new(crate::program::PythonPeer {
            name: "pyserial, select loop",
            what: "Python, pyserial, select and read of what is there",
            python: python.into(),
            script: peers.join("pyserial_select.py"),
        }),
        Box::new(crate::program::PythonPeer {
            name: "pyserial, readline and queue",
            what: "Python, pyserial, readline in a thread, queue.Queue to the sorter",
            python: python.into(),
            script: peers.join("pyserial_readline.py"),
        }),
    ]
}
