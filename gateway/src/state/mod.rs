//! State as the gateway keeps it: one document type per file, written with the event that changes it.

pub mod baseline;
pub mod break_glass;
pub mod denial;
pub mod directive;
pub mod disclosure;
pub mod episode;
pub mod forgotten;
pub mod gone_record;
pub mod held;
pub mod involvement;
pub mod large;
pub mod legal_hold;
pub mod link;
pub mod match_model;
pub mod mutual;
pub mod overlay;
pub mod partner;
pub mod plan;
pub mod recalling;
pub mod record;
pub mod referral;
pub mod retention;
pub mod second_factor;
pub mod sensitivity;
pub mod stuck;
pub mod timer;
