//! The description of the API (OpenAPI 3.1), made of the routes themselves.

use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Paths};

use super::route::Doc;

const ABOUT: &str = "The gateway between human-services agency systems: records and messages in, mutual clients, \
consent decisions, referrals and plans, lanes and measures. Errors are RFC 9457 problem documents, under /fhir \
OperationOutcomes.";

/// The description of these routes.
pub(super) fn describe(docs: Vec<Doc>) -> OpenApi {
    let mut paths = Paths::new();
    let mut components = ComponentsBuilder::new();
    for doc in docs {
        let (method, address, operation, schemas) = doc.into_operation();
        paths.add_path_operation(address, vec![method], operation);
        for (name, schema) in schemas {
            components = components.schema(name, schema);
        }
    }
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "A token of the gateway's token file, bound to a role and an organisation",
        ))
        .build();
    let info = InfoBuilder::new()
        .title("Tandem")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .build();
    OpenApiBuilder::new()
        .info(info)
        .paths(paths)
        .components(Some(
            components
                .security_scheme("bearer", SecurityScheme::Http(bearer))
                .build(),
        ))
        .build()
}
