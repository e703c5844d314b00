//! Holds the records of one case-month until it is known to stand, so that a case that drops out says nothing.
//!
//! Records of a case usually stand together. A case that is still incomplete when another one begins waits in a bounded
//! backlog for the rest of its records; when the backlog is full (a large file sorted by record type), waiting records
//! are let go as they come, and a later error of the case is told as a deviation only.

/// The most lines that wait for the rest of their case. About 5 MB.
const MOST_WAITING: usize = 20_000;

/// More lines of one case-month than any case that stands can have.
const MOST_OF_ONE_CASE: usize = 18;

/// One kept line.
#[derive(Clone)]
pub(super) struct Kept {
    /// Fingerprint of month and case.
    pub case_month: u64,
    /// Line number.
    pub line: u64,
    /// The groups of the record that are kept, one bit each from the lowest on: of two children one may drop out.
    pub groups: u8,
    /// The line's text.
    pub text: String,
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Kept(line {}, [redacted])", self.line)
    }
}

/// The current group and the backlog.
#[derive(Debug, Default)]
pub(super) struct Groups {
    current: Vec<Kept>,
    waiting: Vec<Kept>,
}

impl Groups {
    /// Adds a line. When it begins another case-month, the finished group is returned.
    pub(super) fn add(&mut self, kept: Kept) -> Option<Vec<Kept>> {
        let is_other = self
            .current
            .first()
            .is_some_and(|first| first.case_month != kept.case_month);
        let finished = is_other.then(|| std::mem::take(&mut self.current));
        // A case-month of more than 17 records is dropped by rule K4, so that more lines need not be held.
        if self.current.len() < MOST_OF_ONE_CASE {
            self.current.push(kept);
        }
        finished
    }

    /// Puts an incomplete group aside; returns it when there is no room.
    pub(super) fn wait(&mut self, group: Vec<Kept>) -> Option<Vec<Kept>> {
        if self.waiting.len() + group.len() > MOST_WAITING {
            return Some(group);
        }
        self.waiting.extend(group);
        None
    }

    /// At the end: every group that is left, the lines of a case-month together, in order of their first line.
    pub(super) fn close(&mut self) -> Vec<Vec<Kept>> {
        let mut rest = std::mem::take(&mut self.waiting);
        rest.append(&mut self.current);
        rest.sort_by_key(|kept| (kept.case_month, kept.line));
        let mut groups: Vec<Vec<Kept>> = Vec::new();
        for kept in rest {
            match groups.last_mut() {
                Some(group)
                    if group
                        .first()
                        .is_some_and(|first| first.case_month == kept.case_month) =>
                {
                    group.push(kept);
                }
                _ => groups.push(vec![kept]),
            }
        }
        groups.sort_by_key(|group| group.first().map(|first| first.line));
        groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(case_month: u64, line: u64) -> Kept {
        Kept {
            case_month,
            line,
            groups: 1,
            text: String::new(),
        }
    }

    #[test]
    fn a_group_ends_where_another_case_begins() {
        let mut groups = Groups::default();
        assert!(groups.add(kept(1, 1)).is_none());
        assert!(groups.add(kept(1, 2)).is_none());
        assert_eq!(groups.add(kept(2, 3)).unwrap().len(), 2);
    }

    #[test]
    fn waiting_lines_of_a_case_come_together_at_the_end() {
        let mut groups = Groups::default();
        assert!(groups.wait(vec![kept(9, 1)]).is_none());
        assert!(groups.wait(vec![kept(3, 2)]).is_none());
        groups.add(kept(9, 3));
        let lines: Vec<Vec<u64>> = groups
            .close()
            .iter()
            .map(|group| group.iter().map(|kept| kept.line).collect())
            .collect();
        assert_eq!(lines, [vec![1, 3], vec![2]]);
    }
}
