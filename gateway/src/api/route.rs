//! Routes and their description, said in one place: what is served is what is described.

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodFilter, on};
use utoipa::ToSchema;
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn,
};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Required};

use super::Api;
use super::caller::Access;
use super::fhir::FHIR_JSON;
use super::problem::Problem;
use crate::config::Role;

type Schemas = Vec<(String, RefOr<Schema>)>;

/// One route as it is described.
pub struct Doc {
    method: HttpMethod,
    /// Address, with `{*rest}` for a rest of several segments.
    pub path: &'static str,
    summary: &'static str,
    roles: Option<&'static [Role]>,
    queries: Vec<Parameter>,
    body: Option<RequestBody>,
    /// Whether the body is JSON of one shape.
    takes_json: bool,
    answers: Vec<(u16, Response)>,
    schemas: Schemas,
}

impl std::fmt::Debug for Doc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Doc({} {})", self.method(), self.path)
    }
}

impl Doc {
    fn new(method: HttpMethod, path: &'static str, summary: &'static str) -> Self {
        let (queries, answers, schemas) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            method,
            path,
            summary,
            roles: None,
            queries,
            body: None,
            takes_json: false,
            answers,
            schemas,
        }
    }

    /// A reading route.
    pub(crate) fn get(path: &'static str, summary: &'static str) -> Self {
        Self::new(HttpMethod::Get, path, summary)
    }

    /// A writing route.
    pub(crate) fn post(path: &'static str, summary: &'static str) -> Self {
        Self::new(HttpMethod::Post, path, summary)
    }

    /// A replacing route.
    pub(crate) fn put(path: &'static str, summary: &'static str) -> Self {
        Self::new(HttpMethod::Put, path, summary)
    }

    /// Who may ask; without it, anybody.
    pub(crate) fn allow<A: Access>(mut self) -> Self {
        self.roles = Some(A::ROLES);
        self
    }

    /// A query parameter.
    pub(crate) fn query(mut self, name: &str, text: &str) -> Self {
        self.queries
            .push(parameter(name, ParameterIn::Query, Required::False, text));
        self
    }

    /// A header.
    pub(crate) fn header(mut self, name: &str, text: &str) -> Self {
        self.queries
            .push(parameter(name, ParameterIn::Header, Required::False, text));
        self
    }

    /// The JSON body that is taken.
    pub(crate) fn takes<T: ToSchema>(mut self) -> Self {
        self.takes_json = true;
        let content = ContentBuilder::new()
            .schema(Some(self.schema::<T>()))
            .build();
        self.body = Some(
            RequestBodyBuilder::new()
                .content("application/json", content)
                .required(Some(Required::True))
                .build(),
        );
        self
    }

    /// A body of other kinds.
    pub(crate) fn takes_raw(mut self, kinds: &[&str]) -> Self {
        let body = kinds.iter().fold(RequestBodyBuilder::new(), |body, kind| {
            body.content(
                *kind,
                ContentBuilder::new().schema(Some(text_schema())).build(),
            )
        });
        self.body = Some(body.required(Some(Required::True)).build());
        self
    }

    /// A JSON answer.
    pub(crate) fn gives<T: ToSchema>(mut self, status: u16, text: &str) -> Self {
        let content = ContentBuilder::new()
            .schema(Some(self.schema::<T>()))
            .build();
        let answer = ResponseBuilder::new()
            .description(text)
            .content("application/json", content)
            .build();
        self.answers.push((status, answer));
        self
    }

    /// An answer of another kind.
    pub(crate) fn gives_raw(mut self, status: u16, kind: &str, text: &str) -> Self {
        let content = ContentBuilder::new().schema(Some(text_schema())).build();
        self.answers.push((
            status,
            ResponseBuilder::new()
                .description(text)
                .content(kind, content)
                .build(),
        ));
        self
    }

    /// A refusal: with a problem document, under `/fhir` with an OperationOutcome.
    pub(crate) fn refuses(mut self, status: u16, text: &str) -> Self {
        if self.path.starts_with("/fhir") {
            return self.gives_raw(status, FHIR_JSON, text);
        }
        let content = ContentBuilder::new()
            .schema(Some(self.schema::<Problem>()))
            .build();
        let answer = ResponseBuilder::new()
            .description(text)
            .content("application/problem+json", content)
            .build();
        self.answers.push((status, answer));
        self
    }

    /// A refusal that goes without saying, said unless the route says it in its own words.
    fn refuses_also(self, status: u16, text: &str) -> Self {
        if self.answers.iter().any(|(said, _)| *said == status) {
            self
        } else {
            self.refuses(status, text)
        }
    }

    fn has_query(&self) -> bool {
        let is_query = |one: &Parameter| matches!(one.parameter_in, ParameterIn::Query);
        self.queries.iter().any(is_query)
    }

    fn schema<T: ToSchema>(&mut self) -> RefOr<Schema> {
        let name = T::name().into_owned();
        T::schemas(&mut self.schemas);
        self.schemas.push((name.clone(), T::schema()));
        Ref::from_schema_name(name).into()
    }

    /// The roles that may ask; `None` when anybody may.
    #[must_use]
    pub fn roles(&self) -> Option<&'static [Role]> {
        self.roles
    }

    /// The method in upper case.
    #[must_use]
    pub fn method(&self) -> &'static str {
        match self.method {
            HttpMethod::Post => "POST",
            HttpMethod::Put => "PUT",
            _ => "GET",
        }
    }

    fn filter(&self) -> MethodFilter {
        match self.method {
            HttpMethod::Post => MethodFilter::POST,
            HttpMethod::Put => MethodFilter::PUT,
            _ => MethodFilter::GET,
        }
    }

    /// The address as OpenAPI writes it.
    #[must_use]
    pub fn address(&self) -> String {
        self.path.replace("{*", "{")
    }

    /// The method, the operation and the schemas that it names.
    pub(crate) fn into_operation(mut self) -> (HttpMethod, String, Operation, Schemas) {
        if self.roles.is_some() {
            self = self
                .refuses(401, "No valid token")
                .refuses(403, "The token's role or system does not allow it");
        }
        if self.body.is_some() || self.has_query() {
            let text = "The body or the query is not of the form that is described here";
            self = self.refuses_also(400, text);
        }
        if self.takes_json {
            self = self
                .refuses_also(413, "The body is larger than allowed")
                .refuses_also(415, "The body is of a kind that is not taken here")
                .refuses_also(422, "The JSON is not of the shape expected here");
        }
        self = self.refuses(
            429,
            "Too many requests; `Retry-After` says for how many seconds to wait",
        );
        let address = self.address();
        let tag = address
            .trim_start_matches("/v1/")
            .trim_start_matches('/')
            .split('/')
            .next()
            .unwrap_or("")
            .to_owned();
        let mut operation = OperationBuilder::new()
            .summary(Some(self.summary))
            .operation_id(Some(operation_id(self.method(), &address)))
            .tag(tag);
        if let Some(roles) = self.roles {
            let names: Vec<String> = roles.iter().map(role_name).collect();
            operation = operation
                .description(Some(format!("Roles: {}.", names.join(", "))))
                .security(SecurityRequirement::new("bearer", Vec::<String>::new()));
        }
        for name in address
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        {
            operation = operation.parameter(parameter(name, ParameterIn::Path, Required::True, ""));
        }
        for parameter in self.queries {
            operation = operation.parameter(parameter);
        }
        operation = operation.request_body(self.body);
        for (status, answer) in self.answers {
            operation = operation.response(status.to_string(), answer);
        }
        (self.method, address, operation.build(), self.schemas)
    }
}

fn role_name(role: &Role) -> String {
    let name = serde_json::to_value(role).ok();
    name.and_then(|name| name.as_str().map(str::to_owned))
        .unwrap_or_default()
}

fn operation_id(method: &str, address: &str) -> String {
    let words = address
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    std::iter::once(method.to_ascii_lowercase())
        .chain(words.map(str::to_owned))
        .collect::<Vec<_>>()
        .join("-")
}

fn text_schema() -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .build()
        .into()
}

fn parameter(name: &str, place: ParameterIn, required: Required, text: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(required)
        .description(Some(text).filter(|text| !text.is_empty()))
        .schema(Some(text_schema()))
        .build()
}

/// Routes with their descriptions.
#[derive(Debug, Default)]
pub struct Routes {
    /// What serves them.
    pub router: Router<Api>,
    /// What describes them.
    pub docs: Vec<Doc>,
}

impl Routes {
    /// Adds a route.
    pub(crate) fn add<H, T>(mut self, doc: Doc, handler: H) -> Self
    where
        H: Handler<T, Api>,
        T: 'static,
    {
        self.router = self.router.route(doc.path, on(doc.filter(), handler));
        self.docs.push(doc);
        self
    }
}
