//! A large input is read to its end before it is accepted: what was found goes sealed into one blob, the input without
//! what must never enter into another. What that is, is only known when all of it was read; so no file is sealed first
//! and read later. Neither is ever in memory whole. Runs on a blocking thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::read::{FormatReader, Stopped};

use super::findings::{self, Found};
use super::people::People;
use super::reading::{ReadThrough, Unread, read_through};
use super::{AcceptError, Labeller, Source, labelled};
use crate::blob::{BlobFolder, NewBlob, Written};
use crate::pipeline::original::{CopyError, Cuts, copy_without_refused};

/// What a survey needs.
pub(super) struct Survey {
    pub(super) reader: Arc<dyn FormatReader>,
    pub(super) context: ReadContext,
    pub(super) source: Source,
    pub(super) labeller: Option<Arc<Labeller>>,
    pub(super) folder: BlobFolder,
    /// Set when nobody waits for it any more.
    pub(super) is_given_up: Arc<AtomicBool>,
}

/// What was found.
#[derive(Debug)]
pub(in crate::pipeline) struct Surveyed {
    pub(super) read: ReadThrough,
    pub(super) people: People,
    pub(super) findings: Written,
}

/// The input without what must never enter.
#[derive(Debug)]
pub(super) struct Copied {
    pub(super) original: Written,
    /// Hash of the input after it was read and copied.
    pub(super) content_hash: [u8; 32],
}

impl Survey {
    /// Reads the input to its end. Failed, it leaves no file.
    pub(super) fn read(&self) -> Result<Surveyed, AcceptError> {
        let mut found = self.folder.begin()?;
        let mut people = People::default();
        let mut failure = None;
        let hand_over = |one: Found| {
            if self.is_given_up.load(Ordering::Relaxed) {
                return Err(Stopped("nobody waits any more".to_owned()));
            }
            let one = labelled(one, self.labeller.as_deref(), &self.context.system);
            if let Found::Event(event) = &one {
                people.note(event);
            }
            findings::write(&mut found, &one).map_err(|error| {
                let stopped = Stopped(error.to_string());
                failure = Some(error);
                stopped
            })
        };
        let source = self.source.open()?;
        let read = read_through(self.reader.as_ref(), &self.context, source, hand_over);
        let read = match (read, failure) {
            (Ok(read), _) => read,
            (Err(_), Some(error)) => return Err(found.failed(error).into()),
            (Err(Unread::Io(error)), None) => return Err(error.into()),
            (Err(Unread::Stopped), None) => {
                return Err(AcceptError::Reader(self.reader.format().name()));
            }
        };
        Ok(Surveyed {
            read,
            people,
            findings: found.finish()?,
        })
    }

    /// Copies the input, once it was read. Failed, it leaves no file.
    pub(super) fn copy(&self, cuts: &Cuts) -> Result<Copied, AcceptError> {
        let mut original = self.folder.begin()?;
        let (name, source) = (&self.context.input_name, self.source.open()?);
        match copy_without_refused(name, source, cuts, &mut original) {
            Err(CopyError::Io(error)) => Err(original.failed(error).into()),
            Err(damaged) => Err(damaged.into()),
            Ok(()) => self.copied(original),
        }
    }

    /// Nothing of an input that can't be copied. That it can be read from where it lies, its hash tells.
    pub(super) fn copy_nothing(&self) -> Result<Copied, AcceptError> {
        self.copied(self.folder.begin()?)
    }

    fn copied(&self, original: NewBlob) -> Result<Copied, AcceptError> {
        Ok(Copied {
            original: original.finish()?,
            content_hash: self.source.hash()?,
        })
    }
}

/// Says, when it is dropped, that nobody waits any more.
pub(super) struct Waiting(pub(super) Arc<AtomicBool>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
