//! Who is the same person: record linkage within and between agency systems.
//!
//! [`Engine`] links a batch; [`Index`] answers about one record at a time from the same model and the same
//! comparisons; [`link_tables`] links plain CSV tables. Every decision has an [`Explanation`] that holds no
//! personal data. The crate does no input or output of its own.

mod account;
mod around;
mod batch;
mod blocking;
mod bridge;
mod cluster;
mod compare;
mod decide;
mod doubts;
mod engine;
mod estimate;
mod explain;
mod fairness;
mod field;
mod household;
mod index;
mod joining;
mod learnt;
mod matcher;
mod mix;
mod model;
mod nickname;
mod person;
mod plan;
mod population;
mod pprl;
mod prepared;
mod progress;
mod rates;
mod record;
mod report;
mod result;
mod ruling;
mod score;
mod settings;
mod shelves;
mod source;
mod spelling;
mod table;
mod text;
mod value;
mod vocabulary;
mod wording;

pub use account::{DecidedBy, FieldAccount, OddsAgainst, PairAccount};
pub use batch::Batch;
pub use blocking::{BlockingStatistics, KeyOutcome, KeyStatistics, SharedKey, Survey};
pub use cluster::ClusterId;
pub use decide::{Decision, Note};
pub use engine::{Engine, EngineError};
pub use estimate::{Estimate, EstimateError};
pub use explain::{Explanation, FieldWeight};
pub use fairness::{Dimension, GroupQuality};
pub use field::Field;
pub use household::{HouseholdId, Households, Unduplicated};
pub use index::{Candidate, Found, Index};
pub use learnt::Learnt;
pub use nickname::{NicknameError, Nicknames, given_name};
pub use plan::BlockingPlan;
pub use pprl::{
    EncodeOptions, EncodeReport, EncodedTables, KEY_BYTES, Noise, PprlKey, PprlKeyError,
    PprlReport, encode_table, link_encoded,
};
pub use progress::{Audience, Phase, Progress};
pub use rates::FalseMatchRate;
pub use record::{Name, Record, RecordKey};
pub use result::{LinkResult, Pair, Statistics};
pub use ruling::{Ruling, Rulings};
pub use settings::{
    Blocking, Clustering, Frequency, Prior, Probabilities, Settings, SettingsError, Thresholds,
};
pub use table::{
    LinkExtras, LinkOptions, LinkOutputs, LinkPlan, LinkReport, LinkTablesError, ReferencePair,
    Reopen, TableInput, TableWarning, link_tables, link_tables_with, plan_tables,
};
pub use value::{Address, BirthDate, Quality, Relationship, Sex, Ssn};
