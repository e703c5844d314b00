//! The accounting of disclosures: what was told about a person to whom, when, why, and under which law or consent. One
//! list with everything; marks say which law's legal minimum asks for an entry.

mod copy;
mod emergency;
mod hold;
mod law;
mod list;
mod view;

pub use copy::Copy;
pub use emergency::{Emergency, holders};
pub use hold::{HoldDoc, HoldKind};
pub use law::Law;
pub use list::{CitedRule, Disclosed, list};
pub use view::View;
