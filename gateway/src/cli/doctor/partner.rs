//! A partner that is reached over the network: its name, its connection, its certificate chain, the token that it is
//! shown, and what it says of itself. Nothing is asked about anybody.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use jiff::Timestamp;
use serde_json::Value;
use tandem_adapter_port::conversation::Answer;
use tandem_mappings::model::id::SystemId;
use tokio::net::TcpStream;
use url::Url;

use super::PATIENCE;
use super::certificates::left;
use super::chain;
use super::examination::{Examination, Finding};
use crate::config::SystemConfig;
use crate::transport::http::PartnerClient;

/// The version of FHIR that is spoken.
const FHIR: &str = "4.0";

/// A partner as the configuration has it.
#[derive(Debug)]
pub(super) struct Partner<'a> {
    system: &'a str,
    url: &'a Url,
    token_file: Option<&'a Path>,
    authority: Option<&'a Path>,
    allow_plain: bool,
    is_fhir: bool,
}

/// The partners of a system.
pub(super) fn of<'a>(id: &'a SystemId, system: &'a SystemConfig) -> Vec<Partner<'a>> {
    let push = system.push.as_ref().map(|push| Partner {
        system: id.as_str(),
        url: &push.url,
        token_file: push.token_file.as_deref(),
        authority: push.authority.as_deref(),
        allow_plain: push.allow_plain,
        is_fhir: false,
    });
    let fhir = system.fhir.as_ref().map(|server| Partner {
        system: id.as_str(),
        url: &server.base,
        token_file: server.token_file.as_deref(),
        authority: server.authority.as_deref(),
        allow_plain: server.allow_plain,
        is_fhir: true,
    });
    push.into_iter().chain(fhir).collect()
}

impl Partner<'_> {
    fn check(&self, what: &str) -> String {
        format!("{what}/{}", self.system)
    }

    /// Looks at the partner, as far as each step makes the next one possible.
    pub(super) async fn examine(
        &self,
        examination: &mut Examination,
        is_offline: bool,
        now: Timestamp,
    ) {
        let steps = ["dns", "connection", "tls", "auth", "metadata"];
        if is_offline {
            for step in steps {
                examination.add(Finding::not_applicable(
                    self.check(step),
                    "asked to stay offline",
                ));
            }
            return;
        }
        let mut reached = 0;
        for step in steps {
            let finding = match step {
                "dns" => self.dns().await,
                "connection" => self.connection().await,
                "tls" => self.tls(now).await,
                "auth" => self.auth().await,
                _ => self.metadata().await,
            };
            let has_failed = finding.has_failed();
            examination.add(finding);
            reached += 1;
            // A token that is refused says nothing about the description, which needs none.
            if has_failed && step != "auth" {
                break;
            }
        }
        for step in steps.iter().skip(reached) {
            let why = "what it needs has failed";
            examination.add(Finding::not_applicable(self.check(step), why));
        }
    }

    async fn addresses(&self) -> std::io::Result<Vec<SocketAddr>> {
        let port = self.url.port_or_known_default().unwrap_or(443);
        let host = self.url.host_str().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let found = tokio::time::timeout(PATIENCE, tokio::net::lookup_host((host, port))).await;
        Ok(found??.collect())
    }

    async fn dns(&self) -> Finding {
        let check = self.check("dns");
        let host = self.url.host_str().unwrap_or_default();
        if host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok() {
            return Finding::not_applicable(check, format!("{host} is an address"));
        }
        let help = "look at the name in the configuration and at this machine's resolver";
        match self.addresses().await {
            Ok(found) if !found.is_empty() => {
                Finding::ok(check, format!("{host} has {} addresses", found.len()))
            }
            Ok(_) => Finding::failed(check, format!("{host} has no address"), "an address", help),
            Err(error) => Finding::failed(check, format!("{host}: {error}"), "an address", help),
        }
    }

    async fn connection(&self) -> Finding {
        let check = self.check("connection");
        let expected = "somebody who listens there";
        let help = "ask the partner whether its server runs, and whoever keeps the firewall";
        let mut why = "it has no address".to_owned();
        for address in self.addresses().await.unwrap_or_default() {
            match tokio::time::timeout(PATIENCE, TcpStream::connect(address)).await {
                Ok(Ok(_)) => return Finding::ok(check, format!("{address} answers")),
                Ok(Err(error)) => why = format!("{address}: {error}"),
                Err(_) => why = format!("{address}: no answer within {} s", PATIENCE.as_secs()),
            }
        }
        Finding::failed(check, why, expected, help)
    }

    async fn tls(&self, now: Timestamp) -> Finding {
        let check = self.check("tls");
        let host = self
            .url
            .host_str()
            .unwrap_or_default()
            .trim_matches(['[', ']']);
        if self.url.scheme() != "https" {
            let is_local = host == "localhost"
                || host
                    .parse()
                    .is_ok_and(|address: IpAddr| address.is_loopback());
            if is_local {
                return Finding::not_applicable(check, "plain HTTP on this machine");
            }
            let help = "people's data go there in clear: ask the partner for an https address";
            if self.allow_plain {
                return Finding::warning(
                    check,
                    "plain HTTP, which allow_plain lets pass",
                    "https",
                    help,
                );
            }
            return Finding::failed(check, "plain HTTP", "https", help);
        }
        let addresses = self.addresses().await.unwrap_or_default();
        let expected = "a chain that is trusted";
        let help = "the partner must renew its certificate or send the whole chain; for a private authority give its file as `authority`";
        let Some(address) = addresses.first() else {
            return Finding::failed(check, "it has no address", expected, help);
        };
        let chain = match chain::shown(*address, host, self.authority, PATIENCE).await {
            Ok(chain) => chain,
            Err(error) => return Finding::failed(check, format!("{error:#}"), expected, help),
        };
        let ends = chain.ends.map(|ends| format!(", the first ends at {ends}"));
        let ends = ends.unwrap_or_default();
        match (chain.refused, chain.ends) {
            (Some(why), _) => {
                let found = format!("{why} ({} certificates{ends})", chain.length);
                Finding::failed(check, found, expected, help)
            }
            (None, Some(ends)) => {
                let what = format!("the chain of {} certificates", chain.length);
                left(check, &what, ends, now)
            }
            (None, None) => Finding::ok(check, "trusted"),
        }
    }

    async fn ask(&self, method: &str, path: &str) -> Result<Answer, String> {
        let client = PartnerClient::new(self.token_file, self.authority);
        let client = client.map_err(|error| error.to_string())?;
        let address = format!("{}{path}", self.url.as_str().trim_end_matches('/'));
        let request = http::Request::builder()
            .method(method)
            .uri(address)
            .header(
                http::header::ACCEPT,
                "application/fhir+json, application/json",
            )
            .body(Vec::new());
        let request = request.map_err(|error| error.to_string())?;
        Ok(client.send(request).await)
    }

    /// Whether the token is taken. Of a FHIR server the number of tasks is asked for, of another nothing but a head.
    async fn auth(&self) -> Finding {
        let check = self.check("auth");
        let (expected, help) = (
            "an answer other than 401 and 403",
            "ask the partner for a new token and put it into the file that token_file names",
        );
        if let Some(file) = self.token_file {
            let place = file.display();
            match std::fs::read_to_string(file) {
                Ok(text) if text.trim().is_empty() => {
                    return Finding::failed(check, format!("{place} is empty"), "a token", help);
                }
                Err(error) => {
                    let found = format!("{place}: {error}");
                    return Finding::failed(check, found, "a file that can be read", help);
                }
                Ok(_) => {}
            }
        }
        let answer = if self.is_fhir {
            self.ask("GET", "/Task?_summary=count").await
        } else {
            self.ask("HEAD", "").await
        };
        let answer = match answer {
            Ok(Ok(answer)) => answer,
            Ok(Err(failure)) => return Finding::failed(check, failure.to_string(), expected, help),
            Err(error) => return Finding::failed(check, error, expected, help),
        };
        let status = answer.status().as_u16();
        let found = format!("it answered {status}");
        match status {
            401 | 403 => Finding::failed(check, found, expected, help),
            404 | 410 => {
                let help = "look at the path of the address: nothing may be there, and every delivery would be refused. A server that answers so to a head, and takes what is posted, is well";
                Finding::warning(check, found, "an address that is there", help)
            }
            500.. => {
                let help = "the partner's server has an error of its own: deliveries there are tried again";
                Finding::warning(check, found, expected, help)
            }
            _ if self.token_file.is_none() => {
                Finding::ok(check, format!("{found}, without a token"))
            }
            _ => Finding::ok(check, found),
        }
    }

    async fn metadata(&self) -> Finding {
        let check = self.check("metadata");
        if !self.is_fhir {
            let why = "an address that messages are posted to has no description of itself";
            return Finding::not_applicable(check, why);
        }
        let expected = format!("a CapabilityStatement of FHIR {FHIR} with Task and Patient");
        let help = "look whether `base` is the address of the FHIR server itself, and of which version it is";
        let answer = match self.ask("GET", "/metadata").await {
            Ok(Ok(answer)) => answer,
            Ok(Err(failure)) => return Finding::failed(check, failure.to_string(), expected, help),
            Err(error) => return Finding::failed(check, error, expected, help),
        };
        let statement: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        if statement["resourceType"] != "CapabilityStatement" {
            let found = format!(
                "it answered {} and no such statement",
                answer.status().as_u16()
            );
            return Finding::failed(check, found, expected, help);
        }
        described(check, &statement, expected, help)
    }
}

/// What a CapabilityStatement says.
fn described(check: String, statement: &Value, expected: String, help: &str) -> Finding {
    let version = statement["fhirVersion"].as_str().unwrap_or("none");
    let rest = statement["rest"].as_array().into_iter().flatten();
    let resources: Vec<&str> = rest
        .filter_map(|rest| rest["resource"].as_array())
        .flatten()
        .filter_map(|resource| resource["type"].as_str())
        .collect();
    let missing: Vec<&str> = ["Patient", "Task"]
        .into_iter()
        .filter(|needed| !resources.contains(needed))
        .collect();
    let found = format!("FHIR {version}, {} kinds of resources", resources.len());
    if !version.starts_with(FHIR) {
        Finding::failed(check, found, expected, help)
    } else if !missing.is_empty() {
        let found = format!("{found}, without {}", missing.join(" and "));
        Finding::warning(
            check,
            found,
            expected,
            "ask the partner whether it serves them all the same",
        )
    } else {
        Finding::ok(check, found)
    }
}
