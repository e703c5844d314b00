//! State is what the events say: episodes of co-management rebuilt from the events alone.

use std::collections::BTreeMap;

use tandem::config::Loaded;
use tandem::pipeline::episodes;
use tandem::state::episode::EpisodeDoc;
use tandem::store::WaitingEvent;
use tandem_mappings::model::event::{Body, Event};
use tandem_mappings::model::id::{EpisodeId, OrganizationId, RecordKey, SourcePersonId};

/// Every episode, from the events in their order.
pub(crate) fn episodes(
    loaded: &Loaded,
    events: &[WaitingEvent],
) -> BTreeMap<EpisodeId, EpisodeDoc> {
    let mut found: BTreeMap<EpisodeId, EpisodeDoc> = BTreeMap::new();
    for event in events.iter().map(|waiting| &waiting.event) {
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
        people.iter().any(|person| {
            document.members.contains(&RecordKey {
                system: event.system.clone(),
                person: person.clone(),
            })
        })
    };
    let running = found.values().filter(|document| document.is_running());
    named.or_else(|| {
        running
            .into_iter()
            .find(is_member)
            .map(|document| document.id)
    })
}
