//! Child welfare: the county's CWS/CMS extract, and the exchange partner that takes NIEM messages.

mod columns;
mod draft;
mod extract;
mod key;
mod niem_names;
mod niem_parts;
mod niem_read;
mod niem_write;
mod partner;
mod system;
mod view;
mod xml;

pub use draft::{ComanagementDraft, FundingDraft, PlanTaskDraft, PlanUpdateDraft, ReferralDraft};
pub use partner::{ExchangePartner, ExchangePartnerSettings};
pub use system::{ChildWelfareSettings, ChildWelfareSystem};
pub use view::{
    NiemCaseEvent, NiemGoal, NiemKind, NiemMessage, NiemParty, NiemPerson, NiemPlan, NiemReferral,
    NiemRelatedCase, NiemService, NiemTask,
};
