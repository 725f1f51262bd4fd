//! Sessions: who is logged in. Kept in memory: a restart of the program ends them all. Cold.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::random_token;
use crate::limits::{SESSION_IDLE, SESSION_LENGTH, SESSIONS};

#[derive(Debug)]
struct Entry {
    user: String,
    csrf: String,
    made: Instant,
    used: Instant,
}

impl Entry {
    /// Time until it ends whatever is done; `None` when it has ended.
    fn left(&self, now: Instant) -> Option<Duration> {
        let left = SESSION_LENGTH.checked_sub(now.saturating_duration_since(self.made))?;
        (now.saturating_duration_since(self.used) < SESSION_IDLE && !left.is_zero()).then_some(left)
    }
}

/// A session that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) token: String,
    pub(crate) user: String,
    pub(crate) csrf: String,
    pub(crate) ends_in: Duration,
}

/// Every session, by its token. The tokens' 256 random bits are not to be guessed, and the map's hash is keyed, so that
/// the time of a look tells nothing.
#[derive(Debug, Default)]
pub(crate) struct Sessions(Mutex<HashMap<String, Entry>>);

impl Sessions {
    fn entries(&self) -> std::sync::MutexGuard<'_, HashMap<String, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a session.
    pub(crate) fn open(&self, user: &str, now: Instant) -> Found {
        let mut entries = self.entries();
        entries.retain(|_, entry| entry.left(now).is_some());
        if entries.len() >= SESSIONS {
            let oldest = entries
                .iter()
                .min_by_key(|(_, entry)| entry.used)
                .map(|(token, _)| token.clone());
            oldest.and_then(|token| entries.remove(&token));
        }
        let (token, csrf) = (random_token(), random_token());
        let entry = Entry {
            user: user.to_owned(),
            csrf: csrf.clone(),
            made: now,
            used: now,
        };
        entries.insert(token.clone(), entry);
        Found {
            token,
            user: user.to_owned(),
            csrf,
            ends_in: SESSION_LENGTH,
        }
    }

    /// The session of a token, which counts as a use of it.
    pub(crate) fn find(&self, token: &str, now: Instant) -> Option<Found> {
        let mut entries = self.entries();
        let entry = entries.get_mut(token)?;
        let Some(ends_in) = entry.left(now) else {
            entries.remove(token);
            return None;
        };
        entry.used = now;
        Some(Found {
            token: token.to_owned(),
            user: entry.user.clone(),
            csrf: entry.csrf.clone(),
            ends_in,
        })
    }

    /// Whether a session is open; looking is no use of it.
    pub(crate) fn is_open(&self, token: &str, now: Instant) -> bool {
        self.entries().get(token).is_some_and(|entry| entry.left(now).is_some())
    }

    /// Ends a session.
    pub(crate) fn close(&self, token: &str) {
        self.entries().remove(token);
    }

    /// Ends every session of a user but one.
    pub(crate) fn close_all_of(&self, user: &str, but: Option<&str>) {
        self.entries()
            .retain(|token, entry| entry.user != user || Some(token.as_str()) == but);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_when_idle_and_at_the_end_of_the_shift() {
        let sessions = Sessions::default();
        let begin = Instant::now();
        let token = sessions.open("li", begin).token;
        let mut now = begin;
        while now < begin + SESSION_LENGTH - SESSION_IDLE / 2 {
            now += SESSION_IDLE / 2;
            assert!(sessions.find(&token, now).is_some() || now >= begin + SESSION_LENGTH);
        }
        assert!(
            sessions.find(&token, begin + SESSION_LENGTH).is_none(),
            "the shift is over"
        );
        let token = sessions.open("li", begin).token;
        assert!(sessions.is_open(&token, begin + SESSION_IDLE / 2));
        assert!(
            sessions.find(&token, begin + SESSION_IDLE).is_none(),
            "looking does not keep a session open"
        );
    }

    #[test]
    fn the_session_unused_for_longest_makes_room() {
        let sessions = Sessions::default();
        let begin = Instant::now();
        let first = sessions.open("a", begin).token;
        let mut last = first.clone();
        for n in 0..SESSIONS {
            last = sessions.open("b", begin + Duration::from_millis(n as u64 + 1)).token;
        }
        let now = begin + Duration::from_secs(1);
        assert!(sessions.find(&first, now).is_none());
        assert!(sessions.find(&last, now).is_some());
    }

    #[test]
    fn all_sessions_of_a_user_end_but_the_one_that_asked() {
        let sessions = Sessions::default();
        let now = Instant::now();
        let [one, two, other] = ["li", "li", "wang"].map(|user| sessions.open(user, now).token);
        sessions.close_all_of("li", Some(&two));
        assert!(!sessions.is_open(&one, now));
        assert!(sessions.is_open(&two, now) && sessions.is_open(&other, now));
    }
}
