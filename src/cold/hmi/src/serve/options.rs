//! What the server is told at start. Cold.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// Where the server listens unless told otherwise.
const USUAL_PORT: u16 = 8440;

/// Files of a certificate, PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, with those that vouch for it.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// What the server is told at start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Where it listens; port 0 takes a free one.
    pub address: SocketAddr,
    /// Names that it answers to, beside `localhost` and addresses.
    pub hosts: Vec<String>,
    /// The certificate; needed where others than this computer can connect.
    pub tls: Option<TlsFiles>,
    /// Folder of the users' file and the token's file; made if there is none.
    pub data: PathBuf,
    /// Whether looking needs no login. Only on loopback: whoever is there stands at the machine or has an account on its
    /// computer. Acting needs a login everywhere.
    pub open_view: bool,
}

impl Options {
    /// Loopback at the usual port, looking without a login.
    #[must_use]
    pub fn loopback(data: PathBuf) -> Self {
        Self {
            address: (Ipv4Addr::LOCALHOST, USUAL_PORT).into(),
            hosts: Vec::new(),
            tls: None,
            data,
            open_view: true,
        }
    }
}
