//! What the consent engine promises, tested through its public face.

mod fixtures;
mod laws;
mod properties;
mod refusals;
mod snapshot;
mod story;
mod world;
