//! Reading: an input becomes events and deviations, pushed into a sink as they are found.

use std::collections::BTreeSet;
use std::io::Read;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use tandem_mappings::model::event::NewEvent;

use crate::context::ReadContext;
use crate::deviation::{Deviation, Place};
use crate::format::Format;
use crate::memory::PartnerRow;
use crate::package::Package;

/// What is read: one stream, or a package of named streams.
pub enum Input<'a> {
    /// One stream and its name.
    Stream {
        /// File name or message id.
        name: &'a str,
        /// The bytes.
        reader: &'a mut dyn Read,
    },
    /// Named streams that belong together.
    Package {
        /// File name of the zip, or of the folder.
        name: &'a str,
        /// The entries.
        package: &'a mut dyn Package,
    },
}

impl Input<'_> {
    /// The input's name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Stream { name, .. } | Self::Package { name, .. } => name,
        }
    }
}

impl std::fmt::Debug for Input<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Stream { name, .. } => write!(f, "Input::Stream({name})"),
            Self::Package { name, .. } => write!(f, "Input::Package({name})"),
        }
    }
}

/// What an input says about what it leaves out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Coverage {
    /// Says nothing about records that it leaves out (delta, message).
    #[default]
    Partial,
    /// Replaces all earlier records of the system: what is absent is withdrawn.
    Full,
    /// Replaces earlier records of the stays that it covers: an absent person of whom every known stay is covered is
    /// withdrawn; about others it says nothing.
    Stays(StaysCovered),
}

/// Which stays an input tells completely.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaysCovered {
    /// First day of the period: stays that ended before it may be left out.
    pub from: Date,
    /// Last day of the period: stays that began after it may be left out.
    pub to: Date,
    /// The sender's ids of the projects whose stays it tells.
    pub projects: BTreeSet<String>,
}

impl StaysCovered {
    /// Whether a stay is one that the input would tell. A day that is not known counts as outside, since nothing may
    /// be taken from its absence.
    #[must_use]
    pub fn has(&self, project: Option<&str>, began: Option<Date>, ended: Option<Date>) -> bool {
        let is_told = project.is_some_and(|project| self.projects.contains(project));
        is_told
            && began.is_some_and(|day| day <= self.to)
            && ended.is_none_or(|day| day >= self.from)
    }
}

/// The sink refused an event; the reader stops at once and returns this.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("stopped by the receiver: {0}")]
pub struct Stopped(pub String);

/// Takes what a reader finds. Calls come in the order of the input.
pub trait Sink {
    /// One record of a type was seen, as the publisher counts them (`T1`, `Client.csv` row as `Client`,
    /// `Patient`). Refused records count too.
    fn record(&mut self, record_type: &str);

    /// An event.
    ///
    /// # Errors
    /// When the receiver can't take more.
    fn event(&mut self, event: NewEvent) -> Result<(), Stopped>;

    /// Something is wrong or doubtful.
    fn deviation(&mut self, deviation: Deviation);

    /// A record that must never enter was met: lines `place.line..=last_line` of `place.file` are cut out of the
    /// kept original, or the whole file when the place has no line. Nothing of the record may be given to the sink otherwise.
    fn refused(&mut self, place: Place, last_line: u64);

    /// The format's version as found, for example `FY2026` or `TANF 20261`.
    fn version(&mut self, version: &str);

    /// What the input says about what it leaves out; `Partial` unless told.
    fn coverage(&mut self, coverage: Coverage);

    /// A row of the partner's own that a later delivery must copy unchanged.
    ///
    /// # Errors
    /// When the receiver can't take more.
    fn partner_row(&mut self, row: PartnerRow) -> Result<(), Stopped>;
}

/// A file or message format that can be read. Reading never panics and always ends: whatever the bytes, what is
/// wrong with them becomes deviations.
pub trait FormatReader: Send + Sync {
    /// The format.
    fn format(&self) -> Format;

    /// Reads an input to its end. Memory does not grow with the input's size, save for keys.
    ///
    /// # Errors
    /// Only when the sink stopped the reader: what is wrong with the input is a deviation.
    fn read(
        &self,
        input: Input<'_>,
        context: &ReadContext,
        sink: &mut dyn Sink,
    ) -> Result<(), Stopped>;
}
