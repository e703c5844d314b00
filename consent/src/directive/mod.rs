//! A directive as it stands on the day of a request, for the request's recipient.

mod element;
mod form;
mod matter;
mod reach;
mod revocation;
mod scope;
mod term;
mod view;
mod words;

pub use self::element::Element;
pub use self::form::{FormCheck, check_form};
pub(crate) use self::matter::Matter;
pub(crate) use self::reach::{Reach, ReachContext};
pub(crate) use self::revocation::apply as apply_revocations;
pub(crate) use self::scope::wins_over;
pub use self::term::{ends_at, suspended_at};
pub(crate) use self::view::{View, ViewContext, birthday};
