//! Scenario: the daemon is killed at full rate, and started again.
//!
//! What must hold: the boards close every valve by their watchdogs; no pearl is in a bin that it has not earned; the new
//! daemon is ready within 2 s and sorts.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::processes::{start_daemon, start_line, wait_for};
use crate::verdict::Finding;

/// Pearls binned before the daemon is killed, and after it has come back.
const ENOUGH: u64 = 200;
/// The new daemon must be ready within this.
const READY_WITHIN: Duration = Duration::from_secs(2);
/// Longest that anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs the scenario.
pub(crate) fn run(program: &Path, seed: u64) -> Result<Vec<Finding>> {
    let figures = std::env::temp_dir().join(format!("pearlsort-killed-{}-{seed}.json", std::process::id()));
    let line = start_line(program, seed, &figures)?;
    let mut daemon = start_daemon(program, &line)?;
    let before = wait_for(&daemon, PATIENCE, |state| binned(state) >= ENOUGH).context("before the kill")?;
    daemon.kill()?;
    let began = Instant::now();
    let daemon = start_daemon(program, &line)?;
    wait_for(&daemon, PATIENCE, |state| state["state"] != "NotReady").context("after the kill")?;
    let ready = began.elapsed();
    let after = wait_for(&daemon, PATIENCE, |state| binned(state) >= ENOUGH).context("after the kill")?;
    daemon.stop(PATIENCE)?;
    line.process.stop(PATIENCE)?;
    let text = std::fs::read_to_string(&figures).context("the line's figures")?;
    std::fs::remove_file(&figures).context("the line's figures")?;
    let truth: Value = serde_json::from_str(&text).context("the line's figures")?;
    let none = |requirement, count: &Value| Finding {
        requirement,
        seen: count.to_string(),
        holds: count.as_u64() == Some(0),
    };
    Ok(vec![
        none("valves open after their watchdog's time", &truth["valve_unfed"]),
        none("valves open longer than their longest time", &truth["valve_overlong"]),
        none("pearls in a bin that they have not earned", &truth["upgraded"]),
        Finding {
            requirement: "ready again within 2 s",
            seen: format!("{:.2} s", ready.as_secs_f64()),
            holds: ready <= READY_WITHIN,
        },
        Finding {
            requirement: "sorts again",
            seen: format!(
                "{} pearls binned before the kill, {} after it",
                binned(&before),
                binned(&after)
            ),
            holds: true,
        },
    ])
}

fn binned(state: &Value) -> u64 {
    state["binned"].as_u64().unwrap_or(0)
}
