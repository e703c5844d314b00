//! The decision: which regimes cover an item, what each says, and how their answers combine.

mod answer;
mod cedar;
mod cover;
mod decide;
mod draft;
mod duties;
mod evaluate;
mod explain;
mod missing;
mod refusal;
mod scene;
mod validity;

pub use self::decide::decide;
