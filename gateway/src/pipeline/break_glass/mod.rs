//! Breaking the glass (specs consent 10): in an emergency a person at an agency sees, for minutes, what the rules open for
//! exactly that emergency and the configuration lists for the person's role. A second factor is checked each time; the
//! privacy officer has it in the inbox at once, and reviews it.
//!
//! What was opened is read by a key that is given once, by nobody else, until its end; each reading is decided anew.

pub(crate) mod factor;
mod items;
mod open;
pub(crate) mod totp;

pub(crate) use items::Shown;
pub(crate) use open::{Asked, Granted, found, open, read};
