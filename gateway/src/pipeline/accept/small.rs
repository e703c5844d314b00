//! Small inputs: read in memory, and written whole in one turn with others that came at the same time.

use std::io::{self, Cursor};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::format::Format;
use tandem_adapter_port::read::{FormatReader, Stopped};
use tokio::sync::mpsc;

use super::findings::Found;
use super::reading::{ReadHere, Room, read_through};
use super::sheet::Sheet;
use super::{AcceptError, Accepted, Acceptor, Intake, Sent, Source};
use crate::pipeline::original::is_zip;

/// Findings that may wait between the reader and the store.
const WAITING: usize = 500;
/// Bytes up to which an input in memory is read where it is: the way to a blocking thread and back would take longer.
const AT_ONCE: usize = 16 * 1_024;

impl Acceptor {
    /// Accepts an input whole. One in which very much is found, which only its reading tells, goes the way of the large
    /// ones.
    pub(super) async fn accept_small(
        &self,
        reader: Arc<dyn FormatReader>,
        context: ReadContext,
        source: Source,
        sent: Option<Sent>,
    ) -> Result<Accepted, AcceptError> {
        let format = reader.format();
        let (bytes, sent) = whole(source, sent, format).await?;
        let mut intake = Intake::sent(&self.store, &context, format, &sent);
        intake.refresh = Some(self.refresh);
        intake.room = self.files.as_ref().map(|_| self.room);
        let read = self.read_here(&mut intake, Arc::clone(&reader), &context, &bytes);
        let read = read.await?;
        match (read, &self.files) {
            (Some(read), _) => self.write(intake, format, read).await,
            (None, Some(files)) => {
                drop(intake);
                let (source, sent) = (Source::Bytes(bytes), Some(sent));
                Box::pin(self.accept_large(files, reader, context, source, sent)).await
            }
            // Nobody limits the room then.
            (None, None) => Err(AcceptError::Reader(format.name())),
        }
    }

    /// Reads an input that stands in the store already, and writes what comes of it.
    pub(super) async fn run(
        &self,
        mut intake: Intake,
        reader: Arc<dyn FormatReader>,
        context: &ReadContext,
        bytes: Arc<Vec<u8>>,
    ) -> Result<Accepted, AcceptError> {
        let format = reader.format();
        let read = self.read_here(&mut intake, reader, context, &bytes).await?;
        let read = read.ok_or(AcceptError::Reader(format.name()))?;
        self.write(intake, format, read).await
    }

    /// Reads an input; `None` when there is no room for what is found in it.
    async fn read_here(
        &self,
        intake: &mut Intake,
        reader: Arc<dyn FormatReader>,
        context: &ReadContext,
        bytes: &Arc<Vec<u8>>,
    ) -> Result<Option<ReadHere>, AcceptError> {
        let format = reader.format();
        let is_new = !intake.was_held && intake.replay.is_none();
        if is_at_once(bytes) {
            let labeller = self.labeller.as_deref();
            let hand_over = |found| {
                intake.add(found, labeller);
                Ok(())
            };
            let content = Cursor::new(bytes.as_slice());
            // A reader that fails takes nothing with it: neither the caller's connection nor the watch of a folder.
            let read =
                AssertUnwindSafe(|| read_through(reader.as_ref(), context, content, hand_over));
            let read = catch_unwind(read).ok().and_then(Result::ok);
            let read = read.ok_or(AcceptError::Reader(format.name()))?;
            return ReadHere::of(&context.input_name, bytes, read, is_new).map(Some);
        }
        let (out, found) = mpsc::channel(WAITING);
        let reading = Reading {
            reader,
            context: context.clone(),
            bytes: Arc::clone(bytes),
            room: intake.room,
            is_new,
        };
        let reading = tokio::task::spawn_blocking(move || reading.go(&out));
        intake.take(found, self.labeller.as_deref()).await;
        let read = reading.await;
        read.map_err(|_| AcceptError::Reader(format.name()))?
    }

    /// Writes what was read, with what others have read at the same time.
    async fn write(
        &self,
        intake: Intake,
        format: Format,
        mut here: ReadHere,
    ) -> Result<Accepted, AcceptError> {
        here.read.report.format.clone_from(&intake.format);
        let sheet = Sheet::of(intake, format, here);
        let (desk, store) = (Arc::clone(&self.desk), self.store.clone());
        // Who writes for others goes on when his own caller hangs up.
        let written = tokio::spawn(async move { desk.note(&store, &(), sheet).await });
        let written = written.await.map_err(|_| AcceptError::Broken)?;
        let (_, accepted) = written?;
        accepted.ok_or(AcceptError::NameTaken)
    }
}

/// All bytes of an input, and what is known of it besides.
async fn whole(
    source: Source,
    sent: Option<Sent>,
    format: Format,
) -> Result<(Arc<Vec<u8>>, Sent), AcceptError> {
    // The hash of what was pushed is known.
    let is_at_hand = source.is_small(sent.map_or(AT_ONCE, |_| usize::MAX));
    let read = move || {
        let bytes = source.whole()?;
        let sent = sent.unwrap_or_else(|| Sent::file(Sha256::digest(&*bytes).into()));
        Ok::<_, io::Error>((bytes, sent))
    };
    if is_at_hand {
        return Ok(read()?);
    }
    let read = tokio::task::spawn_blocking(read).await;
    Ok(read.map_err(|_| AcceptError::Reader(format.name()))??)
}

/// Whether an input is read where it is. Nobody knows how long that of a zip takes.
fn is_at_once(bytes: &[u8]) -> bool {
    bytes.len() <= AT_ONCE && is_zip(&mut Cursor::new(bytes)).is_ok_and(|is_one| !is_one)
}

/// The reading of an input on a blocking thread.
struct Reading {
    reader: Arc<dyn FormatReader>,
    context: ReadContext,
    bytes: Arc<Vec<u8>>,
    room: Option<Room>,
    is_new: bool,
}

impl Reading {
    /// Reads to the end and copies what is kept; `None` when there was no room for what was found.
    fn go(mut self, out: &mpsc::Sender<Found>) -> Result<Option<ReadHere>, AcceptError> {
        let (bytes, mut is_full) = (self.bytes.as_slice(), false);
        let hand_over = |found: Found| {
            if let Some(room) = &mut self.room
                && !room.takes(&found)
            {
                is_full = true;
                return Err(Stopped("more is found than there is room for".to_owned()));
            }
            let gone = |_| Stopped("the gateway is stopping".to_owned());
            out.blocking_send(found).map_err(gone)
        };
        let (reader, content) = (self.reader.as_ref(), Cursor::new(bytes));
        let read = read_through(reader, &self.context, content, hand_over);
        if is_full {
            return Ok(None);
        }
        let name = reader.format().name();
        let read = read.map_err(|_| AcceptError::Reader(name))?;
        ReadHere::of(&self.context.input_name, bytes, read, self.is_new).map(Some)
    }
}
