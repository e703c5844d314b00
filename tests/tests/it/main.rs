//! End-to-end tests: the whole gateway between simulated agency systems.

mod baseline;
mod consent;
mod county;
mod duplicates;
mod lanes;
mod liar;
mod links;
mod moves;
mod protected;
mod records;
mod refresh;
mod restart;
mod story;
