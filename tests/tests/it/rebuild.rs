//! State is what the events say: episodes of co-management rebuilt from the events alone.

use std::collections::{BTreeMap, BTreeSet};

use tandem::config::Loaded;
use tandem::pipeline::{episodes, steps};
use tandem::state::episode::EpisodeDoc;
use tandem::store::WaitingEvent;
use tandem_coordination::steps::StepFact;
use tandem_mappings::model::event::{Body, Event};
use tandem_mappings::model::id::{EpisodeId, LinkId, OrganizationId, RecordKey, SourcePersonId};

/// Every episode, from the events in their order.
pub(crate) fn episodes(
    loaded: &Loaded,
    events: &[WaitingEvent],
) -> BTreeMap<EpisodeId, EpisodeDoc> {
    let mut found: BTreeMap<EpisodeId, EpisodeDoc> = BTreeMap::new();
    let mut links = Links::new();
    for event in events.iter().map(|waiting| &waiting.event) {
        match &event.told.body {
            Body::PersonLinked(told) => {
                links.insert(told.link, (told.a.clone(), told.b.clone()));
            }
            Body::PersonUnlinked(told) => {
                links.remove(&told.link);
            }
            _ => fold_steps(&mut found, &links, event),
        }
        let Some(id) = episode_of(&found, event) else {
            continue;
        };
        let system = loaded.config.systems.get(&event.system);
        let lead: Option<OrganizationId> = system.map(|system| system.organization.clone());
        let document = found.entry(id).or_insert_with(|| EpisodeDoc::new(id));
        // What the life cycle refused when it came, it refuses again.
        let _refused = episodes::take(document, event, lead);
    }
    found
}

/// The links that hold, as events have told them.
type Links = BTreeMap<LinkId, (RecordKey, RecordKey)>;

/// What an event says about the five steps, taken by the running episode of its people, whichever system speaks of them.
fn fold_steps(found: &mut BTreeMap<EpisodeId, EpisodeDoc>, links: &Links, event: &Event) {
    let named = steps::people(&event.told.body).iter();
    let mut people: BTreeSet<RecordKey> = named
        .map(|person| RecordKey {
            system: event.system.clone(),
            person: person.clone(),
        })
        .collect();
    loop {
        let known = people.len();
        for (a, b) in links.values() {
            if people.contains(a) || people.contains(b) {
                people.extend([a.clone(), b.clone()]);
            }
        }
        if people.len() == known {
            break;
        }
    }
    let episode = found
        .values_mut()
        .find(|document| document.is_running() && !document.members.is_disjoint(&people));
    let Some(document) = episode else { return };
    for fact in StepFact::of(event) {
        // What could not be entered when it came cannot be entered now.
        let _refused = document.steps.apply(&fact);
    }
}

fn is_member(document: &EpisodeDoc, event: &Event, person: &SourcePersonId) -> bool {
    document.members.contains(&RecordKey {
        system: event.system.clone(),
        person: person.clone(),
    })
}

/// The episode that an event is about: the one it names, else the running one of the people whom it names.
fn episode_of(found: &BTreeMap<EpisodeId, EpisodeDoc>, event: &Event) -> Option<EpisodeId> {
    let (named, people): (Option<EpisodeId>, &[SourcePersonId]) = match &event.told.body {
        Body::CareTeamMember(told) => (Some(told.episode), &[]),
        Body::ComanagementStarted(told)
        | Body::ComanagementPaused(told)
        | Body::ComanagementEnded(told) => (told.episode, &told.people),
        Body::WorkerChanged(told) => (None, &told.people),
        _ => return None,
    };
    let is_member = |document: &&EpisodeDoc| {
        people
            .iter()
            .any(|person| is_member(document, event, person))
    };
    let running = found.values().filter(|document| document.is_running());
    named.or_else(|| {
        running
            .into_iter()
            .find(is_member)
            .map(|document| document.id)
    })
}
