//! The brake on guessing passwords: after some wrong ones an account and an address must wait, longer each time. Cold.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::limits::{ACCOUNT_TRIES, ACCOUNT_WAIT, ADDRESS_TRIES, ADDRESS_WAIT, TRIES, TRIES_KEPT};

#[derive(Clone, Copy, Debug)]
struct Tries {
    wrong: u32,
    last: Instant,
    until: Instant,
}

/// Tries of one kind of thing.
#[derive(Debug)]
struct Table<K> {
    tries: HashMap<K, Tries>,
    free: u32,
    longest: Duration,
}

impl<K: Hash + Eq + Clone> Table<K> {
    fn new(free: u32, longest: Duration) -> Self {
        Self {
            tries: HashMap::new(),
            free,
            longest,
        }
    }

    fn wait(&self, key: &K, now: Instant) -> Duration {
        self.tries
            .get(key)
            .map_or(Duration::ZERO, |tries| tries.until.saturating_duration_since(now))
    }

    /// Counts a try as wrong; [`Table::forget`] takes it back.
    fn count(&mut self, key: K, now: Instant) {
        self.tries
            .retain(|_, tries| now.saturating_duration_since(tries.last) < TRIES_KEPT);
        if self.tries.len() >= TRIES && !self.tries.contains_key(&key) {
            let oldest = self
                .tries
                .iter()
                .min_by_key(|(_, tries)| tries.last)
                .map(|(key, _)| key.clone());
            oldest.and_then(|key| self.tries.remove(&key));
        }
        let tries = self.tries.entry(key).or_insert(Tries {
            wrong: 0,
            last: now,
            until: now,
        });
        tries.wrong = tries.wrong.saturating_add(1);
        tries.last = now;
        if let Some(over) = tries.wrong.checked_sub(self.free) {
            tries.until = now + Duration::from_secs(1 << over.min(16)).min(self.longest);
        }
    }

    fn forget(&mut self, key: &K) {
        self.tries.remove(key);
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Brake(Mutex<(Table<String>, Table<IpAddr>)>);

impl Brake {
    pub(crate) fn new() -> Self {
        Self(Mutex::new((
            Table::new(ACCOUNT_TRIES, ACCOUNT_WAIT),
            Table::new(ADDRESS_TRIES, ADDRESS_WAIT),
        )))
    }

    /// Lets a try through and counts it as wrong, or says how long to wait. Tries at once can't slip through together.
    pub(crate) fn begin(&self, account: &str, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let mut tables = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (accounts, addresses) = &mut *tables;
        let account = account.to_owned();
        let wait = accounts.wait(&account, now).max(addresses.wait(&address, now));
        if !wait.is_zero() {
            return Err(wait);
        }
        accounts.count(account, now);
        addresses.count(address, now);
        Ok(())
    }

    /// The try was right after all.
    pub(crate) fn right(&self, account: &str, address: IpAddr) {
        let mut tables = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tables.0.forget(&account.to_owned());
        tables.1.forget(&address);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn an_account_waits_longer_after_each_wrong_password_and_a_right_one_ends_it() {
        let brake = Brake::new();
        let mut now = Instant::now();
        for _ in 0..ACCOUNT_TRIES {
            assert_eq!(brake.begin("li", HERE, now), Ok(()));
        }
        let mut waits = Vec::new();
        for _ in 0..10 {
            let wait = brake.begin("li", HERE, now).expect_err("it must wait");
            waits.push(wait.as_secs());
            now += wait;
            assert_eq!(brake.begin("li", HERE, now), Ok(()), "after the wait it is let through");
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]);
        brake.right("li", HERE);
        assert_eq!(brake.begin("li", HERE, now), Ok(()));
    }

    #[test]
    fn an_address_that_tries_many_accounts_must_wait() {
        let brake = Brake::new();
        let now = Instant::now();
        for n in 0..ADDRESS_TRIES {
            assert_eq!(brake.begin(&format!("user{n}"), HERE, now), Ok(()));
        }
        assert!(brake.begin("another", HERE, now).is_err());
        let other = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
        assert_eq!(brake.begin("another", other, now), Ok(()));
    }

    #[test]
    fn what_is_remembered_stays_bounded() {
        let brake = Brake::new();
        let mut now = Instant::now();
        for n in 0..(TRIES as u32 * 3) {
            now += Duration::from_millis(1);
            let address = IpAddr::V4(std::net::Ipv4Addr::from_bits(n));
            assert_eq!(brake.begin(&format!("user{n}"), address, now), Ok(()));
        }
        let tables = brake.0.lock().expect("no test thread panicked");
        assert!(tables.0.tries.len() <= TRIES && tables.1.tries.len() <= TRIES);
    }
}
