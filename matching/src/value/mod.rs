//! The values of a record, each normalised once when it is read.

mod address;
mod birth;
mod phone;
mod quality;
mod relationship;
mod sex;
mod ssn;
mod suffix;

pub use address::Address;
pub(crate) use address::Place;
pub use birth::BirthDate;
pub(crate) use phone::digits as phone_digits;
pub use quality::Quality;
pub use relationship::Relationship;
pub use sex::Sex;
pub use ssn::Ssn;
pub(crate) use suffix::{generation, split_generation};
