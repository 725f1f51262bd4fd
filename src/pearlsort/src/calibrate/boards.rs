//! The real boards: a hot thread that owns the links, and a cold one that keeps their ports. Cold.

use std::io;
use std::thread::JoinHandle;
use std::time::Duration;

use devices::HostLink;
use devices::LinkPlan;
use devices::hot::{Flow, HotLoop};
use devices::ports::{Candidates, Keeper, PortNotice, Wanted};
use rt::alloc::HotSection;
use rt::poll::Waker;
use rt::ring::{Consumer, Producer, ring};
use rt::thread::HotThread;
use units::HostUs;

use super::field::{Ask, Boards, Gone, Heard};
use super::hot::Passer;

/// What boards have said and nobody has fetched: ten seconds of 16 lanes at 15 pearls a second.
const HEARD: usize = 16_384;
/// What is asked of them at once.
const ASKS: usize = 1_024;
/// Time between two looks at the ring.
const LOOK: Duration = Duration::from_millis(2);
/// Looks in vain after which the caller gets a turn.
const LOOKS: u32 = 10;

/// See the module.
pub(super) struct RealBoards {
    asks: Producer<Ask>,
    heard: Consumer<Heard>,
    waker: Waker,
    hot: Option<JoinHandle<()>>,
    ports: Option<JoinHandle<()>>,
}

impl RealBoards {
    /// Starts both threads. `tell` gets what the keeper of the ports has to say.
    ///
    /// # Errors
    /// When the system gives no thread, runtime or descriptor.
    pub(super) fn start(
        links: Vec<LinkPlan>,
        wanted: Vec<Wanted>,
        feed_us: i32,
        hot: HotThread,
        session: u16,
        tell: impl FnMut(PortNotice) + Send + 'static,
    ) -> io::Result<Self> {
        let mut candidates = Candidates::default();
        for hint in wanted.iter().filter_map(|wanted| wanted.hint.clone()) {
            candidates.add(hint);
        }
        let (heard_in, heard) = ring(HEARD);
        let (asks, asks_out) = ring(ASKS);
        let links = links.into_iter().map(|plan| HostLink::new(plan, session)).collect();
        let (mut hot_loop, cold) = HotLoop::new(Passer::new(heard_in, asks_out, feed_us), links)?;
        let waker = cold.waker()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let spawned = rt::thread::spawn(hot, move || {
            let _hot = HotSection::enter();
            while hot_loop.round(devices::limits::LONGEST_WAIT_US) == Flow::Go {}
        })?;
        let keeper = Keeper::new(cold, wanted, candidates, tell);
        let ports = std::thread::Builder::new()
            .name("ports".to_owned())
            .spawn(move || runtime.block_on(keeper.run()))?;
        Ok(Self {
            asks,
            heard,
            waker,
            hot: Some(spawned.handle),
            ports: Some(ports),
        })
    }

    /// Things that were said and dropped because nobody fetched them in time.
    #[must_use]
    pub(super) fn dropped(&self) -> u64 {
        self.heard.dropped()
    }
}

impl Boards for RealBoards {
    fn hear(&mut self) -> Result<Option<Heard>, Gone> {
        for _ in 0..LOOKS {
            if let Some(heard) = self.heard.pop() {
                return Ok(Some(heard));
            }
            if self.hot.as_ref().is_none_or(JoinHandle::is_finished) {
                return Err(Gone);
            }
            std::thread::sleep(LOOK);
        }
        Ok(None)
    }

    fn ask(&mut self, ask: Ask) -> Result<(), Gone> {
        self.asks.push(ask).map_err(|_| Gone)?;
        self.waker.wake();
        Ok(())
    }

    fn now(&self) -> HostUs {
        rt::clock::now_us()
    }
}

impl Drop for RealBoards {
    fn drop(&mut self) {
        // A ring that is full belongs to a thread that does not run any more.
        let _ = self.ask(Ask::Quit);
        for thread in [self.hot.take(), self.ports.take()].into_iter().flatten() {
            // A thread that has panicked has said so itself.
            let _ = thread.join();
        }
    }
}
