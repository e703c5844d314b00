//! Synthetic people in four agency systems, with the truth about who is who.
//!
//! [`Population`] walks through families, from a seed, one at a time, and gives each record that a system keeps of
//! each of their members: the same seed gives the same records on every machine. Nobody in it exists; Social
//! Security numbers lie in areas that are never issued (900 to 999). The crate knows nothing of the engine that is
//! measured with it.
//!
//! [`Linkages`] walks through the children of two systems whose sizes, overlap and open cases are given, [`Lookalikes`] through families of people who are easily taken for
//! each other.
//!
//! The error model and its rates are in [`Errors`], the systems' habits in [`System`].

mod bank;
mod dice;
mod errors;
mod family;
mod linkages;
mod lookalikes;
mod member;
mod population;
mod row;
mod slip;
mod system;
mod tables;

pub use errors::Errors;
pub use linkages::{Known, Linkages, Shape};
pub use lookalikes::{LOOKALIKES_FROM, Lookalikes};
pub use population::{Parameters, Population};
pub use row::{COLUMNS, Row, TruthRow};
pub use system::System;
pub use tables::{Written, write_linkages, write_tables, write_with_lookalikes};
