//! The fact tables of this adapter, loaded from data files that carry a source and a version.

mod accepted;
mod identifiers;
mod layout;
mod layouts;
mod linkages;

pub use accepted::{Accepted, AcceptedError, day_faults};
pub use identifiers::{AidCodes, CountyCodes};
pub use layout::{Field, FieldKind, Layout, Program, Section, Span};
pub use layouts::Layouts;
pub use linkages::{LineType, LinkagesField, LinkagesFields, ValueType};
