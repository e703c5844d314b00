//! Pages for people. They need no account, no script and nothing from elsewhere.

mod measures;
mod publication;
mod quarter;

pub(crate) use publication::Publication;

use crate::api::route::Routes;

/// The routes of the pages.
pub(crate) fn routes(routes: Routes) -> Routes {
    measures::routes(routes)
}
