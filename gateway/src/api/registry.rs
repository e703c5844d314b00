//! The registry: who takes part, with which facts, services, teams and programmes. For every token.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::Api;
use super::caller::{Anyone, As};
use super::route::{Doc, Routes};

/// Entries of the registry, in the form of its files, under their name: `organizations`, `services`, ...
struct Entries;

impl PartialSchema for Entries {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .additional_properties(Some(
                ArrayBuilder::new().items(ObjectBuilder::new().build()),
            ))
            .build()
            .into()
    }
}

impl ToSchema for Entries {
    fn name() -> std::borrow::Cow<'static, str> {
        "RegistryEntries".into()
    }
}

pub(super) fn routes(routes: Routes) -> Routes {
    let doc = |path, summary| {
        Doc::get(path, summary)
            .allow::<Anyone>()
            .gives::<Entries>(200, "In the form of the registry's files")
    };
    routes
        .add(
            doc(
                "/v1/registry/organizations",
                "Organisations and the legal facts about them",
            ),
            organizations,
        )
        .add(
            doc("/v1/registry/services", "Services of the directory"),
            services,
        )
        .add(doc("/v1/registry/teams", "Teams under a statute"), teams)
        .add(doc("/v1/registry/programs", "Programmes"), programs)
}

async fn organizations(_as: As<Anyone>, State(api): State<Api>) -> Json<Value> {
    Json(json!({"organizations": api.core().loaded.registry.organizations().collect::<Vec<_>>()}))
}

async fn services(_as: As<Anyone>, State(api): State<Api>) -> Json<Value> {
    Json(json!({"services": api.core().loaded.registry.services().collect::<Vec<_>>()}))
}

async fn teams(_as: As<Anyone>, State(api): State<Api>) -> Json<Value> {
    Json(json!({"teams": api.core().loaded.registry.teams().collect::<Vec<_>>()}))
}

async fn programs(_as: As<Anyone>, State(api): State<Api>) -> Json<Value> {
    Json(json!({"programs": api.core().loaded.registry.programs().collect::<Vec<_>>()}))
}
