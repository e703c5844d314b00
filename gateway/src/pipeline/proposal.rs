//! What is to be told to one recipient, before redaction, with the element groups that consent decides on.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use tandem_adapter_port::outbound::{OutboundBody, OutboundPerson};
use tandem_consent::Action;
use tandem_mappings::model::category::Category;
use tandem_mappings::model::domain::Domain;
use tandem_mappings::model::id::{
    ActivityId, EpisodeId, GoalId, OrganizationId, PersonId, ReferralId, SystemId,
};

/// Which part of a message an item stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "part", content = "of", rename_all = "kebab-case")]
pub enum Part {
    /// That the sender serves the person, and what is told: without it nothing is.
    Body,
    /// Names, birth date, sex and identifiers.
    Identity,
    /// Address, telephone, safe contact.
    Contact,
    /// One goal of a plan.
    Goal(GoalId),
    /// One activity of a plan.
    Activity(ActivityId),
    /// One funding line of a plan, by its place.
    Funding(usize),
    /// One rated domain.
    Rating(Domain),
}

/// One element group.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProposedItem {
    /// Its id in the decision request.
    pub id: String,
    /// Which part it stands for.
    pub part: Part,
    /// Its category.
    pub category: Category,
    /// Sensitivity labels.
    #[serde(default)]
    pub labels: BTreeSet<String>,
    /// The table rows and facts that gave it category and labels.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub labelled_by: BTreeSet<String>,
    /// Who holds it.
    pub source: OrganizationId,
    /// When it was written.
    pub authored: Option<Date>,
}

/// A person of a message.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProposedPerson {
    /// The person.
    pub person: PersonId,
    /// The recipient's view, before redaction.
    pub view: OutboundPerson,
    /// Sensitivity labels of the record that shows who it is.
    #[serde(default)]
    pub labels: BTreeSet<String>,
    /// The table rows and facts that gave the record its labels.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub labelled_by: BTreeSet<String>,
}

/// What is to be told to one recipient.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Proposal {
    /// Who tells.
    pub sender: OrganizationId,
    /// Who is told.
    pub recipient: OrganizationId,
    /// In which system.
    pub recipient_system: SystemId,
    /// Action asked of the consent engine.
    pub action: Action,
    /// The people; the first is the main subject.
    pub people: Vec<ProposedPerson>,
    /// The recipient's own case.
    pub recipient_case: Option<String>,
    /// Order is kept among messages of one case.
    pub case: String,
    /// Names the thing told.
    pub effect_key: String,
    /// The element groups.
    pub items: Vec<ProposedItem>,
    /// What is told.
    pub body: OutboundBody,
    /// The referral it speaks of.
    pub referral: Option<ReferralId>,
    /// The episode it belongs to.
    pub episode: Option<EpisodeId>,
}

impl Proposal {
    /// Kind of message, for lanes and reports.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match &self.body {
            OutboundBody::MutualClient(_) => "mutual-client",
            OutboundBody::Referral(view) if view.is_withdrawn => "referral-withdrawn",
            OutboundBody::Referral(_) => "referral",
            OutboundBody::ReferralStatus(_) => "referral-status",
            OutboundBody::Plan(_) => "plan",
            OutboundBody::Participation(_) => "participation",
            OutboundBody::Comanagement(_) => "co-management",
            OutboundBody::Meeting(_) => "meeting",
            OutboundBody::Assessment(_) => "assessment",
            OutboundBody::Conflict(_) => "conflict",
            OutboundBody::Change(_) => "change",
            OutboundBody::Recall(_) => "recall",
            OutboundBody::ConsentReminder(_) => "consent-reminder",
        }
    }

    /// The people and the body with every denied part taken out; `None` when nothing may be told. `permits` says
    /// of an item's id whether it may be told; `tells` of a person whether he or she may be named at all.
    #[must_use]
    pub fn redacted(
        &self,
        permits: &dyn Fn(&str) -> bool,
        tells: &dyn Fn(PersonId) -> bool,
    ) -> Option<(Vec<OutboundPerson>, OutboundBody)> {
        let denied = |wanted: &dyn Fn(&Part) -> bool| {
            self.items
                .iter()
                .any(|item| wanted(&item.part) && !permits(&item.id))
        };
        if denied(&|part| *part == Part::Body)
            || !self.people.first().is_none_or(|main| tells(main.person))
        {
            return None;
        }
        let hide_identity = denied(&|part| *part == Part::Identity);
        // Where a person is goes out only under a decision of its own: what was not asked is not told.
        let is_asked = self.items.iter().any(|item| item.part == Part::Contact);
        let hide_contact = !is_asked || denied(&|part| *part == Part::Contact);
        let people = self
            .people
            .iter()
            .filter(|one| tells(one.person))
            .map(|one| redacted_person(&one.view, hide_identity, hide_contact))
            .collect();
        let body = redacted_body(&self.body, hide_contact, &denied)?;
        Some((people, body))
    }
}

fn redacted_person(
    view: &OutboundPerson,
    hide_identity: bool,
    hide_contact: bool,
) -> OutboundPerson {
    let mut view = view.clone();
    if hide_identity {
        (view.given, view.middle, view.family) = (None, None, None);
        (view.birth, view.sex, view.cin) = (None, None, None);
    }
    if hide_contact {
        (view.address, view.phone) = (None, None);
    }
    view
}

/// Says of a test whether any part that it picks is denied.
type Denied<'a> = dyn Fn(&dyn Fn(&Part) -> bool) -> bool + 'a;

fn redacted_body(
    body: &OutboundBody,
    hide_contact: bool,
    denied: &Denied<'_>,
) -> Option<OutboundBody> {
    let mut body = body.clone();
    match &mut body {
        OutboundBody::Referral(view) if hide_contact => view.safe_contact = None,
        OutboundBody::Meeting(view) if hide_contact => view.place = None,
        OutboundBody::Plan(view) => {
            let had_content =
                !(view.goals.is_empty() && view.activities.is_empty() && view.fundings.is_empty());
            view.goals
                .retain(|goal| !denied(&|part| *part == Part::Goal(goal.id.clone())));
            view.activities
                .retain(|activity| !denied(&|part| *part == Part::Activity(activity.id.clone())));
            let mut place = 0_usize;
            view.fundings.retain(|_| {
                let keep = !denied(&|part| *part == Part::Funding(place));
                place += 1;
                keep
            });
            if had_content
                && view.goals.is_empty()
                && view.activities.is_empty()
                && view.fundings.is_empty()
            {
                return None;
            }
        }
        OutboundBody::Assessment(view) => {
            view.ratings
                .retain(|rating| !denied(&|part| *part == Part::Rating(rating.domain)));
            if view.ratings.is_empty() {
                return None;
            }
        }
        _ => {}
    }
    Some(body)
}
