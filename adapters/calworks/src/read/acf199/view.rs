//! Named access to the fields of one record.

use std::collections::HashMap;

use super::values::number;
use crate::tables::{Layout, Span};

/// The fields of a record type that belong to one group (`child1`) or to none.
#[derive(Debug, Clone, Default)]
pub(super) struct Names(HashMap<String, Span>);

impl Names {
    /// Fields of `layout` that are shared or stand in `group`; those of a month slot are named `field.month1`.
    #[must_use]
    pub(super) fn of(layout: &Layout, group: &str) -> Self {
        let wanted = layout
            .fields
            .iter()
            .filter(|field| field.group().is_empty() || field.group() == group);
        let named = wanted.map(|field| {
            let month = field
                .occurrence
                .split('.')
                .find(|part| part.starts_with("month"));
            let name = month.map_or_else(
                || field.name.clone(),
                |month| format!("{}.{month}", field.name),
            );
            (name, field.span)
        });
        Self(named.collect())
    }
}

/// One record seen through its names.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    names: &'a Names,
    text: &'a str,
}

impl std::fmt::Debug for View<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("View([redacted])")
    }
}

impl<'a> View<'a> {
    /// A record's text seen through names.
    #[must_use]
    pub(super) fn new(names: &'a Names, text: &'a str) -> Self {
        Self { names, text }
    }

    /// The raw text of a field; empty when the record type has no such field.
    #[must_use]
    pub(super) fn raw(&self, name: &str) -> &'a str {
        self.names.0.get(name).map_or("", |span| span.of(self.text))
    }

    /// The number in a field, when it is one.
    #[must_use]
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        number(self.raw(name))
    }

    /// The number in a field; 0 when there is none.
    #[must_use]
    pub(super) fn amount(&self, name: &str) -> u64 {
        self.number(name).unwrap_or(0)
    }

    /// Whether a field holds one of these numbers.
    #[must_use]
    pub(super) fn is_in(&self, name: &str, range: std::ops::RangeInclusive<u64>) -> bool {
        self.number(name)
            .is_some_and(|number| range.contains(&number))
    }
}
