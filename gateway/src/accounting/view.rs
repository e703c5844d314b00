//! What a copy of a person's decisions and disclosures may show: the one place that every list, explanation and extract
//! asks which somebody else than privacy staff may come to read.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;
use tandem_mappings::model::id::{OrganizationId, PersonId};

use super::copy::{Copy, is_minors_own};
use super::hold::HoldDoc;
use crate::pipeline::core::Core;
use crate::store::{DecisionRow, StoreError, Tx};

/// Who will read about one person, and what is left out for a time.
#[derive(Debug)]
pub struct View {
    copy: Copy,
    person: PersonId,
    holds: Vec<HoldDoc>,
    now: Timestamp,
}

impl View {
    /// The view of a copy about a person.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn of(
        tx: &mut Tx,
        person: PersonId,
        copy: Copy,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let holds = tx
            .find::<HoldDoc>(HoldDoc::PERSON, &person.to_string())
            .await?;
        Ok(Self {
            copy,
            person,
            holds,
            now,
        })
    }

    /// Whether anything of a decision may stand in the copy. It is about this person and no other member of the
    /// household; its recipient is not left out for a time; and in a parent's copy neither what it was about nor who
    /// held it, asked for it or was told tells of a service to which a minor may consent alone.
    #[must_use]
    pub fn shows(&self, core: &Core, row: &DecisionRow) -> bool {
        match self.copy {
            Copy::Staff => true,
            Copy::Person => self.is_own(row) && self.left_out(&row.recipient).is_none(),
            Copy::Parent => {
                self.is_own(row)
                    && self.left_out(&row.recipient).is_none()
                    && !tells_of_minors_own(core, row)
            }
        }
    }

    fn is_own(&self, row: &DecisionRow) -> bool {
        row.person == Some(self.person)
    }

    /// Until when disclosures to a recipient are left out of copies.
    #[must_use]
    pub fn left_out(&self, recipient: &str) -> Option<Timestamp> {
        let recipient: OrganizationId = recipient.parse().ok()?;
        self.holds
            .iter()
            .filter(|hold| hold.covers(&recipient, self.now))
            .map(|hold| hold.until)
            .max()
    }
}

/// Whether a decision tells of a service to which a minor may consent alone: by the category of an item, or because an
/// organisation in it is one whose people are known by such a service.
fn tells_of_minors_own(core: &Core, row: &DecisionRow) -> bool {
    let texts = |list: &str, field: &str| -> BTreeSet<String> {
        let items = row.record.pointer(list).and_then(Value::as_array);
        let found = items.into_iter().flatten();
        found
            .filter_map(|item| Some(item.get(field)?.as_str()?.to_owned()))
            .collect()
    };
    let mut categories = texts("/decision/items", "category");
    categories.extend(texts("/request/items", "category"));
    let mut organizations = texts("/request/items", "source_organization");
    organizations.insert(row.recipient.clone());
    let requester = row.record.pointer("/request/requester/organization");
    organizations.extend(requester.and_then(Value::as_str).map(str::to_owned));
    let serves_minors = |id: &String| {
        let mut systems = core.loaded.registry.systems();
        systems.any(|system| {
            system.organization.as_str() == id && is_minors_own(system.default_category.as_str())
        })
    };
    categories.iter().any(|one| is_minors_own(one)) || organizations.iter().any(serves_minors)
}
