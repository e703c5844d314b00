//! A concrete request: who would be told what, and what holds about it.

use std::str::FromStr as _;

use cedar_policy::{
    Authorizer, Context, Entities, EntityId, EntityTypeName, EntityUid, PolicySet, Request,
    RequestEnv, Response, Schema,
};
use cedar_policy_symcc::Env;
use serde_json::{Value, json};

use crate::question::Undecided;

/// A request with its entities, as JSON whose parts can be changed one by one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scene {
    /// The action's id, such as `disclose`.
    pub(crate) action: String,
    /// Attributes of the recipient, attributes of the item and the context, under these names.
    pub(crate) facts: Value,
    kinds: Kinds,
}

/// The entity types of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kinds {
    action: EntityTypeName,
    recipient: EntityTypeName,
    item: EntityTypeName,
}

/// The attributes that recipients and items have at least. The library leaves out an entity of which no rule reads a
/// thing; a whole request needs it.
#[derive(Debug, Clone)]
pub(crate) struct Blank {
    recipient: Value,
    item: Value,
}

impl Blank {
    pub(crate) fn of(scene: &Scene) -> Self {
        let part = |name: &str| scene.facts.get(name).cloned().unwrap_or_default();
        Self {
            recipient: part("recipient"),
            item: part("item"),
        }
    }
}

impl Scene {
    pub(crate) fn read(
        found: &Env,
        env: &RequestEnv,
        blank: Option<&Blank>,
    ) -> Result<Self, Undecided> {
        let unreadable =
            |what: &str| Undecided::new(format!("the solver's example has no readable {what}"));
        let entities = found
            .entities
            .to_json_value()
            .map_err(|_| unreadable("entities"))?;
        let attributes = |uid: Option<&EntityUid>, blank: Option<&Value>| {
            let uid = uid?;
            let (kind, id) = (uid.type_name().to_string(), uid.id().unescaped());
            let is_it = |one: &&Value| {
                let own = one.get("uid");
                let part = |name: &str| own.and_then(|own| own.get(name)).and_then(Value::as_str);
                part("type") == Some(kind.as_str()) && part("id") == Some(id)
            };
            let listed = entities.as_array().into_iter().flatten().find(is_it);
            let known = listed.and_then(|one| one.get("attrs"));
            let known = known.filter(|attrs| attrs.as_object().is_some_and(|map| !map.is_empty()));
            known.or(blank).cloned()
        };
        let recipient = attributes(
            found.request.principal(),
            blank.map(|blank| &blank.recipient),
        );
        let item = attributes(found.request.resource(), blank.map(|blank| &blank.item));
        let context = found
            .request
            .context()
            .and_then(|one| one.to_json_value().ok());
        Ok(Self {
            action: env.action().id().unescaped().to_owned(),
            facts: json!({
                "recipient": recipient.ok_or_else(|| unreadable("recipient"))?,
                "item": item.ok_or_else(|| unreadable("item"))?,
                "context": context.ok_or_else(|| unreadable("context"))?,
            }),
            kinds: Kinds {
                action: env.action().type_name().clone(),
                recipient: env.principal().clone(),
                item: env.resource().clone(),
            },
        })
    }

    /// The same request with other facts.
    pub(crate) fn with(&self, facts: Value) -> Self {
        Self {
            facts,
            ..self.clone()
        }
    }

    /// A fact by its JSON pointer.
    pub(crate) fn fact(&self, pointer: &str) -> Option<&Value> {
        self.facts.pointer(pointer)
    }

    /// What Cedar itself says about the request; `None` when it is not one of the schema's.
    pub(crate) fn evaluate(&self, set: &PolicySet, schema: &Schema) -> Option<Response> {
        let uid = |kind: &EntityTypeName, id: &str| {
            EntityUid::from_type_name_and_id(
                kind.clone(),
                EntityId::from_str(id).unwrap_or_else(|never| match never {}),
            )
        };
        let recipient = uid(&self.kinds.recipient, "recipient");
        let item = uid(&self.kinds.item, "item");
        let action = uid(&self.kinds.action, &self.action);
        let entity = |uid: &EntityUid, part: &str| {
            json!({ "uid": { "type": uid.type_name().to_string(), "id": uid.id().unescaped() },
                "attrs": self.facts.get(part), "parents": [] })
        };
        let entities = json!([entity(&recipient, "recipient"), entity(&item, "item")]);
        let entities = Entities::from_json_value(entities, Some(schema)).ok()?;
        let context = self.facts.get("context")?.clone();
        let context = Context::from_json_value(context, Some((schema, &action))).ok()?;
        let request = Request::new(recipient, action, item, context, Some(schema)).ok()?;
        Some(Authorizer::new().is_authorized(&request, set, &entities))
    }
}
