//! Teams, such as a multidisciplinary team of a statute.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::organization::Term;
use crate::model::id::{OrganizationId, TeamId};

/// A team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Team {
    /// Its id.
    pub id: TeamId,
    /// Its name.
    pub name: String,
    /// Its kind, such as `MDT_CHILDREN_SERVICES`.
    pub kind: String,
    /// First day of the team.
    pub from: Date,
    /// Last day; open when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Date>,
    /// Version of the county's protocol under which it meets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol_version: Option<String>,
    /// Its members.
    pub members: Vec<TeamMember>,
}

/// An organisation's membership in a team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TeamMember {
    /// The member.
    pub organization: OrganizationId,
    /// First day; that of the team when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// Last day; that of the team when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Date>,
}

impl Team {
    /// The days on which the organisation is a member: the team's own days cut to the member's.
    #[must_use]
    pub fn membership(&self, organization: &OrganizationId) -> Option<Term> {
        let member = self
            .members
            .iter()
            .find(|member| member.organization == *organization)?;
        let start = member.from.map_or(self.from, |from| from.max(self.from));
        let end = match (self.to, member.to) {
            (Some(team), Some(member)) => Some(team.min(member)),
            (team, member) => team.or(member),
        };
        Some(Term {
            start: Some(start),
            end,
        })
    }
}
