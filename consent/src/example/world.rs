//! The common world of the examples: `world.toml`.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::{Table, Value};

/// The organisations, people and documents that examples name. All are invented.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct World {
    /// The scene before any change.
    pub(super) base: Table,
    pub(super) organizations: BTreeMap<String, Table>,
    pub(super) people: BTreeMap<String, Table>,
    pub(super) consents: BTreeMap<String, Table>,
    pub(super) universe: Universe,
}

/// The values that are tried where an example says which alone will do.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Universe {
    pub(super) kinds: Vec<String>,
    pub(super) teams: Vec<String>,
    pub(super) labels: Vec<String>,
    pub(super) roles: Vec<String>,
    pub(super) bases: Vec<String>,
}

/// What is written where a field is to be left out.
const LEFT_OUT: &str = "-";

/// Lays changes over the fields of a scene. What they leave out of a record is left out when they are
/// laid over the record.
pub(super) fn change_scene(mut fields: Table, changes: &Table) -> Table {
    for (name, change) in changes {
        match (fields.get_mut(name), change) {
            (_, Value::String(text)) if text == LEFT_OUT => {
                fields.remove(name);
            }
            (Some(Value::Table(old)), Value::Table(new)) => merge(old, new),
            _ => {
                fields.insert(name.clone(), change.clone());
            }
        }
    }
    fields
}

/// Lays the changes of a scene over a record, and leaves out what they leave out.
pub(super) fn change_record(mut record: Table, changes: &Table) -> Table {
    merge(&mut record, changes);
    without_left_out(&mut record);
    record
}

/// Tables field by field, everything else as a whole.
fn merge(under: &mut Table, changes: &Table) {
    for (name, change) in changes {
        match (under.get_mut(name), change) {
            (Some(Value::Table(old)), Value::Table(new)) => merge(old, new),
            _ => {
                under.insert(name.clone(), change.clone());
            }
        }
    }
}

fn without_left_out(table: &mut Table) {
    table.retain(|_, value| value.as_str() != Some(LEFT_OUT));
    for value in table.iter_mut().map(|(_, value)| value) {
        if let Value::Table(inner) = value {
            without_left_out(inner);
        }
    }
}
