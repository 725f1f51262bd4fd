//! What the routes share: the machine, people, the ledger, those that watch; and the two ways to ask the machine. Cold.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::http::StatusCode;
use tokio::sync::Semaphore;

use crate::editor::Editor;
use crate::gate::Hosts;
use crate::ledger::{Change, Ledger, Part};
use crate::limits::{LOGINS_WAITING, LONG_ANSWERS};
use crate::live::Hub;
use crate::machine::{Answer, By, Machine, Note};
use crate::page::Page;
use crate::people::{Brake, Sessions, Users};
use crate::problem::Fail;
use crate::shapes::{Line, Right, Text};

/// Milliseconds of Unix time.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Who sent a request.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// The user; `None` for somebody who may only look.
    pub(crate) by: Option<By>,
    /// The session's token, where the request came with one.
    pub(crate) session: Option<String>,
    /// The address.
    pub(crate) address: IpAddr,
}

impl Caller {
    /// The user. Every route that changes something has a gate that lets nobody else through.
    pub(crate) fn user(&self) -> Result<&By, Fail> {
        self.by.as_ref().ok_or_else(|| crate::gate::login_needed(false))
    }

    /// Whether the user has a right; the message says which is missing.
    pub(crate) fn needs(&self, right: Right) -> Result<&By, Fail> {
        let by = self.user()?;
        if by.right >= right {
            Ok(by)
        } else {
            Err(crate::gate::right_missing(right, by.right))
        }
    }
}

/// A change for the ledger and the audit trail.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) action: &'static str,
    pub(crate) subject: String,
    pub(crate) before: String,
    pub(crate) after: String,
    /// As the other operator reads it.
    pub(crate) what: Text,
}

/// See the module.
pub(crate) struct App {
    pub(crate) machine: Arc<dyn Machine>,
    pub(crate) users: Users,
    pub(crate) sessions: Sessions,
    pub(crate) brake: Brake,
    pub(crate) ledger: Ledger,
    pub(crate) hub: Hub,
    pub(crate) page: Page,
    pub(crate) hosts: Hosts,
    pub(crate) editor: Mutex<Editor>,
    /// Looking needs no login.
    pub(crate) open_view: bool,
    /// What the token's file says.
    pub(crate) token: String,
    /// Name of the session's cookie.
    pub(crate) cookie: String,
    /// Whether the page is served over TLS.
    pub(crate) tls: bool,
    pub(crate) long: Arc<Semaphore>,
    pub(crate) hashes: Semaphore,
    pub(crate) logins: Semaphore,
}

impl App {
    pub(crate) fn long_answers() -> Arc<Semaphore> {
        Arc::new(Semaphore::new(LONG_ANSWERS))
    }

    pub(crate) fn login_places() -> Semaphore {
        Semaphore::new(LOGINS_WAITING)
    }

    /// Asks the machine, on a worker.
    pub(crate) async fn ask<T, F>(&self, question: F) -> Result<T, Fail>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Machine) -> T + Send + 'static,
    {
        let machine = Arc::clone(&self.machine);
        work(move || question(machine.as_ref())).await
    }

    /// Asks the machine something that takes long; few do so at once.
    pub(crate) async fn ask_long<T, F>(&self, question: F) -> Result<T, Fail>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Machine) -> T + Send + 'static,
    {
        let _place = self.long.acquire().await.map_err(|_| Fail::internal("workers"))?;
        self.ask(question).await
    }

    /// Changes a part of the line: one operator at a time, and with the version that they saw. What succeeded is in the ledger
    /// and in the audit trail before the answer goes out.
    pub(crate) async fn change<T, F>(&self, by: &By, part: Part, seen: Option<u64>, change: F) -> Result<T, Fail>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Machine, &By) -> Answer<(T, Entry)> + Send + 'static,
    {
        let turn = self.ledger.turn(part, seen).await?;
        let asker = by.clone();
        let (done, entry) = self.ask(move |machine| change(machine, &asker)).await??;
        turn.done(Change {
            by: by.user.clone(),
            at_ms: now_ms(),
            what: entry.what.clone(),
        });
        self.audit(by, entry).await;
        Ok(done)
    }

    /// Writes to the audit trail. What was done is done: a trail that can't be written is told in the log, and the store has
    /// an alarm of its own for it.
    pub(crate) async fn audit(&self, by: &By, entry: Entry) {
        let note = Note {
            by: by.user.clone(),
            from: by.from.clone(),
            action: entry.action,
            subject: entry.subject,
            before: entry.before,
            after: entry.after,
        };
        let written = self
            .ask(move |machine| machine.audit(&note).map_err(|refusal| Box::new((refusal, note))))
            .await;
        if let Ok(Err(failed)) = written {
            let (refusal, note) = *failed;
            tracing::error!(
                "the audit trail lacks {} {} by {}: {refusal}",
                note.action,
                note.subject,
                note.by
            );
        }
    }

    /// The line as it is now.
    pub(crate) async fn line(&self) -> Result<Line, Fail> {
        let line = self.ask(|machine| machine.snapshot()).await?;
        Ok(Line {
            versions: self.ledger.versions(),
            line,
        })
    }

    /// The recipe editor; never held over a wait.
    pub(crate) fn editor(&self) -> std::sync::MutexGuard<'_, Editor> {
        self.editor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does something that may wait, on a worker.
pub(crate) async fn work<T, F>(what: F) -> Result<T, Fail>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    tokio::task::spawn_blocking(what).await.map_err(|error| {
        tracing::error!("a worker of the page failed: {error}");
        Fail::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "程序内部出错，分选不受影响；请查看日志",
            "a fault inside the program; sorting is not touched; see the log",
            "worker",
        )
    })
}
