//! Whether the parties of a directive mean an organisation.

use jiff::civil::Date;
use tandem_mappings::model::directive::{Effect, Parties};
use tandem_mappings::model::id::OrganizationId;
use tandem_mappings::registry::AgreementKind;

use crate::facts::Facts;

/// How a directive means an organisation, the vaguest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    /// As one of all participants at a date.
    All,
    /// By its kind.
    Class,
    /// By a team.
    Team,
    /// By name.
    Named,
}

/// Whom to look for, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReachContext<'a> {
    pub(crate) facts: &'a Facts,
    pub(crate) organization: &'a OrganizationId,
    pub(crate) individual: Option<&'a str>,
    pub(crate) today: Date,
}

impl Reach {
    /// The most exact way in which the parties of a permission or a refusal mean the organisation.
    pub(crate) fn of(parties: &Parties, effect: Effect, context: ReachContext<'_>) -> Option<Self> {
        let ReachContext {
            facts,
            organization,
            individual,
            today,
        } = context;
        let is_named = parties.named.contains(organization.as_str())
            || individual.is_some_and(|person| parties.named.contains(person));
        if is_named {
            return Some(Self::Named);
        }
        let record = facts.organization(organization)?;
        let in_team = record
            .teams
            .iter()
            .any(|team| parties.team.contains(team.id.as_str()) && team.term().holds_on(today));
        if in_team {
            return Some(Self::Team);
        }
        if parties.class.iter().any(|class| record.is_a(class)) {
            return Some(Self::Class);
        }
        // Nobody is told who joined after the signer saw the list. Who refused everybody refused them as well.
        let is_meant = |day| {
            effect == Effect::Deny
                || record
                    .gateway_term(AgreementKind::Dsa, day)
                    .is_some_and(|term| term.holds_on(day))
        };
        parties
            .all_participants_at_date
            .filter(|day| is_meant(*day))
            .map(|_| Self::All)
    }
}
