//! Finding boards by identity over pseudo-terminals, and keeping the hot loop supplied with their ports.

mod bench;

use std::os::fd::{AsFd as _, OwnedFd};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;

use bench::{BAUD, NoPins, UID, settings};
use board::{Board, Description, Now};
use devices::hot::{Flow, Handler, HotLoop, Outgoing};
use devices::ports::{Asked, Candidates, Found, Keeper, PortNotice, SearchError, Wanted, search};
use devices::{HostLink, LinkEvent, LinkPlan, Needs, SendError};
use rt::poll::{Interest, Poller, Transfer, Waker, set_nonblocking};
use units::{BoardId, HostUs, Tick32};
use wire::{FromBoard, ToBoard};

/// A board on a thread of its own, behind a pty; it ends with this.
struct Running {
    path: PathBuf,
    /// Kept open, so that the pty stays when nobody has its path open.
    _host: OwnedFd,
    stop: Waker,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    fn start(uid: u64) -> Self {
        let pty = rt::port::open_pty().unwrap();
        set_nonblocking(&pty.board).unwrap();
        let stop = Waker::new().unwrap();
        let stopped = stop.duplicate().unwrap();
        let port = pty.board;
        let thread = std::thread::spawn(move || run(Board::new(Description::standard(uid), BAUD), &port, &stopped));
        Self {
            path: pty.path,
            _host: pty.host,
            stop,
            thread: Some(thread),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.wake();
        self.thread.take().unwrap().join().unwrap();
    }
}

fn run(mut board: Board, port: &OwnedFd, stop: &Waker) {
    let mut poller = Poller::new();
    poller.add(port.as_fd(), Interest::Read).unwrap();
    poller.add(stop.as_fd(), Interest::Read).unwrap();
    let mut bytes = [0; 2_048];
    while !stop.take() {
        let us = rt::clock::now_us().0.unsigned_abs();
        let due = board
            .next_deadline_us()
            .map_or(10_000, |due| due.saturating_sub(us).min(10_000));
        poller.wait(Some(due)).unwrap();
        let us = rt::clock::now_us().0.unsigned_abs();
        let now = Now {
            us,
            tick: Tick32(u32::try_from(us / 50 % (1 << 32)).unwrap()),
        };
        if let Transfer::Done(count) = rt::poll::read(port, &mut bytes) {
            board.receive(now, &bytes[..count], &mut NoPins);
        }
        board.poll(now, &mut NoPins);
        let count = board.transmit(us, &mut bytes);
        if count > 0 {
            // A pty that nobody reads fills up; the link repeats what is lost.
            let _ = rt::poll::write(port, &bytes[..count]);
        }
    }
}

fn wanted(at: u8, hint: Option<&PathBuf>) -> Wanted {
    Wanted {
        board: BoardId(at),
        uid: UID + u64::from(at),
        baud: BAUD,
        hint: hint.cloned(),
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

fn at<'a>(boards: impl IntoIterator<Item = &'a Running>) -> Candidates {
    Candidates::new(boards.into_iter().map(|board| board.path.clone()))
}

#[test]
fn boards_are_found_where_they_are_expected_without_asking_others() {
    let (here, stranger) = (Running::start(UID), Running::start(99));
    let found = block_on(search(&[wanted(0, Some(&here.path))], &at([&stranger]), &[]));
    match &found[..] {
        [
            Ok(Found {
                board: BoardId(0),
                identity,
                port,
                elsewhere: false,
            }),
        ] => {
            assert_eq!((identity.uid, port.path()), (UID, here.path.as_path()));
        }
        other => panic!("{other:?}"),
    }
    assert!(devices::ports::open(&stranger.path, BAUD).is_ok());
}

#[test]
fn boards_that_have_changed_places_are_found_by_their_identity() {
    let boards = [Running::start(UID), Running::start(UID + 1), Running::start(UID + 2)];
    // 0 and 1 have changed places, 2 is at none of the hints.
    let asked = [
        wanted(0, Some(&boards[1].path)),
        wanted(1, Some(&boards[0].path)),
        wanted(2, None),
    ];
    let found = block_on(search(&asked, &at(&boards), &[]));
    for (at, found) in found.iter().enumerate() {
        let found = found.as_ref().unwrap();
        assert_eq!(
            (found.identity.uid, found.port.path()),
            (UID + at as u64, boards[at].path.as_path())
        );
        assert_eq!(found.elsewhere, at < 2);
    }
}

#[test]
fn a_twin_is_refused() {
    let boards = [Running::start(UID), Running::start(UID)];
    let found = block_on(search(&[wanted(0, None)], &at(&boards), &[]));
    match &found[..] {
        [Err(error @ SearchError::Twin { uid: UID, .. })] => {
            let text = error.to_string();
            assert!(
                boards
                    .iter()
                    .all(|board| text.contains(&board.path.display().to_string())),
                "{text}"
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_board_that_is_nowhere_is_told_with_what_was_asked() {
    let stranger = Running::start(99);
    let mute = rt::port::open_pty().unwrap();
    let taken = rt::port::open_pty().unwrap();
    let _held = devices::ports::open(&taken.path, BAUD).unwrap();
    let hint = PathBuf::from("/dev/no-such-port");
    let candidates = Candidates::new([&stranger.path, &mute.path, &taken.path].map(Clone::clone));
    let found = block_on(search(&[wanted(0, Some(&hint))], &candidates, &[]));
    let [Err(SearchError::NotFound { uid: UID, asked })] = &found[..] else {
        panic!("{found:?}")
    };
    assert!(
        asked.contains(&Asked::Other {
            path: stranger.path.clone(),
            uid: 99
        }),
        "{asked:?}"
    );
    assert!(
        asked.contains(&Asked::Nobody {
            path: mute.path.clone()
        }),
        "{asked:?}"
    );
    let text = found[0].as_ref().unwrap_err().to_string();
    assert!(text.contains("/dev/no-such-port does not exist"), "{text}");
    assert!(text.contains("fuser -v"), "{text}");
}

#[test]
fn a_port_in_use_is_not_asked() {
    let board = Running::start(UID);
    let found = block_on(search(
        &[wanted(0, Some(&board.path))],
        &at([&board]),
        std::slice::from_ref(&board.path),
    ));
    assert!(
        matches!(&found[..], [Err(SearchError::NotFound { asked, .. })] if asked.is_empty()),
        "{found:?}"
    );
}

/// Passes on which boards are ready, and feeds nobody: nothing is armed.
struct Watcher {
    ready: std::sync::mpsc::Sender<(BoardId, bool)>,
    stop: Receiver<()>,
}

impl Handler for Watcher {
    fn on_event(&mut self, board: BoardId, _: HostUs, event: LinkEvent<'_>, _: &mut Outgoing) {
        match event {
            LinkEvent::Ready { .. } => self.ready.send((board, true)).unwrap(),
            LinkEvent::Down { .. } => self.ready.send((board, false)).unwrap(),
            LinkEvent::Up { .. } | LinkEvent::Message(FromBoard::Status(_)) | LinkEvent::Message(_) => {}
        }
    }

    fn on_idle(&mut self, _: HostUs, _: &mut Outgoing) -> Flow {
        if self.stop.try_recv().is_ok() {
            Flow::Stop
        } else {
            Flow::Go
        }
    }

    fn on_unsent(&mut self, _: BoardId, _: HostUs, _: &ToBoard, _: SendError) {}

    fn next_deadline(&self) -> Option<HostUs> {
        None
    }
}

/// The next change of a link; a test that waits in vain fails.
fn next(ready: &Receiver<(BoardId, bool)>) -> (BoardId, bool) {
    ready.recv_timeout(std::time::Duration::from_secs(20)).unwrap()
}

#[test]
fn the_keeper_supplies_the_loop_and_finds_a_board_that_was_plugged_in_elsewhere() {
    let (ready_in, ready) = channel();
    let (stop, stopped) = channel();
    let link = |at: u8| {
        let needs = Needs::default();
        HostLink::new(
            LinkPlan::new(BoardId(at), UID + u64::from(at), BAUD, 1_000_000, needs, &settings()),
            1,
        )
    };
    let watcher = Watcher {
        ready: ready_in,
        stop: stopped,
    };
    let (hot, cold) = HotLoop::new(watcher, vec![link(0), link(1)]).unwrap();
    let waker = cold.waker().unwrap();
    let hot = std::thread::spawn(move || hot.run());
    let (first, other) = (Running::start(UID), Running::start(UID + 1));
    // The second place of board 0: nobody is there yet.
    let second_place = rt::port::open_pty().unwrap();
    let mut candidates = at([&first, &other]);
    candidates.add(second_place.path.clone());
    let (notices_in, notices) = channel();
    let boards = vec![wanted(0, Some(&first.path)), wanted(1, Some(&other.path))];
    let keeper = Keeper::new(cold, boards, candidates, move |notice| notices_in.send(notice).unwrap());
    let keeper = std::thread::spawn(move || block_on(keeper.run()));

    let mut up = [next(&ready), next(&ready)];
    up.sort();
    assert_eq!(up, [(BoardId(0), true), (BoardId(1), true)]);
    let first_path = first.path.clone();
    drop(first);
    assert_eq!(next(&ready), (BoardId(0), false));
    set_nonblocking(&second_place.board).unwrap();
    let stop_board = Waker::new().unwrap();
    let stopped = stop_board.duplicate().unwrap();
    let port = second_place.board;
    let moved = std::thread::spawn(move || run(Board::new(Description::standard(UID), BAUD), &port, &stopped));
    assert_eq!(next(&ready), (BoardId(0), true));

    stop.send(()).unwrap();
    waker.wake();
    let (_, links) = hot.join().unwrap();
    keeper.join().unwrap();
    stop_board.wake();
    moved.join().unwrap();
    assert_eq!(
        links.iter().map(|link| link.counters().ready).collect::<Vec<_>>(),
        [2, 1]
    );
    let notices: Vec<_> = notices.iter().collect();
    let lost = notices
        .iter()
        .any(|notice| matches!(notice, PortNotice::Lost { board: BoardId(0), path } if *path == first_path));
    let moved = notices.iter().any(|notice| {
        matches!(notice, PortNotice::Found { board: BoardId(0), path, elsewhere: true, .. }
            if *path == second_place.path)
    });
    assert!(lost && moved, "{notices:?}");
}
