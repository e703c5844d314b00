//! The decision: which regimes cover an item, what each says, and how their answers combine.

mod answer;
mod cedar;
mod cover;
mod decide;
mod draft;
mod duties;
mod evaluate;
mod explain;
#[cfg(feature = "testing")]
mod floor;
mod missing;
mod opening;
mod refusal;
mod rehearse;
mod scene;
mod steady;
mod validity;

pub use self::decide::decide;
#[cfg(feature = "testing")]
pub use self::floor::Floor;
pub use self::opening::{Closed, Opening, smallest_consent};
pub(crate) use self::rehearse::{Props, Rehearsal};
pub use self::steady::steady_until;
