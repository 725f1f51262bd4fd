//! The routes' handlers, a file for each part of the API. Each takes a shape and gives a shape; rights were asked for by the
//! gate (`routes.rs`). Cold; on the thread `hmi`, which never waits: what may wait is asked through [`crate::app::App`].

pub(crate) mod alarms;
pub(crate) mod audit;
pub(crate) mod calibration;
pub(crate) mod health;
pub(crate) mod line;
pub(crate) mod lots;
pub(crate) mod meta;
pub(crate) mod recipes;
pub(crate) mod session;
pub(crate) mod users;

use std::sync::Arc;

use axum::Json;
use axum::extract::{Extension, State};
use serde::{Deserialize, Serialize};

use crate::app::{App, Caller};
use crate::limits::{PAGE, PAGE_USUAL};
use crate::problem::Fail;

/// What every handler may ask for.
pub(crate) type Shared = State<Arc<App>>;
/// Who asks.
pub(crate) type Asker = Extension<Caller>;
/// An answer.
pub(crate) type Reply<T> = Result<Json<T>, Fail>;

/// Which part of a list is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Window {
    pub(crate) before: Option<u64>,
    pub(crate) after: Option<u64>,
    most: Option<usize>,
}

impl Window {
    pub(crate) fn most(&self) -> usize {
        self.most.unwrap_or(PAGE_USUAL).clamp(1, PAGE)
    }
}

/// A number of a path.
pub(crate) fn number<T: std::str::FromStr>(text: &str, place: &str) -> Result<T, Fail> {
    text.parse()
        .map_err(|_| Fail::unknown(format!("{place} {}", short(text))))
}

/// A text for a message: not longer than a line, without control characters.
pub(crate) fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(80).collect()
}

/// A shape as the audit trail keeps it.
pub(crate) fn as_text(shape: &impl Serialize) -> String {
    serde_json::to_string(shape).expect("shapes can be written as JSON")
}

/// The fixed name of an enumeration's value.
pub(crate) fn name_of(value: &impl Serialize) -> String {
    as_text(value).trim_matches('"').to_owned()
}
