//! End-to-end tests: the whole gateway between simulated agency systems.

mod story;
