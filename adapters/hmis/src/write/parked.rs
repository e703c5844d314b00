//! Why a message can't be written for this partner now.

use tandem_adapter_port::write::{Delivery, Fault};

/// Why a message is parked. The texts are for operators and hold no personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Parked {
    /// Nobody of the people has an open stay there, nor has the head of their household.
    #[error("no enrollment at target")]
    NoEnrollment,
    /// No export was read, so that no row can be copied.
    #[error("no export of the partner was read yet")]
    NoExport,
    /// A row that must be copied was not in the last export.
    #[error("the partner's last export has no {0} row that the delta must copy")]
    NoRow(&'static str),
    /// The directory names no receiving project.
    #[error("no receiving project is known for the service")]
    NoProject,
    /// The receiving project may not have client data in an HMIS.
    #[error("the receiving project may not hold client data in an HMIS")]
    ClosedProject,
    /// List 4.20.2 has no referral for the domain.
    #[error("no HMIS event type fits the domain")]
    NoEventType,
    /// A withdrawal of something that never stood there.
    #[error("no event row of the referral at target")]
    NoEvent,
    /// An id does not fit the 32 characters of its column.
    #[error("an id is longer than the column that takes it")]
    TooLong,
    /// The permitted view has nothing left that could be written.
    #[error("nothing of the message may be told in this format")]
    NothingLeft,
    /// The embedded tables are broken; a test shows that they are not.
    #[error("the tables of the format are broken")]
    Tables,
}

impl From<Parked> for Delivery {
    fn from(parked: Parked) -> Self {
        let fault = match parked {
            Parked::NoEnrollment | Parked::NoExport | Parked::NoRow(_) => Fault::Partner,
            _ => Fault::Ours,
        };
        Self::Park {
            fault,
            text: parked.to_string(),
        }
    }
}
