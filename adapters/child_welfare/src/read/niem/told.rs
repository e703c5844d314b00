//! What the parts of a message share: its header, its people, and how events are made of it.

use jiff::Timestamp;
use tandem_adapter_port::context::ReadContext;
use tandem_adapter_port::deviation::Deviation;
use tandem_adapter_port::read::{Sink, Stopped};
use tandem_mappings::model::category::Category;
use tandem_mappings::model::event::{Body, NewEvent};
use tandem_mappings::model::id::{OrganizationId, SourceCaseId, SourceEventId, SourcePersonId};

use super::check::{Ids, place};
use super::tree::Element;
use crate::key::CmsKey;
use crate::tables::Tables;

/// A person of the message under the sender's id.
#[derive(Clone)]
pub(crate) struct Known<'a> {
    /// The element.
    pub(crate) element: &'a Element,
    /// The sender's id.
    pub(crate) id: SourcePersonId,
    /// Whether it is `hs:Child`.
    pub(crate) is_child: bool,
}

/// A message being told.
pub(crate) struct Message<'a> {
    pub(crate) root: &'a Element,
    pub(crate) file: &'a str,
    pub(crate) ids: Ids<'a>,
    pub(crate) tables: &'a Tables,
    pub(crate) context: &'a ReadContext,
    /// `nc:DocumentIdentification`.
    pub(crate) id: String,
    /// `nc:DocumentCreationDate`, or when the message arrived.
    pub(crate) created: Timestamp,
    /// Sensitivity labels of the header.
    pub(crate) labels: Vec<String>,
    pub(crate) people: Vec<Known<'a>>,
    /// The sender's case.
    pub(crate) case: Option<SourceCaseId>,
}

impl<'a> Message<'a> {
    /// Gives an event to the sink. `part` tells the events of one message apart.
    pub(crate) fn tell(
        &self,
        part: &str,
        occurred: Option<Timestamp>,
        about: Option<&SourcePersonId>,
        body: Body,
        sink: &mut dyn Sink,
    ) -> Result<(), Stopped> {
        let Ok(id) = SourceEventId::new(format!("{}:{part}", self.id)) else {
            return Ok(());
        };
        let category = match body {
            Body::RecordReceived(_) => Category::PersonIndex,
            _ => Category::CwCase,
        };
        let mut event = NewEvent::new(occurred.unwrap_or(self.created), id, body).under(category);
        event.source_person_id = about.cloned();
        event.labels.clone_from(&self.labels);
        sink.event(event)
    }

    /// The person that an element is or refers to.
    pub(crate) fn person(&self, element: &Element) -> Option<&Known<'a>> {
        let target = match element.reference.as_deref() {
            Some(id) => *self.ids.get(id)?,
            None => element,
        };
        self.people
            .iter()
            .find(|known| std::ptr::eq(known.element, target))
    }

    /// The element itself, or the one that it refers to.
    pub(crate) fn resolve<'e>(&self, element: &'e Element) -> Option<&'e Element>
    where
        'a: 'e,
    {
        match element.reference.as_deref() {
            Some(id) => self.ids.get(id).copied(),
            None => Some(element),
        }
    }

    /// The ids of all people, or of the children alone.
    pub(crate) fn everybody(&self) -> Vec<SourcePersonId> {
        self.people.iter().map(|known| known.id.clone()).collect()
    }

    /// The one child whom a message without references can only mean.
    pub(crate) fn only_child(&self) -> Option<&SourcePersonId> {
        let mut children = self.people.iter().filter(|known| known.is_child);
        let first = children.next()?;
        children.next().is_none().then_some(&first.id)
    }

    /// A record that can't be used.
    pub(crate) fn drop_record(
        &self,
        element: &Element,
        code: &str,
        expected: &str,
        sink: &mut dyn Sink,
    ) {
        sink.deviation(Deviation::record_error(
            code,
            place(self.file, element),
            expected,
        ));
    }

    /// A value that is not used.
    pub(crate) fn drop_value(
        &self,
        element: &Element,
        code: &str,
        expected: &str,
        sink: &mut dyn Sink,
    ) {
        sink.deviation(Deviation::value_error(
            code,
            place(self.file, element),
            expected,
        ));
    }

    /// The title-and-text comments of an activity.
    pub(crate) fn comments<'e>(element: &'e Element, title: &str) -> Option<&'e str> {
        element
            .all("nc:ActivityComment")
            .find(|comment| comment.text_at("nc:CommentTitleText") == Some(title))?
            .text_at("nc:CommentText")
    }
}

/// A case or person number as the gateway keeps it: the ten-character key where it is one.
pub(crate) fn number(text: &str) -> String {
    CmsKey::parse_any(text.trim()).map_or_else(|_| text.trim().to_owned(), |key| key.to_string())
}

/// The registry id of an entity that is an organisation, when the sender gives one.
pub(crate) fn organization(entity: Option<&Element>) -> Option<OrganizationId> {
    let id = entity?
        .text_at("nc:EntityOrganization/nc:OrganizationIdentification/nc:IdentificationID")?;
    OrganizationId::new(id).ok()
}
