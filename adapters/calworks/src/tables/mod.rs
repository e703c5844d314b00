//! The fact tables of this adapter, loaded from data files that carry a source and a version.

mod accepted;
mod identifiers;
mod layout;
mod linkages;

pub use accepted::{Accepted, AcceptedError, day_faults};
pub use identifiers::{AidCodes, CountyCodes};
pub use layout::{Field, FieldKind, Layout, Layouts, Program, Section, Span};
pub use linkages::{LineType, LinkagesField, LinkagesFields, ValueType};
