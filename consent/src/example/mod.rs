//! The examples of every rule: what it does and what it does not do, as data beside the rules.
//!
//! An example states a scene as changes to the scene of its rule, which states changes to the common
//! world of `world.toml`. Each is looked at twice: as the rule's own text in that scene, and, when it
//! stands in words, as the answer of the whole engine. The examples that a file lists in short (`only`,
//! `limits`, `in_force`, `ages`) are made one field at a time and looked at as text.

mod case;
mod expand;
mod file;
mod report;
mod scene;
mod world;

#[cfg(feature = "testing")]
pub(crate) use self::case::RuleCases;
pub(crate) use self::file::RuleExamples;
pub use self::report::{ExampleFailure, ExampleReport, test_bundle, test_rule};
pub(crate) use self::world::World;
