//! The server as a browser, the command line and the ill-mannered see it: over a socket.

mod common;
mod document;
#[path = "../../fake/mod.rs"]
mod fake;
mod open;
mod rude;
mod schema;
