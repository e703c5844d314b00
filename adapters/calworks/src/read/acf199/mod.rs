//! Reads the quarterly federal files ACF-199 (TANF) and ACF-209 (SSP-MOE): fixed width, one record a line.
//!
//! The file is read once, line by line. What is remembered of it are fingerprints of keys and a few bytes for each case
//! and month, so that half a gigabyte needs less than 200 MB of memory.
//!
//! Errors are the categories 1 to 4 of the federal portal (`validation_rules.csv`); their codes are the rule numbers. A
//! trailer whose count differs from the number of records is doubtful only: the portal takes such files. One quirk of
//! the portal is kept: work participation status 19 fails rule V, 16 fails rule C12.

mod cases;
mod consistency;
mod emit;
mod finding;
mod group;
mod header;
mod known;
mod line;
mod people;
mod person_rules;
mod records;
mod run;
mod section;
mod settle;
mod ssn;
mod values;
mod view;

use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::deviation::{Deviation, Place};
use tandem_adapter_port::format::Format;
use tandem_adapter_port::read::{FormatReader, Input, Sink, Stopped};
use tandem_mappings::tables::TableError;

pub use header::{Expected, ExpectedProgram};
pub use ssn::Substitution;

use crate::tables::{Layout, Layouts};
use records::Program3;

/// The reader of `calworks/acf-199`.
#[derive(Debug)]
pub struct Acf199Reader {
    expected: Expected,
    header: Layout,
    trailer: Layout,
    programs: Program3,
    substitution: Substitution,
}

impl Acf199Reader {
    /// A reader that takes any file, or only what is `expected`.
    ///
    /// # Errors
    /// When a layout table is not sound.
    pub fn new(expected: Expected) -> Result<Self, TableError> {
        Ok(Self {
            expected,
            header: Layouts::header()?,
            trailer: Layouts::trailer()?,
            programs: Program3::load()?,
            substitution: Substitution::load()?,
        })
    }
}

impl FormatReader for Acf199Reader {
    fn format(&self) -> Format {
        Format::Acf199
    }

    fn read(
        &self,
        input: Input<'_>,
        context: &ReadContext,
        sink: &mut dyn Sink,
    ) -> Result<(), Stopped> {
        match input {
            Input::Stream { name, reader } => run::read(self, name, reader, context, sink),
            Input::Package { name, .. } => {
                let expected = "one text file, not a package";
                sink.deviation(Deviation::input_error(
                    "not-a-file",
                    Place::file(name),
                    expected,
                ));
                Ok(())
            }
        }
    }
}
