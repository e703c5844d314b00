//! Measures over events: mutual clients, people served, referrals, and ways out of crisis.
//!
//! [`Facts::collect`] reads the events once, with what the gateway knows about them ([`Resolver`]); [`measure`] then
//! computes every indicator for a period. The report carries the snapshot of links, the event
//! position, the parameters and the versions, so that a rerun gives the same numbers.
//!
//! Days are calendar days in the jurisdiction's zone; a cohort belongs to the day of its first event and
//! is counted once its window has passed; the median of an even count is the mean of the middle two.

mod assessments;
mod base;
mod facts;
mod family;
mod links;
mod referrals;
mod report;
mod served;
mod snapshot;
mod statistics;

pub use facts::{Facts, Known, ReferralFacts, Resolver};
pub use links::{SystemPair, Unit};
pub use referrals::Dimension;
pub use report::{MeasureReport, Parameters, ReportHeader, Scene, measure};
pub use snapshot::{PersonKey, Snapshot};
pub use statistics::median;
