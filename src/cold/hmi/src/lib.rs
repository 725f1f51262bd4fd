//! The operator's page and its API: HTTP with JSON and server-sent events, the page's files within the program, users,
//! sessions and rights. What the line is and does comes from [`machine::Machine`].
//!
//! Cold: [`start`] makes a thread of its own, `hmi`, that answers requests and never waits, and a few workers for what
//! may wait: the store, files, hashes of passwords. The hot thread waits for none of them.
//!
//! Words: a **watcher** is a page that reads `GET /api/v1/events`; the **ledger** says who changed which part last; a
//! **gate** stands before each route and asks for its right.

#![forbid(unsafe_code)]

mod api;
mod app;
mod body;
mod diff;
mod editor;
mod gate;
mod ledger;
pub mod limits;
mod live;
pub mod machine;
mod page;
mod people;
mod problem;
mod routes;
mod serve;
pub mod shapes;
mod trial;
mod words;

pub use routes::{ROUTES, RouteRight, RouteSpec};
pub use serve::{Options, Server, StartError, TlsFiles, start};

/// The OpenAPI document.
pub const OPENAPI: &str = include_str!("../openapi.json");
