//! Code lists, and the rules by which another column of the row chooses the list.

use std::collections::{HashMap, HashSet};

/// Which list a coded column takes its values from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodeRule {
    /// Always the same list.
    Fixed(String),
    /// The list depends on the value of another column of the row.
    Chosen(Choice),
}

/// `[GUARD=VALUE&]PARENT>VALUE:LIST;...;*:LIST` of the column tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Column and value without which the coded column must be blank.
    pub guard: Option<(String, String)>,
    /// Column whose value chooses the list.
    pub parent: String,
    /// Parent value and its list.
    pub cases: Vec<(String, String)>,
    /// List for every other parent value.
    pub otherwise: Option<String>,
}

impl CodeRule {
    /// Reads the text of the `list` column; `None` when the text is not a rule.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let Some((condition, cases_text)) = text.split_once('>') else {
            return (!text.contains([':', ';', '='])).then(|| Self::Fixed(text.to_owned()));
        };
        let (guard, parent) = match condition.split_once('&') {
            Some((guard, parent)) => {
                let (column, value) = guard.split_once('=')?;
                (Some((column.to_owned(), value.to_owned())), parent)
            }
            None => (None, condition),
        };
        let mut choice = Choice {
            guard,
            parent: parent.to_owned(),
            cases: Vec::new(),
            otherwise: None,
        };
        for case in cases_text.split(';') {
            match case.split_once(':')? {
                ("*", list) => choice.otherwise = Some(list.to_owned()),
                (value, list) => choice.cases.push((value.to_owned(), list.to_owned())),
            }
        }
        Some(Self::Chosen(choice))
    }

    /// The list that holds for a row; `None` when the row's other columns name no list.
    pub fn list_for<'r, 'v>(&'r self, value_of: impl Fn(&str) -> &'v str) -> Option<&'r str> {
        match self {
            Self::Fixed(list) => Some(list),
            Self::Chosen(choice) => {
                if let Some((column, value)) = &choice.guard
                    && value_of(column) != value
                {
                    return None;
                }
                let parent = value_of(&choice.parent);
                choice
                    .cases
                    .iter()
                    .find(|(value, _)| value == parent)
                    .map(|(_, list)| list.as_str())
                    .or(choice.otherwise.as_deref())
            }
        }
    }

    /// Every list that the rule can name.
    #[must_use]
    pub fn lists(&self) -> Vec<&str> {
        match self {
            Self::Fixed(list) => vec![list],
            Self::Chosen(choice) => choice
                .cases
                .iter()
                .map(|(_, list)| list.as_str())
                .chain(choice.otherwise.as_deref())
                .collect(),
        }
    }
}

/// The code lists of one edition.
#[derive(Debug, Default)]
pub struct CodeLists {
    lists: HashMap<String, HashSet<String>>,
}

impl CodeLists {
    pub(super) fn insert(&mut self, list: &str, code: &str) {
        self.lists
            .entry(list.to_owned())
            .or_default()
            .insert(code.to_owned());
    }

    /// Whether the list exists.
    #[must_use]
    pub fn has_list(&self, list: &str) -> bool {
        self.lists.contains_key(list)
    }

    /// Whether the list holds the code.
    #[must_use]
    pub fn contains(&self, list: &str, code: &str) -> bool {
        self.lists
            .get(list)
            .is_some_and(|codes| codes.contains(code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_with_guard_names_a_list_only_when_the_guard_holds() {
        let rule = CodeRule::parse("RecordType=144&TypeProvided>3:V2.A;4:V2.B").unwrap();
        let row = |record: &'static str, kind: &'static str| {
            move |column: &str| if column == "RecordType" { record } else { kind }
        };
        assert_eq!(rule.list_for(row("144", "4")), Some("V2.B"));
        assert_eq!(rule.list_for(row("152", "4")), None);
        assert_eq!(rule.list_for(row("144", "9")), None);
    }

    #[test]
    fn rule_with_star_covers_every_other_value() {
        let rule = CodeRule::parse("DisabilityType>10:4.10.2;*:1.8").unwrap();
        assert_eq!(rule.list_for(|_| "10"), Some("4.10.2"));
        assert_eq!(rule.list_for(|_| "7"), Some("1.8"));
    }

    #[test]
    fn text_that_is_no_rule_is_refused() {
        assert_eq!(CodeRule::parse("A>1"), None);
        assert_eq!(CodeRule::parse("1:2"), None);
    }
}
