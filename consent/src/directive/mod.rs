//! A directive as it stands on the day of a request, for the request's recipient.

mod element;
mod reach;
mod revocation;
mod scope;
mod view;

pub use self::element::Element;
pub(crate) use self::reach::{Reach, ReachContext};
pub(crate) use self::revocation::apply as apply_revocations;
pub(crate) use self::scope::wins_over;
pub(crate) use self::view::{View, ViewContext, birthday};
