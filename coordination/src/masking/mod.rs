//! Small-cell suppression for public tables.
//!
//! Protocol: measured rows become a [`Release`] of count cells and the sums among them. [`protect`] masks small
//! counts (primary), then further counts so that no masked one follows from a shown total
//! (complementary), and then [`audit`]s the release: every masked count must have a second possible
//! value, proven by a witness. What cannot be proven is not published; the caller coarsens the
//! table (period, geography, strata) and tries again.
//!
//! Rule basis: California agency de-identification guidelines (numerator at least 11 and denominator
//! over 20,000 passes; otherwise score; 13 or more masks cells under 11). The default masks every
//! count from 1 to 10 whatever the score.

mod audit;
mod cell;
mod coarsen;
mod export_csv;
mod export_fhir;
mod limits;
mod protect;
mod public;
mod release;
mod score;

pub use audit::{Derivable, audit};
pub use cell::{Cell, CellKey, CountRole, Stratum, StratumError, Suppression};
pub use coarsen::protect_or_coarsen;
pub use export_csv::{CSV_HEADER, write_csv};
pub use export_fhir::measure_reports;
pub use limits::{LimitError, MAX_STRATA, age_group, check_limits};
pub use protect::{NotProtected, Parameters, protect};
pub use public::{PublicRow, publish};
pub use release::{MeasuredRow, Release, Sum};
pub use score::{Interaction, RaceDetail, ScoreInputs, must_mask, score};

#[cfg(test)]
mod tests;
