//! A connection as the gateway lets it in: it has one of a bounded number of places, and whoever says nothing, or takes
//! nothing of what is written, loses it.
//!
//! The server below looks for the version of HTTP before it starts any clock of its own, and has none for writing. So the
//! clocks stand here, around the socket and below TLS: from the opening of a connection until its first request is heard, its
//! handshake included, and whenever a write waits. Between requests the server's own clock runs, and while one is answered
//! that of the guard.

use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum_server::accept::Accept;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;
use tower::Service;

use super::places::{Place, Places};

/// Least patience with a write: who reads an answer page by page pauses for longer than the head of a request may take.
const LEAST_FOR_WRITES: Duration = Duration::from_secs(60);

/// Where connections come in.
#[derive(Debug, Clone)]
pub(super) struct Entrance {
    places: Arc<Places>,
    patience: Duration,
}

impl Entrance {
    /// Lets connections in to these places, and has so much patience with each, and a minute at least with its writes.
    pub(super) fn new(places: Places, patience: Duration) -> Self {
        Self {
            places: Arc::new(places),
            patience,
        }
    }

    fn let_in<S>(
        &self,
        stream: TcpStream,
        service: S,
    ) -> io::Result<(Connection<TcpStream>, Hearing<S>)> {
        let peer = stream.peer_addr()?.ip().to_canonical();
        let Some(place) = self.places.take(peer) else {
            return Err(io::ErrorKind::ConnectionRefused.into());
        };
        let connection = Connection::new(stream, self.patience, place)
            .patient_with_writes(self.patience.max(LEAST_FOR_WRITES));
        let hearing = Hearing {
            service,
            is_heard: Arc::clone(&connection.is_heard),
        };
        Ok((connection, hearing))
    }
}

impl<S> Accept<TcpStream, S> for Entrance {
    type Stream = Connection<TcpStream>;
    type Service = Hearing<S>;
    type Future = Ready<io::Result<(Self::Stream, Self::Service)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        ready(self.let_in(stream, service))
    }
}

/// What answers the requests of a connection, and tells it that one was heard.
#[derive(Debug, Clone)]
pub(super) struct Hearing<S> {
    service: S,
    is_heard: Arc<AtomicBool>,
}

impl<S: Service<R>, R> Service<R> for Hearing<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: R) -> S::Future {
        self.is_heard.store(true, Ordering::Relaxed);
        self.service.call(request)
    }
}

/// A stream whose reads and writes fail once the other side has kept the gateway waiting for too long.
#[derive(Debug)]
pub(super) struct Connection<S> {
    stream: S,
    /// How long a write may wait.
    patience: Duration,
    is_heard: Arc<AtomicBool>,
    /// Runs until a first request is heard.
    silence: Option<Pin<Box<Sleep>>>,
    /// Runs while a write waits.
    stall: Option<Pin<Box<Sleep>>>,
    _place: Place,
}

impl<S> Connection<S> {
    fn new(stream: S, patience: Duration, place: Place) -> Self {
        Self {
            stream,
            patience,
            is_heard: Arc::default(),
            silence: Some(Box::pin(tokio::time::sleep(patience))),
            stall: None,
            _place: place,
        }
    }

    /// Lets a write wait for so long.
    fn patient_with_writes(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Whether no request was heard in time.
    fn was_silent(&mut self, context: &mut Context<'_>) -> bool {
        if self.is_heard.load(Ordering::Relaxed) {
            self.silence = None;
        }
        self.silence
            .as_mut()
            .is_some_and(|silence| silence.as_mut().poll(context).is_ready())
    }

    /// What a write came to, or that it has waited for too long.
    fn in_time(
        &mut self,
        written: Poll<io::Result<usize>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stall = None;
            return written;
        }
        let patience = self.patience;
        let stall = self
            .stall
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        stall.as_mut().poll(context).map(|()| Err(too_late()))
    }
}

fn too_late() -> io::Error {
    io::ErrorKind::TimedOut.into()
}

impl<S: AsyncRead + Unpin> AsyncRead for Connection<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let read = Pin::new(&mut this.stream).poll_read(context, buffer);
        if read.is_pending() && this.was_silent(context) {
            return Poll::Ready(Err(too_late()));
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Connection<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.in_time(written, context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(context, parts);
        this.in_time(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    // A socket never keeps either of these waiting.
    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use futures::poll;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

    use super::*;

    const PATIENCE: Duration = Duration::from_millis(20);
    /// What fits between the two sides before one must read.
    const BETWEEN: usize = 64;

    fn opened() -> (Connection<DuplexStream>, DuplexStream) {
        let (near, far) = tokio::io::duplex(BETWEEN);
        let places = Arc::new(Places::new(1));
        let place = places.take(Ipv4Addr::LOCALHOST.into()).unwrap();
        (Connection::new(near, PATIENCE, place), far)
    }

    async fn soon<T>(awaited: impl Future<Output = T>) -> T {
        tokio::time::timeout(Duration::from_secs(20), awaited)
            .await
            .expect("it ends")
    }

    #[tokio::test]
    async fn a_connection_on_which_no_request_is_heard_in_time_ends() {
        for sent in ["", "P", "PRI * HTT"] {
            let (mut connection, mut far) = opened();
            far.write_all(sent.as_bytes()).await.unwrap();
            let mut read = Vec::new();
            let ended = soon(connection.read_to_end(&mut read)).await.unwrap_err();
            assert_eq!(ended.kind(), io::ErrorKind::TimedOut, "{sent:?}");
        }
    }

    #[tokio::test]
    async fn a_connection_that_was_heard_may_say_nothing_for_longer() {
        let (mut heard, mut far) = opened();
        heard.is_heard.store(true, Ordering::Relaxed);
        let mut read = Box::pin(heard.read_u8());
        assert!(poll!(read.as_mut()).is_pending());
        // Another one was opened later, and its time is over.
        let (mut silent, _far) = opened();
        soon(silent.read_u8()).await.unwrap_err();
        assert!(poll!(read.as_mut()).is_pending());
        far.write_u8(7).await.unwrap();
        assert_eq!(soon(read).await.unwrap(), 7);
    }

    #[tokio::test]
    async fn a_write_of_which_nothing_is_taken_in_time_fails() {
        let (mut connection, _far) = opened();
        let ended = soon(connection.write_all(&[0; BETWEEN + 1])).await;
        assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_write_may_wait_for_longer_than_a_first_request() {
        let (connection, mut far) = opened();
        let mut connection = connection.patient_with_writes(LEAST_FOR_WRITES);
        let mut written = Box::pin(connection.write_all(&[0; BETWEEN + 1]));
        assert!(poll!(written.as_mut()).is_pending());
        // Another one was opened later, and its time is over.
        let (mut silent, _far) = opened();
        soon(silent.read_u8()).await.unwrap_err();
        assert!(poll!(written.as_mut()).is_pending());
        far.read_exact(&mut [0; BETWEEN]).await.unwrap();
        soon(written).await.unwrap();
    }

    #[tokio::test]
    async fn a_write_that_goes_on_has_all_its_time_again() {
        let (mut connection, mut far) = opened();
        let mut written = Box::pin(connection.write_all(&[0; BETWEEN + 1]));
        assert!(poll!(written.as_mut()).is_pending());
        far.read_exact(&mut [0; BETWEEN]).await.unwrap();
        soon(written).await.unwrap();
        assert!(connection.stall.is_none());
    }
}
