//! Server-sent events: the line is looked at once a tick, written as JSON once, and the same bytes go to all that watch.
//! Cold.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::app::App;
use crate::body::Pipe;
use crate::limits::{TICK, WATCHER_EVENTS, WATCHER_MISSES, WATCHERS};
use crate::problem::Fail;
use crate::shapes::{JournalEntry, Line, Problem, Snapshot};

/// Entries of the journal that go out at one tick.
const ENTRIES: usize = 50;

#[derive(Debug)]
struct Watcher {
    events: mpsc::Sender<Bytes>,
    /// Its session; it watches no longer than that.
    session: Option<String>,
    misses: u32,
}

/// Those that watch.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    watchers: Mutex<Vec<Watcher>>,
}

/// What the last tick saw.
#[derive(Debug, Default)]
struct Seen {
    journal: Option<u64>,
    alarms: Option<u64>,
}

impl Hub {
    fn watchers(&self) -> std::sync::MutexGuard<'_, Vec<Watcher>> {
        self.watchers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many watch.
    pub(crate) fn count(&self) -> usize {
        self.watchers()
            .iter()
            .filter(|watcher| !watcher.events.is_closed())
            .count()
    }

    /// One more watches; `first` goes out at once.
    pub(crate) fn watch(&self, session: Option<String>, first: &Line) -> Result<Response, Fail> {
        let mut watchers = self.watchers();
        watchers.retain(|watcher| !watcher.events.is_closed());
        if watchers.len() >= WATCHERS {
            return Err(Fail::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "too_many_watchers",
                format!("已有 {WATCHERS} 个页面在观看；请关掉不用的页面后再试"),
                format!("{WATCHERS} pages watch already; close one that nobody needs, then try again"),
                "events",
            )
            .after(30));
        }
        let (events, pipe) = mpsc::channel(WATCHER_EVENTS);
        // An empty channel takes the first two.
        let _ = events.try_send(Bytes::from_static(b"retry: 2000\n\n"));
        let _ = events.try_send(event("line", first));
        watchers.push(Watcher {
            events,
            session,
            misses: 0,
        });
        let kind = [
            (header::CONTENT_TYPE, "text/event-stream"),
            (header::CACHE_CONTROL, "no-store"),
        ];
        Ok((kind, Body::new(Pipe(pipe))).into_response())
    }

    /// Sends the same bytes to all; lets go who is gone or takes nothing.
    fn send(&self, bytes: &Bytes) {
        self.watchers()
            .retain_mut(|watcher| match watcher.events.try_send(bytes.clone()) {
                Ok(()) => {
                    watcher.misses = 0;
                    true
                }
                Err(TrySendError::Full(_)) => {
                    watcher.misses += 1;
                    watcher.misses < WATCHER_MISSES
                }
                Err(TrySendError::Closed(_)) => false,
            });
    }

    /// Ends the watch of those whose session has ended.
    fn dismiss(&self, is_open: impl Fn(&str) -> bool) {
        self.watchers().retain(|watcher| {
            let stays = watcher.session.as_deref().is_none_or(&is_open);
            if !stays {
                let _ = watcher
                    .events
                    .try_send(event("bye", &crate::gate::login_needed(true).problem));
            }
            stays
        });
    }

    /// The program stops.
    pub(crate) fn close(&self) {
        let problem = Problem {
            code: "stopping".to_owned(),
            message_zh: "程序正在停止".to_owned(),
            message_en: "the program stops".to_owned(),
            place: "program".to_owned(),
        };
        let bye = event("bye", &problem);
        for watcher in self.watchers().drain(..) {
            let _ = watcher.events.try_send(bye.clone());
        }
    }
}

/// An event as it goes over the wire. JSON has no line breaks of its own.
fn event(name: &str, data: &impl Serialize) -> Bytes {
    let json = serde_json::to_string(data).expect("shapes can be written as JSON");
    format!("event: {name}\ndata: {json}\n\n").into()
}

/// Looks at the line each tick while anybody watches.
pub(crate) async fn run(app: Arc<App>) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut seen = Seen::default();
    loop {
        ticks.tick().await;
        if app.hub.count() == 0 {
            seen = Seen::default();
            continue;
        }
        let now = Instant::now();
        app.hub.dismiss(|session| app.sessions.is_open(session, now));
        // A worker that failed has told the log; the next tick tries again.
        let Ok((snapshot, entries)) = look(&app, seen.journal).await else {
            continue;
        };
        tell(&app, &mut seen, snapshot, &entries);
    }
}

async fn look(app: &App, after: Option<u64>) -> Result<(Snapshot, Vec<JournalEntry>), Fail> {
    app.ask(move |machine| {
        let snapshot = machine.snapshot();
        let entries = match after {
            Some(after) => machine.journal(after, ENTRIES),
            // What happened before anybody watched is read from the journal itself.
            None => machine.journal(0, 1),
        };
        (snapshot, entries)
    })
    .await
}

fn tell(app: &App, seen: &mut Seen, snapshot: Snapshot, entries: &[JournalEntry]) {
    let last = entries.last().map_or(seen.journal.unwrap_or(0), |entry| entry.number);
    if seen.journal.replace(last).is_some() {
        for entry in entries {
            app.hub.send(&event("journal", entry));
        }
    }
    let alarms = snapshot.alarms;
    if seen
        .alarms
        .replace(alarms.version)
        .is_some_and(|version| version != alarms.version)
    {
        app.hub.send(&event("alarms", &alarms));
    }
    let line = Line {
        versions: app.ledger.versions(),
        line: snapshot,
    };
    app.hub.send(&event("line", &line));
}
