//! The report of a run as one page for a browser: no script, nothing from outside, and, unless values are asked for,
//! nothing about a person.

mod bars;
mod blocks;
mod curve;
mod drawing;
mod examples;
mod groups;
mod histogram;
mod markup;
mod page;
mod plane;
mod rate;
mod scale;
mod scores;
mod sizes;
mod waterfall;
mod weights;

pub(crate) use page::Page;
pub(crate) use scores::Scores;
