//! Reading: a Bundle, a resource or newline-delimited resources become events.

mod coded;
pub(crate) mod collect;
mod deletion;
mod patient;
mod plan;
pub(crate) mod reference;
pub(crate) mod referral;
pub(crate) mod resource;
mod split;
pub(crate) mod task_events;
pub(crate) mod typed;
pub(crate) mod view;

mod bundle;

pub use bundle::FhirReader;
