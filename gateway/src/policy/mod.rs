//! The rules as something that people sign for: a bundle takes effect at a stated instant, when its author and somebody
//! else have signed for just this bundle and just this instant. Bundles that were in force stay for replay.

pub mod activation;
pub mod approval;
pub mod signers;

pub use self::activation::{ActivationError, follow, in_force, look, schedule};
pub use self::approval::{Approval, ApprovalError, SignedAs, check};
pub use self::signers::Signers;
