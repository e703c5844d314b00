//! Child welfare: the county's CWS/CMS extract, and the exchange partner that takes NIEM messages.

mod columns;
mod extract;
mod key;
mod niem_names;
mod niem_read;
mod niem_write;
mod partner;
mod system;
mod view;
mod xml;

pub use niem_write::{PlanTaskDraft, PlanUpdateDraft, ReferralDraft};
pub use partner::{ExchangePartner, ExchangePartnerSettings};
pub use system::{ChildWelfareSettings, ChildWelfareSystem};
pub use view::{
    NiemGoal, NiemKind, NiemMessage, NiemPerson, NiemPlan, NiemReferral, NiemService, NiemTask,
};
