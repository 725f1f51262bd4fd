//! The thread `hmi`: listens, accepts, and ends when told. Cold.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Semaphore, oneshot};
use tokio_rustls::TlsAcceptor;

use super::connection::{Peer, serve};
use super::options::Options;
use super::tls;
use crate::app::{App, now_ms};
use crate::editor::Editor;
use crate::gate::Hosts;
use crate::ledger::Ledger;
use crate::limits::{CONNECTIONS, HANDSHAKE_TIME, WORKERS};
use crate::live::{self, Hub};
use crate::machine::Machine;
use crate::page::Page;
use crate::people::{Brake, Sessions, UserError, Users, random_token, write_private};
use crate::routes::router;

/// Answers that are under way when the program ends have so long to be finished.
const END_TIME: Duration = Duration::from_millis(500);
/// After a failed accept (no descriptor left, say) the next try waits so long.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Open to a network without TLS.
    #[error(
        "the page at {0} could be reached from other computers, and passwords would go over the network as they are; give a \
         certificate and its key, or listen on 127.0.0.1"
    )]
    NeedsTls(SocketAddr),
    /// Open to a network without a login.
    #[error("the page at {0} could be reached from other computers: looking must need a login there")]
    NeedsLogin(SocketAddr),
    /// Certificate or key.
    #[error("{0}: {1}; TLS needs a certificate and its private key as PEM files")]
    Tls(PathBuf, String),
    /// The address.
    #[error("{0} can't be listened on: {1}; does another pearlsort run? choose another port")]
    Address(SocketAddr, io::Error),
    /// The users' file or the token's file.
    #[error("{0}")]
    Data(String),
    /// The thread.
    #[error("the page's thread can't be started: {0}")]
    Thread(io::Error),
}

impl From<UserError> for StartError {
    fn from(error: UserError) -> Self {
        Self::Data(error.to_string())
    }
}

/// A running server. It ends when dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    tls: bool,
    first_password: Option<String>,
    token_file: PathBuf,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What to type into a browser on this computer.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}/", if self.tls { "https" } else { "http" }, self.address)
    }

    /// The password of the user `admin`, if this start made them: to be shown once, and nowhere else to be had.
    #[must_use]
    pub fn first_password(&self) -> Option<&str> {
        self.first_password.as_deref()
    }

    /// The file with the token for the command line.
    #[must_use]
    pub fn token_file(&self) -> &std::path::Path {
        &self.token_file
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has told so.
            let _ = thread.join();
        }
    }
}

/// Starts the server on a thread of its own.
///
/// # Errors
/// When the options are unsafe, or the address, the certificate or the folder can't be used.
pub fn start(options: Options, machine: Arc<dyn Machine>) -> Result<Server, StartError> {
    let is_open = !options.address.ip().is_loopback();
    if is_open && options.tls.is_none() {
        return Err(StartError::NeedsTls(options.address));
    }
    if is_open && options.open_view {
        return Err(StartError::NeedsLogin(options.address));
    }
    let acceptor = options.tls.as_ref().map(tls::acceptor).transpose()?;
    let (listener, address) = listen(options.address)?;
    let (users, first_password) = Users::open(&options.data, now_ms())?;
    let token = random_token();
    let token_file = options.data.join("token");
    write_private(&token_file, token.as_bytes())
        .map_err(|error| StartError::Data(format!("{} can't be written: {error}", token_file.display())))?;
    let app = Arc::new(App {
        machine,
        users,
        sessions: Sessions::default(),
        brake: Brake::new(),
        ledger: Ledger::default(),
        hub: Hub::default(),
        page: Page::new(),
        hosts: Hosts::new(&options.hosts),
        editor: Mutex::new(Editor::default()),
        open_view: options.open_view,
        token,
        cookie: format!("pearlsort_session_{}", address.port()),
        tls: acceptor.is_some(),
        long: App::long_answers(),
        hashes: Semaphore::new(1),
        logins: App::login_places(),
    });
    let tls = acceptor.is_some();
    let runtime = runtime().map_err(StartError::Thread)?;
    let (stop, stopped) = oneshot::channel();
    let thread = std::thread::Builder::new()
        .name("hmi".to_owned())
        .spawn(move || run(runtime, listener, acceptor, &app, stopped))
        .map_err(StartError::Thread)?;
    Ok(Server {
        address,
        tls,
        first_password,
        token_file,
        stop: Some(stop),
        thread: Some(thread),
    })
}

/// The port is taken before the thread starts, so that the caller hears when it is not free.
fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let listener = TcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    });
    listener.map_err(|error| StartError::Address(address, error))
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(WORKERS)
        .thread_name("hmi-worker")
        .build()
}

fn run(
    runtime: Runtime,
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    app: &Arc<App>,
    stopped: oneshot::Receiver<()>,
) {
    runtime.block_on(async {
        tokio::spawn(live::run(Arc::clone(app)));
        let router = router(Arc::clone(app));
        tokio::select! {
            () = accept(listener, acceptor, router) => {}
            // The sender says nothing: it is dropped.
            _ = stopped => {}
        }
        app.hub.close();
        // The last words go out before the sockets are closed.
        tokio::task::yield_now().await;
    });
    runtime.shutdown_timeout(END_TIME);
}

async fn accept(listener: TcpListener, acceptor: Option<TlsAcceptor>, router: Router) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!("the page can't be served: {error}");
            return;
        }
    };
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!("a connection to the page could not be taken: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            refuse(stream, acceptor.is_some());
            continue;
        };
        let (router, acceptor) = (router.clone(), acceptor.clone());
        tokio::spawn(async move {
            let _place = place;
            connect(stream, Peer(peer.ip()), acceptor, router).await;
        });
    }
}

async fn connect(stream: TcpStream, peer: Peer, acceptor: Option<TlsAcceptor>, router: Router) {
    // Events are small and wanted at once; without it they are gathered, nothing worse.
    let _ = stream.set_nodelay(true);
    let Some(acceptor) = acceptor else {
        return serve(stream, peer, router).await;
    };
    match tokio::time::timeout(HANDSHAKE_TIME, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => serve(stream, peer, router).await,
        Ok(Err(error)) => tracing::debug!("a TLS handshake with {} failed: {error}", peer.0),
        Err(_) => tracing::debug!("a TLS handshake with {} took too long", peer.0),
    }
}

/// Tells one connection too many so. Without a handshake nothing can be said over TLS.
fn refuse(mut stream: TcpStream, tls: bool) {
    if tls {
        return;
    }
    tokio::spawn(async move {
        let body = format!(
            "{{\"code\":\"too_many_connections\",\"message_zh\":\"已有 {CONNECTIONS} 个连接；请关掉不用的页面后再试\",\
             \"message_en\":\"{CONNECTIONS} connections are open already; close pages that nobody needs, then try \
             again\",\"where\":\"connection\"}}"
        );
        let answer = format!(
            "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 30\r\nconnection: \
             close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        // Whoever does not read it does not hear it.
        let _ = stream.write_all(answer.as_bytes()).await;
        let _ = stream.shutdown().await;
    });
}
