//! A stream that lets only unambiguous requests through, and none too slowly.
//!
//! It stands between the socket and hyper and follows the bytes: a head is
//! held back until it is whole and judged (`head.rs`), a body is counted to
//! its end (length or `chunks.rs`), then the next head begins. A refused head
//! never reaches hyper; a harmless one is put in its place, and the answer to
//! it ([`Refused`]) leaves in its turn, behind those of earlier
//! requests. Behind it nothing is read. It does not decode or route.

use std::{
    io,
    pin::{Pin, pin},
    sync::{Arc, OnceLock},
    task::{Context, Poll, ready},
};

use bytes::{Buf, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf},
    time::Instant,
};

use super::{
    alarm::Alarm,
    chunks::Chunks,
    head::{Framing, judge},
    limits::Limits,
};
use crate::problem::Refusal;

/// What is read from the socket at a time; also what an idle connection holds.
const READ_BYTES: usize = 8 * 1024;

/// What hyper is given in place of a refused head.
const STAND_IN: &[u8] = b"GET / HTTP/1.1\r\nhost: refused\r\nconnection: close\r\n\r\n";

/// Which request of a connection was refused, for the service behind hyper.
#[derive(Debug, Default)]
pub(super) struct Refused(OnceLock<(u64, Refusal)>);

impl Refused {
    /// Why the request of this number, counted from 0, was refused; `None`
    /// where it was not.
    pub(super) fn why(&self, number: u64) -> Option<Refusal> {
        let (refused, why) = self.0.get()?;
        (*refused == number).then_some(*why)
    }
}

/// Where in the stream of requests the next byte belongs.
#[derive(Debug)]
enum Place {
    Between,
    Head { since: Instant },
    Length { remaining: u64 },
    Chunked(Chunks),
    Closed,
}

/// The guarded stream.
#[derive(Debug)]
pub(super) struct Guard<S> {
    stream: S,
    limits: Arc<Limits>,
    refused: Arc<Refused>,
    buffer: BytesMut,
    /// Bytes at the front of the buffer that hyper may have.
    cleared: usize,
    /// Bytes of a head in which no end was found.
    searched: usize,
    place: Place,
    heads: u64,
    has_ended: bool,
    active_at: Instant,
    waiting_since: Option<Instant>,
    read_alarm: Alarm,
    write_blocked_since: Option<Instant>,
    write_alarm: Alarm,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Guard<S> {
    pub(super) fn new(stream: S, limits: Arc<Limits>, refused: Arc<Refused>) -> Self {
        Self {
            stream,
            limits,
            refused,
            buffer: BytesMut::new(),
            cleared: 0,
            searched: 0,
            place: Place::Between,
            heads: 0,
            has_ended: false,
            active_at: Instant::now(),
            waiting_since: None,
            read_alarm: Alarm::default(),
            write_blocked_since: None,
            write_alarm: Alarm::default(),
        }
    }

    /// Whether the client may still be sending what nobody will read. Closing
    /// then would reset the connection and could take the answer with it.
    pub(super) fn has_unread(&self) -> bool {
        let is_mid_request = !matches!(self.place, Place::Between) || !self.buffer.is_empty();
        !self.has_ended && (is_mid_request || self.refused.0.get().is_some())
    }

    /// The stream itself, for closing it.
    pub(super) fn into_stream(self) -> S {
        self.stream
    }

    fn refuse(&mut self, why: Refusal) {
        // There is one refusal in a connection's life: nothing is judged after.
        let _ = self.refused.0.set((self.heads, why));
        self.buffer = BytesMut::from(STAND_IN);
        self.cleared = self.buffer.len();
        self.place = Place::Closed;
    }

    /// Clears what may pass of the buffered bytes.
    fn clear(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        match &mut self.place {
            Place::Between => {
                self.place = Place::Head {
                    since: Instant::now(),
                };
                self.searched = 0;
                self.clear_head();
            }
            Place::Head { .. } => self.clear_head(),
            Place::Length { remaining } => {
                let here = usize::try_from(*remaining)
                    .map_or(self.buffer.len(), |all| all.min(self.buffer.len()));
                self.cleared = here;
                *remaining = remaining.saturating_sub(here as u64);
                if *remaining == 0 {
                    self.place = Place::Between;
                }
            }
            Place::Chunked(chunks) => {
                let here = chunks.advance(&self.buffer).map_err(|_| {
                    io::Error::new(io::ErrorKind::InvalidData, "malformed chunked body")
                });
                match here {
                    Ok(here) => self.cleared = here,
                    Err(error) => {
                        self.place = Place::Closed;
                        return Err(error);
                    }
                }
                if *chunks == Chunks::Ended {
                    self.place = Place::Between;
                }
            }
            Place::Closed => self.buffer.clear(),
        }
        Ok(())
    }

    fn clear_head(&mut self) {
        const END: &[u8] = b"\r\n\r\n";
        let overlap = END.len() - 1;
        let from = self.searched.saturating_sub(overlap);
        let unsearched = self.buffer.get(from..).unwrap_or_default();
        let end = unsearched
            .windows(END.len())
            .position(|window| window == END)
            .map(|at| from + at + END.len());
        self.searched = self.buffer.len();
        let length = end.unwrap_or(self.searched);
        if length > self.limits.head_bytes {
            return self.refuse(Refusal::HeadTooLarge);
        }
        let Some(head) = end.and_then(|end| self.buffer.get(..end)) else {
            return;
        };
        match judge(head, self.limits.head_fields) {
            Ok(framing) => {
                self.cleared = length;
                self.heads += 1;
                self.place = match framing {
                    Framing::Length(0) => Place::Between,
                    Framing::Length(remaining) => Place::Length { remaining },
                    Framing::Chunked => Place::Chunked(Chunks::START),
                };
            }
            Err(why) => self.refuse(why),
        }
    }

    /// Nothing has arrived: is it too late? While a request is answered hyper
    /// does not read, so this is never asked while the client is waiting.
    fn poll_deadline(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let deadline = match self.place {
            Place::Between if self.heads == 0 => self.active_at + self.limits.head_time,
            Place::Between => self.active_at + self.limits.idle_time,
            Place::Head { since } => since + self.limits.head_time,
            Place::Length { .. } | Place::Chunked(_) => {
                *self.waiting_since.get_or_insert_with(Instant::now) + self.limits.stall_time
            }
            Place::Closed => return Poll::Ready(Ok(())),
        };
        ready!(self.read_alarm.poll_past(deadline, context));
        match self.place {
            Place::Head { .. } => self.refuse(Refusal::HeadTooSlow),
            Place::Length { .. } | Place::Chunked(_) => {
                self.place = Place::Closed;
                let why = "the body made no progress";
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, why)));
            }
            Place::Between | Place::Closed => self.place = Place::Closed,
        }
        Poll::Ready(Ok(()))
    }

    fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.buffer.capacity() == self.buffer.len() {
            self.buffer.reserve(READ_BYTES);
        }
        match pin!(self.stream.read_buf(&mut self.buffer)).poll(context)? {
            Poll::Pending => self.poll_deadline(context),
            Poll::Ready(count) => {
                self.waiting_since = None;
                if count == 0 {
                    self.has_ended = true;
                    self.place = Place::Closed;
                }
                Poll::Ready(Ok(()))
            }
        }
    }

    /// What writing came to, with the time it has been without progress.
    fn poll_written<T>(
        &mut self,
        written: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.write_blocked_since = None;
            self.active_at = Instant::now();
            return written;
        }
        let since = *self.write_blocked_since.get_or_insert_with(Instant::now);
        let deadline = since + self.limits.stall_time;
        ready!(self.write_alarm.poll_past(deadline, context));
        let why = "the answer was not taken";
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, why)))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Guard<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if this.cleared == 0 {
                this.clear()?;
            }
            let count = this.cleared.min(out.remaining());
            if let Some(bytes) = this.buffer.get(..count)
                && count > 0
            {
                out.put_slice(bytes);
                this.buffer.advance(count);
                this.cleared -= count;
                return Poll::Ready(Ok(()));
            }
            if out.remaining() == 0 || matches!(this.place, Place::Closed) {
                return Poll::Ready(Ok(()));
            }
            ready!(this.poll_fill(context))?;
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Guard<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.poll_written(written, context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(context, slices);
        this.poll_written(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
