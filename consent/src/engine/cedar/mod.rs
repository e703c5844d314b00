//! A scene as Cedar sees it: recipient and items as entities, the rest as context.

mod context;
mod fields;
mod value;

use std::collections::{HashMap, HashSet};
use std::str::FromStr;
use std::sync::LazyLock;

use cedar_policy::{
    Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request as CedarRequest,
};

pub(super) use self::context::{context, directive, ideal_directive};
use self::fields::{item_fields, recipient_fields};
use self::value::Fields;
use super::scene::Scene;

/// Cedar could not take a value. The decision then denies.
#[derive(Debug)]
pub(super) struct CedarError;

/// The entities of a scene.
pub(super) struct Stage {
    pub(super) entities: Entities,
    recipient: EntityUid,
    action: EntityUid,
    items: Vec<EntityUid>,
}

impl Stage {
    /// Builds the entities. With `teams`, every item shares teams of these kinds with the
    /// recipient: used to find out what a team would open.
    pub(super) fn new(scene: &Scene<'_>, teams: Option<&[&str]>) -> Result<Self, CedarError> {
        let recipient = uid(&RECIPIENT, scene.request.recipient.organization.as_str())?;
        let mut entities = vec![entity(&recipient, recipient_fields(scene)?)?];
        let mut items = Vec::new();
        for (index, item) in scene.request.items.iter().enumerate() {
            let item_uid = uid(&ITEM, &index.to_string())?;
            entities.push(entity(&item_uid, item_fields(scene, item, teams)?)?);
            items.push(item_uid);
        }
        Ok(Self {
            entities: Entities::from_entities(entities, None).map_err(|_| CedarError)?,
            recipient,
            action: uid(&ACTION, scene.request.action.as_str())?,
            items,
        })
    }

    /// The question about one item in one context.
    pub(super) fn question(
        &self,
        item: usize,
        context: &Context,
    ) -> Result<CedarRequest, CedarError> {
        let item = self.items.get(item).ok_or(CedarError)?.clone();
        let (recipient, action) = (self.recipient.clone(), self.action.clone());
        // The fields are built from the schema's own list, so no schema is needed here; a field
        // that were missing would be an evaluation error, and an error denies.
        CedarRequest::new(recipient, action, item, context.clone(), None).map_err(|_| CedarError)
    }
}

/// An entity type; parsed once, since parsing costs as much as a whole evaluation.
type Kind = LazyLock<Option<EntityTypeName>>;

static RECIPIENT: Kind = LazyLock::new(|| EntityTypeName::from_str("Recipient").ok());
static ITEM: Kind = LazyLock::new(|| EntityTypeName::from_str("Item").ok());
static ACTION: Kind = LazyLock::new(|| EntityTypeName::from_str("Action").ok());

fn uid(kind: &Kind, id: &str) -> Result<EntityUid, CedarError> {
    let kind = (**kind).clone().ok_or(CedarError)?;
    Ok(EntityUid::from_type_name_and_id(kind, EntityId::new(id)))
}

fn entity(uid: &EntityUid, fields: Fields) -> Result<Entity, CedarError> {
    let fields: HashMap<_, _> = fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    Entity::new(uid.clone(), fields, HashSet::new()).map_err(|_| CedarError)
}
