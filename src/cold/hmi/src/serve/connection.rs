//! One connection: requests read with time-outs, answered by the router. Cold.
//!
//! Words: a **patient** stream gives up when its other side takes nothing for too long.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use crate::limits::{HEAD_BYTES, HEAD_TIME, WRITE_TIME};

/// The address that a request comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Answers a connection's requests until it ends.
pub(super) async fn serve<S: AsyncRead + AsyncWrite + Unpin + 'static>(stream: S, peer: Peer, router: Router) {
    let entrance = Entrance {
        peer,
        inner: TowerToHyperService::new(router),
    };
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(Patient::new(stream)), entrance)
        .await;
    if let Err(error) = served {
        tracing::debug!("a connection from {} ended: {error}", peer.0);
    }
}

/// Tells the router who asks.
struct Entrance {
    peer: Peer,
    inner: TowerToHyperService<Router>,
}

impl Service<Request<Incoming>> for Entrance {
    type Response = Response<axum::body::Body>;
    type Error = std::convert::Infallible;
    type Future = <TowerToHyperService<Router> as Service<Request<Incoming>>>::Future;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.peer);
        self.inner.call(request)
    }
}

/// A stream whose writes give up when nothing is taken for [`WRITE_TIME`].
struct Patient<S> {
    stream: S,
    /// Runs while a write waits.
    patience: Pin<Box<Sleep>>,
    waits: bool,
}

impl<S> Patient<S> {
    fn new(stream: S) -> Self {
        Self {
            stream,
            patience: Box::pin(sleep(WRITE_TIME)),
            waits: false,
        }
    }

    fn watch<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waits = false;
            return written;
        }
        if !self.waits {
            self.waits = true;
            self.patience.as_mut().reset(Instant::now() + WRITE_TIME);
        }
        match self.patience.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.watch(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.watch(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(context);
        self.watch(context, shut)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use axum::routing::post;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

    use super::*;
    use crate::body::Form;
    use crate::limits::BODY_TIME;

    const PEER: Peer = Peer(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST));

    /// A connection to a server with one route.
    fn connection() -> DuplexStream {
        let (ours, theirs) = tokio::io::duplex(1024);
        let router = Router::new().route("/", post(|Form(number): Form<u8>| async move { number.to_string() }));
        tokio::spawn(serve(theirs, PEER, router));
        ours
    }

    async fn answer(stream: &mut DuplexStream) -> String {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("text");
        answer
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_drips_in_is_cut_off() {
        let mut stream = connection();
        let began = Instant::now();
        stream
            .write_all(b"POST / HTTP/1.1\r\nhost: localhost\r\nx: ")
            .await
            .expect("a part");
        let answer = answer(&mut stream).await;
        assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
        let took = began.elapsed();
        assert!(took >= HEAD_TIME && took < HEAD_TIME * 2, "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_says_nothing_is_cut_off() {
        let mut stream = connection();
        let began = Instant::now();
        assert_eq!(answer(&mut stream).await, "");
        assert!(began.elapsed() < HEAD_TIME * 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_drips_in_is_answered_and_cut_off() {
        let mut stream = connection();
        let began = Instant::now();
        let head =
            b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n1";
        stream.write_all(head).await.expect("a part");
        let answer = answer(&mut stream).await;
        assert!(
            answer.starts_with("HTTP/1.1 408") && answer.contains("too_slow"),
            "{answer}"
        );
        assert!(began.elapsed() >= BODY_TIME);
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_takes_nothing_is_given_up() {
        let (ours, theirs) = tokio::io::duplex(16);
        let mut patient = Patient::new(ours);
        let began = Instant::now();
        let written = patient.write_all(&[0; 64]).await;
        assert_eq!(written.expect_err("nobody reads").kind(), io::ErrorKind::TimedOut);
        assert!(began.elapsed() >= WRITE_TIME);
        drop(theirs);
    }
}
