//! The records that have a leaf in the audit log, and where each kind of them stands in the store.

use tandem_mappings::model::id::{DecisionId, MessageId};

use super::tx::uuid;

/// A kind of record that has leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Audit rows.
    Audit,
    /// Checkpoints.
    Checkpoint,
    /// Decisions.
    Decision,
    /// What decisions rest on: rules, facts, directives.
    Evidence,
    /// That rules are to count from an instant on.
    Activation,
    /// That a gateway put rules in force.
    Start,
    /// Attempts to deliver a message.
    Attempt,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Audit,
        Self::Checkpoint,
        Self::Decision,
        Self::Evidence,
        Self::Activation,
        Self::Start,
        Self::Attempt,
    ];
    /// The kinds that had no leaves in the first logs.
    pub const LATER: [Self; 4] = [Self::Evidence, Self::Activation, Self::Start, Self::Attempt];

    /// The kind as it stands in leaves.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::Checkpoint => "checkpoint",
            Self::Decision => "decision",
            Self::Evidence => "evidence",
            Self::Activation => "policy-activation",
            Self::Start => "policy-start",
            Self::Attempt => "attempt",
        }
    }

    /// The table in which its records stand.
    #[must_use]
    pub const fn table(self) -> &'static str {
        match self {
            Self::Checkpoint => "audit_checkpoint",
            Self::Activation => "policy_activation",
            Self::Start => "policy_start",
            _ => self.code(),
        }
    }

    /// The column that says when a record came.
    pub(super) const fn time(self) -> &'static str {
        match self {
            Self::Audit | Self::Checkpoint => "at",
            Self::Decision => "decided_at",
            Self::Evidence => "kept_at",
            Self::Activation => "recorded_at",
            Self::Start => "started_at",
            Self::Attempt => "ended_at",
        }
    }

    /// The action as it stands in leaves; the record's own when absent.
    pub(super) const fn action(self) -> Option<&'static str> {
        match self {
            Self::Audit | Self::Decision => None,
            Self::Checkpoint => Some("checkpoint.sign"),
            Self::Evidence => Some("evidence.keep"),
            Self::Activation => Some("policy.record"),
            Self::Start => Some("policy.start"),
            Self::Attempt => Some("message.attempt"),
        }
    }

    /// The row of a record, by jurisdiction, number, id and name.
    pub(super) const fn row(self) -> &'static str {
        match self {
            Self::Audit => "SELECT * FROM audit WHERE jurisdiction = $1 AND position = $2",
            Self::Checkpoint => {
                "SELECT * FROM audit_checkpoint WHERE jurisdiction = $1 AND size = $2"
            }
            Self::Decision => "SELECT * FROM decision WHERE jurisdiction = $1 AND id = $3",
            Self::Evidence => "SELECT * FROM evidence WHERE jurisdiction = $1 AND hash = $4",
            Self::Activation => {
                "SELECT * FROM policy_activation WHERE jurisdiction = $1 AND effective_at = $2 AND bundle = $4"
            }
            Self::Start => {
                "SELECT * FROM policy_start WHERE jurisdiction = $1 AND effective_at = $2 AND bundle = $4"
            }
            Self::Attempt => {
                "SELECT * FROM attempt WHERE jurisdiction = $1 AND message = $3 AND number = $2"
            }
        }
    }

    /// The position of a record's leaf, by jurisdiction, number, id and name.
    pub(super) const fn leaf(self) -> &'static str {
        match self {
            Self::Audit => {
                "SELECT position FROM audit_leaf WHERE jurisdiction = $1 AND kind = 'audit' \
                 AND number = $2 AND id IS NULL AND name IS NULL"
            }
            Self::Checkpoint => {
                "SELECT position FROM audit_leaf WHERE jurisdiction = $1 AND kind = 'checkpoint' \
                 AND number = $2 AND id IS NULL AND name IS NULL"
            }
            Self::Decision => {
                "SELECT position FROM audit_leaf WHERE jurisdiction = $1 AND kind = 'decision' \
                 AND id = $3 AND number IS NULL"
            }
            Self::Evidence => {
                "SELECT position FROM audit_leaf WHERE jurisdiction = $1 AND kind = 'evidence' \
                 AND name = $4 AND number IS NULL AND disposed IS NULL"
            }
            Self::Activation => {
                "SELECT position FROM audit_leaf WHERE jurisdiction = $1 \
                 AND kind = 'policy-activation' AND name = $4 AND number = $2"
            }
            Self::Start => {
                "SELECT position FROM audit_leaf WHERE jurisdiction = $1 AND kind = 'policy-start' \
                 AND name = $4 AND number = $2"
            }
            Self::Attempt => {
                "SELECT position FROM audit_leaf WHERE jurisdiction = $1 AND kind = 'attempt' \
                 AND id = $3 AND number = $2"
            }
        }
    }

    /// Records without a leaf, by jurisdiction and their most. The indexes of leaves are looked up in by what each
    /// names: number, id or name, and that the others are absent.
    pub(super) const fn unlogged(self) -> &'static str {
        match self {
            Self::Audit => {
                "SELECT position AS number, NULL AS id, NULL AS name, at FROM audit AS record \
                 WHERE jurisdiction = $1 AND NOT EXISTS (SELECT 1 FROM audit_leaf AS leaf \
                 WHERE leaf.jurisdiction = $1 AND leaf.kind = 'audit' \
                 AND leaf.number = record.position AND leaf.id IS NULL AND leaf.name IS NULL) \
                 ORDER BY at LIMIT $2"
            }
            Self::Checkpoint => {
                "SELECT size AS number, NULL AS id, NULL AS name, at FROM audit_checkpoint AS record \
                 WHERE jurisdiction = $1 AND NOT EXISTS (SELECT 1 FROM audit_leaf AS leaf \
                 WHERE leaf.jurisdiction = $1 AND leaf.kind = 'checkpoint' \
                 AND leaf.number = record.size AND leaf.id IS NULL AND leaf.name IS NULL) \
                 ORDER BY at LIMIT $2"
            }
            Self::Decision => {
                "SELECT NULL AS number, id, NULL AS name, decided_at AS at FROM decision AS record \
                 WHERE jurisdiction = $1 AND NOT EXISTS (SELECT 1 FROM audit_leaf AS leaf \
                 WHERE leaf.jurisdiction = $1 AND leaf.kind = 'decision' \
                 AND leaf.id = record.id AND leaf.number IS NULL) ORDER BY at LIMIT $2"
            }
            Self::Evidence => {
                "SELECT NULL AS number, NULL AS id, hash AS name, kept_at AS at FROM evidence AS record \
                 WHERE jurisdiction = $1 AND NOT EXISTS (SELECT 1 FROM audit_leaf AS leaf \
                 WHERE leaf.jurisdiction = $1 AND leaf.kind = 'evidence' \
                 AND leaf.name = record.hash AND leaf.number IS NULL AND leaf.disposed IS NULL) \
                 ORDER BY at LIMIT $2"
            }
            Self::Activation => {
                "SELECT effective_at AS number, NULL AS id, bundle AS name, recorded_at AS at \
                 FROM policy_activation AS record \
                 WHERE jurisdiction = $1 AND NOT EXISTS (SELECT 1 FROM audit_leaf AS leaf \
                 WHERE leaf.jurisdiction = $1 AND leaf.kind = 'policy-activation' \
                 AND leaf.name = record.bundle AND leaf.number = record.effective_at) \
                 ORDER BY at LIMIT $2"
            }
            Self::Start => {
                "SELECT effective_at AS number, NULL AS id, bundle AS name, started_at AS at \
                 FROM policy_start AS record \
                 WHERE jurisdiction = $1 AND NOT EXISTS (SELECT 1 FROM audit_leaf AS leaf \
                 WHERE leaf.jurisdiction = $1 AND leaf.kind = 'policy-start' \
                 AND leaf.name = record.bundle AND leaf.number = record.effective_at) \
                 ORDER BY at LIMIT $2"
            }
            Self::Attempt => {
                "SELECT number, message AS id, NULL AS name, ended_at AS at FROM attempt AS record \
                 WHERE jurisdiction = $1 AND NOT EXISTS (SELECT 1 FROM audit_leaf AS leaf \
                 WHERE leaf.jurisdiction = $1 AND leaf.kind = 'attempt' \
                 AND leaf.id = record.message AND leaf.number = record.number) \
                 ORDER BY at LIMIT $2"
            }
        }
    }
}

/// A record that has a leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Logged {
    /// An audit row by its position.
    Audit(i64),
    /// A checkpoint by its size.
    Checkpoint(i64),
    /// A decision.
    Decision(DecisionId),
    /// A piece of evidence by its hash.
    Evidence(String),
    /// An activation by its instant, in microseconds, and the hash of the rules.
    Activation(i64, String),
    /// The start of an activation, by the same.
    Start(i64, String),
    /// An attempt by its message and its number.
    Attempt(MessageId, i64),
}

impl Logged {
    /// The kind.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Audit(_) => Kind::Audit,
            Self::Checkpoint(_) => Kind::Checkpoint,
            Self::Decision(_) => Kind::Decision,
            Self::Evidence(_) => Kind::Evidence,
            Self::Activation(..) => Kind::Activation,
            Self::Start(..) => Kind::Start,
            Self::Attempt(..) => Kind::Attempt,
        }
    }

    /// The record's key in its table.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Audit(number) | Self::Checkpoint(number) => number.to_string(),
            Self::Decision(id) => id.to_string(),
            Self::Evidence(hash) => hash.clone(),
            Self::Activation(at, bundle) | Self::Start(at, bundle) => format!("{at} {bundle}"),
            Self::Attempt(message, number) => format!("{message} {number}"),
        }
    }

    pub(super) const fn number(&self) -> Option<i64> {
        match self {
            Self::Audit(number)
            | Self::Checkpoint(number)
            | Self::Activation(number, _)
            | Self::Start(number, _)
            | Self::Attempt(_, number) => Some(*number),
            Self::Decision(_) | Self::Evidence(_) => None,
        }
    }

    pub(super) fn id(&self) -> Option<Vec<u8>> {
        match self {
            Self::Decision(id) => Some(id.as_bytes().to_vec()),
            Self::Attempt(message, _) => Some(message.as_bytes().to_vec()),
            _ => None,
        }
    }

    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Evidence(name) | Self::Activation(_, name) | Self::Start(_, name) => Some(name),
            _ => None,
        }
    }

    /// The record that a stored leaf names; `None` when it names none.
    pub(super) fn of(
        kind: &str,
        number: Option<i64>,
        id: Option<Vec<u8>>,
        name: Option<String>,
    ) -> Option<Self> {
        let kind = Kind::ALL.into_iter().find(|known| known.code() == kind)?;
        match (kind, number, id, name) {
            (Kind::Audit, Some(number), None, None) => Some(Self::Audit(number)),
            (Kind::Checkpoint, Some(number), None, None) => Some(Self::Checkpoint(number)),
            (Kind::Decision, None, Some(id), None) => {
                Some(Self::Decision(DecisionId(uuid(&id).ok()?)))
            }
            (Kind::Evidence, None, None, Some(hash)) => Some(Self::Evidence(hash)),
            (Kind::Activation, Some(at), None, Some(bundle)) => Some(Self::Activation(at, bundle)),
            (Kind::Start, Some(at), None, Some(bundle)) => Some(Self::Start(at, bundle)),
            (Kind::Attempt, Some(number), Some(message), None) => {
                Some(Self::Attempt(MessageId(uuid(&message).ok()?), number))
            }
            _ => None,
        }
    }
}
