//! The server: its options, its thread, its connections. Cold.

mod connection;
mod options;
mod thread;
mod tls;

pub(crate) use connection::Peer;
pub use options::{Options, TlsFiles};
pub use thread::{Server, StartError, start};
