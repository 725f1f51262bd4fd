//! Starts the store and the page, and says what is wrong with them. Cold, before the line is attended.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use config::Signal;
use operate::{Setup, Text, Use};
use store::{LotForm, Writer};
use tracing::{info, warn};

use super::desk::{Book, Desk, Fixed};
use super::{lots, page::Line};
use crate::cli::OperatorArgs;
use crate::exit::{Exit, Failure};

/// Where the page is unless told otherwise.
const PAGE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8440);

/// The store's file within the folder of data.
const STORE: &str = "line.store";

/// What of the line is kept, and where.
#[derive(Debug)]
pub struct Keeping<'a> {
    /// The folder of data; made if there is none.
    pub data: &'a Path,
    /// The machine's name, for the list of starts.
    pub machine: &'a str,
}

/// A store that is open for writing. When it is dropped, what waits is made durable.
#[derive(Debug)]
pub struct Kept {
    writer: Writer,
    /// Where it is.
    pub path: PathBuf,
}

impl Kept {
    /// A way in.
    #[must_use]
    pub fn handle(&self) -> store::Handle {
        self.writer.handle()
    }

    /// Makes everything durable and says what was not kept.
    pub fn end(self) {
        let health = self.writer.end();
        if health.dropped.records > 0 {
            warn!(
                "{}: {} records were dropped; their lots' reports say so",
                self.path.display(),
                health.dropped.records
            );
        }
    }
}

/// Opens the store.
///
/// # Errors
/// What is wrong with the folder or the file.
pub fn keep(keeping: &Keeping<'_>) -> Result<Kept> {
    let failed = |error: std::io::Error| {
        let message = format!(
            "{}: the folder of data can't be made: {error}. Name another with --data DIR",
            keeping.data.display()
        );
        Failure::new(Exit::Io, message)
    };
    std::fs::create_dir_all(keeping.data).map_err(failed)?;
    let path = keeping.data.join(STORE);
    let options = store::Options {
        program: env!("CARGO_PKG_VERSION").to_owned(),
        machine: keeping.machine.to_owned(),
        ..store::Options::default()
    };
    let writer = Writer::start(&path, options).map_err(crate::audit::failure)?;
    info!("lots and records are kept in {}", path.display());
    Ok(Kept { writer, path })
}

/// Starts the page; users and the command line's token are in the folder `data`.
///
/// # Errors
/// When the address is taken or refused, or the folder can't be used.
pub fn page(desk: &Desk, of: &OperatorArgs, data: &Path) -> Result<hmi::Server> {
    let mut options = hmi::Options::loopback(data.to_owned());
    options.address = of.page.unwrap_or(PAGE);
    options.hosts.clone_from(&of.page_host);
    let files = of.page_certificate.clone().zip(of.page_key.clone());
    options.tls = files.map(|(certificate, key)| hmi::TlsFiles { certificate, key });
    options.open_view = options.tls.is_none();
    let started = hmi::start(options, desk.machine());
    let server = started.map_err(|error| {
        let advice = "Name another address with --page ADDRESS:PORT, a certificate with --page-certificate \
                      and --page-key, or go without with --no-page";
        Failure::new(
            Exit::Unavailable,
            format!("the page can't be started: {error}. {advice}"),
        )
    })?;
    info!("the operators' page is at {}", server.url());
    Ok(server)
}

/// Shows where the page is, and the administrator's first password, which is shown this once.
pub fn tell_page(server: &hmi::Server) {
    eprintln!("pearlsort: the operators' page is at {}", server.url());
    if let Some(password) = server.first_password() {
        eprintln!("pearlsort: log in as admin with the password {password} (shown this once; change it on the page)");
    }
}

/// The setup of the line that a file describes.
#[must_use]
pub fn setup_of(line: &config::Line) -> Setup {
    let channel = |at: line::ChannelPlan| {
        let mut channels = line.channels.iter();
        channels.find(|channel| channel.board == at.board && channel.number == at.channel)
    };
    let used_for = |at| {
        Some(match channel(at)?.signal {
            Signal::SafetyChain => Use::SafetyChain,
            Signal::GuardDoor => Use::GuardDoor,
            Signal::AirPressure => Use::AirPressure,
            Signal::LampCurrent => Use::LampCurrent,
            _ => Use::Other,
        })
    };
    let mut setup = Setup::new(&line.plan, used_for);
    setup.boards = line.links.iter().map(|link| link.name.clone()).collect();
    setup.bins = line.bins.iter().map(text).collect();
    for signal in &mut setup.signals {
        if let Some(channel) = channel(signal.at) {
            signal.name = text(&channel.name);
        }
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast of a float saturates"
    )]
    let design = (line.most_pearls_per_s * line.plan.lanes.len() as f64) as u32;
    setup.design_pearls_s = Some(design);
    setup
}

fn text(name: &config::Name) -> Text {
    Text {
        zh: name.zh.clone(),
        en: name.en.clone(),
    }
}

/// The desk of the line that a file describes.
#[must_use]
pub fn desk_of(line: &Arc<config::Line>, book: Book, kept: Option<&Kept>) -> Desk {
    let fixed = Fixed {
        name: text(&line.name),
        plan: line.plan.clone(),
        line: Some(Arc::clone(line)),
        is_virtual: false,
        speed_um_s: None,
        doubts: None,
        aim: None,
    };
    Desk::new(setup_of(line), fixed, Some(book), kept.map(Kept::handle))
}

impl Desk {
    /// The line as the page may ask of it.
    #[must_use]
    pub fn machine(&self) -> Arc<dyn hmi::machine::Machine> {
        Arc::new(Line::new(self.clone()))
    }

    /// Takes up the lot that the program before had left open, if there is one.
    pub fn take_up_lot(&self) {
        let Ok(handle) = lots::handle(self) else { return };
        match handle.reader().and_then(|reader| reader.open_lot()) {
            Ok(Some(lot)) => {
                info!("lot {} is still open: pearls go on to belong to it", lot.form.number);
                self.with(|inner| lots::take_up(inner, &lot));
            }
            Ok(None) => {}
            Err(error) => warn!("the open lot can't be read: {error}"),
        }
    }

    /// Opens a lot, as an operator would.
    pub fn open_lot(&self, form: LotForm, who: &str) {
        if let Err(refusal) = lots::open(self, form, who) {
            warn!("no lot was opened: {refusal}");
        }
    }

    /// Closes the open lot, as an operator would.
    pub fn close_lot(&self, who: &str) {
        let open = self.with(|inner| inner.lot.as_ref().map(|lot| lot.lot));
        if let Some(lot) = open
            && let Err(refusal) = lots::close(self, lot.into(), who)
        {
            warn!("the lot was not closed: {refusal}");
        }
    }
}
