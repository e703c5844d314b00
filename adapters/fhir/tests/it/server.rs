//! A FHIR server as a plain function: it keeps resources, honours conditional requests, and can be
//! told to misbehave.

use std::collections::{BTreeMap, VecDeque};

use http::{Request, Response};
use serde_json::{Value, json};
use tandem_adapter_port::conversation::{Answer, Conclusion, Conversation, Step, TransportFailure};

use crate::setting::now;

/// A misbehaviour, for the next request only.
#[derive(Debug)]
pub(crate) enum Trick {
    /// Do nothing, answer this status with a body and headers.
    Answer(u16, String, Vec<(&'static str, String)>),
    /// Do it, but lose the answer.
    LoseAnswer,
    /// Let the partner change the resource just before the request is handled.
    PartnerFirst(String, Value),
    /// No trick.
    Honest,
}

/// The server.
#[derive(Debug, Default)]
pub(crate) struct Server {
    /// By `Type/id`.
    pub(crate) resources: BTreeMap<String, Value>,
    pub(crate) tricks: VecDeque<Trick>,
    pub(crate) requests: Vec<Request<Vec<u8>>>,
    made: u32,
}

impl Server {
    pub(crate) fn put(&mut self, mut resource: Value) {
        let key = format!(
            "{}/{}",
            resource["resourceType"].as_str().unwrap(),
            resource["id"].as_str().unwrap()
        );
        let version = self.resources.get(&key).map_or(1, |old| version(old) + 1);
        resource["meta"]["versionId"] = json!(version.to_string());
        self.resources.insert(key, resource);
    }

    pub(crate) fn all(&self, kind: &str) -> Vec<&Value> {
        self.resources
            .values()
            .filter(|one| one["resourceType"] == kind)
            .collect()
    }

    pub(crate) fn one(&self, kind: &str) -> &Value {
        let [one] = self.all(kind)[..] else {
            panic!("one {kind}: {:?}", self.resources.keys())
        };
        one
    }

    pub(crate) fn handle(&mut self, request: &Request<Vec<u8>>) -> Answer {
        self.requests.push(request.clone());
        match self.tricks.pop_front().unwrap_or(Trick::Honest) {
            Trick::Answer(status, body, headers) => {
                let mut response = Response::builder().status(status);
                for (name, value) in headers {
                    response = response.header(name, value);
                }
                Ok(response.body(body.into_bytes()).unwrap())
            }
            Trick::LoseAnswer => {
                self.honest(request);
                Err(TransportFailure::Cut)
            }
            Trick::PartnerFirst(key, patch) => {
                let mut resource = self.resources[&key].clone();
                for (field, value) in patch.as_object().unwrap() {
                    resource[field] = value.clone();
                }
                self.put(resource);
                Ok(self.honest(request))
            }
            Trick::Honest => Ok(self.honest(request)),
        }
    }

    fn honest(&mut self, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        let path = request
            .uri()
            .path()
            .strip_prefix("/fhir/")
            .unwrap()
            .to_owned();
        match request.method().as_str() {
            "GET" if path.contains('/') => match self.resources.get(&path) {
                Some(resource) => found(200, resource),
                None => plain(404),
            },
            "GET" => self.search(&path, request.uri().query().unwrap_or("")),
            "POST" => self.create(&path, request),
            "PUT" => self.update(&path, request),
            _ => plain(405),
        }
    }

    fn search(&self, kind: &str, query: &str) -> Response<Vec<u8>> {
        let wanted = url::form_urlencoded::parse(query.as_bytes())
            .find(|(name, _)| name == "identifier")
            .map(|(_, value)| value.into_owned());
        let entries: Vec<Value> = self
            .all(kind)
            .into_iter()
            .filter(|one| {
                wanted
                    .as_ref()
                    .is_none_or(|wanted| has_identifier(one, wanted))
            })
            .map(|one| json!({"resource": one}))
            .collect();
        let bundle = json!({"resourceType": "Bundle", "type": "searchset", "entry": entries});
        found(200, &bundle)
    }

    fn create(&mut self, kind: &str, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        let mut resource: Value = serde_json::from_slice(request.body()).unwrap();
        assert_eq!(resource["resourceType"], kind);
        let condition = request.headers()["If-None-Exist"]
            .to_str()
            .unwrap()
            .to_owned();
        let (_, wanted) = url::form_urlencoded::parse(condition.as_bytes())
            .next()
            .unwrap();
        let existing = self
            .all(kind)
            .into_iter()
            .find(|one| has_identifier(one, &wanted));
        if let Some(existing) = existing {
            return found(200, existing);
        }
        self.made += 1;
        let id = format!("made-{}", self.made);
        resource["id"] = json!(id);
        self.put(resource);
        let mut response = found(201, &self.resources[&format!("{kind}/{id}")]);
        let location = format!("https://clinic.example/fhir/{kind}/{id}/_history/1");
        response
            .headers_mut()
            .insert("Location", location.parse().unwrap());
        response
    }

    fn update(&mut self, key: &str, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        let Some(old) = self.resources.get(key) else {
            return plain(404);
        };
        let current = format!("W/\"{}\"", version(old));
        if request
            .headers()
            .get("If-Match")
            .is_some_and(|wanted| *wanted != current)
        {
            return plain(412);
        }
        self.put(serde_json::from_slice(request.body()).unwrap());
        found(200, &self.resources[key])
    }
}

fn version(resource: &Value) -> u32 {
    resource["meta"]["versionId"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap()
}

fn has_identifier(resource: &Value, wanted: &str) -> bool {
    let identifiers = resource["identifier"].as_array().into_iter().flatten();
    identifiers.into_iter().any(|own| {
        format!(
            "{}|{}",
            own["system"].as_str().unwrap(),
            own["value"].as_str().unwrap()
        ) == wanted
    })
}

fn found(status: u16, resource: &Value) -> Response<Vec<u8>> {
    let mut response = Response::builder().status(status);
    if let Some(version) = resource["meta"]["versionId"].as_str() {
        response = response.header("ETag", format!("W/\"{version}\""));
    }
    response.body(resource.to_string().into_bytes()).unwrap()
}

fn plain(status: u16) -> Response<Vec<u8>> {
    Response::builder().status(status).body(Vec::new()).unwrap()
}

/// Carries a conversation to its end.
pub(crate) fn drive(conversation: &mut dyn Conversation, server: &mut Server) -> Conclusion {
    let mut answer = None;
    for _ in 0..200 {
        match conversation.step(answer.take(), now()) {
            Step::Send(request) => answer = Some(server.handle(&request)),
            Step::Done(conclusion) => return *conclusion,
        }
    }
    panic!("the conversation does not end");
}
