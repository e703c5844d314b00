//! One call to the gateway's API, bounded in time and size.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use clap::Args;
use futures::StreamExt as _;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::{Method, Response, StatusCode, Url};
use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use super::super::exit::Failure;
use super::super::table::printable_lines;
use super::named::named;

/// Names the gateway's address when no option does.
const URL_VARIABLE: &str = "TANDEM_URL";
/// Names the token's file when no option does.
const TOKEN_FILE_VARIABLE: &str = "TANDEM_TOKEN_FILE";
const USUAL_URL: &str = "http://127.0.0.1:8480/";
const TIME_LIMIT: Duration = Duration::from_secs(60);
/// For an answer that is written to a file as it comes, or a file that is sent.
const FILE_LIMIT: Duration = Duration::from_secs(3_600);
/// Largest answer, in bytes.
const ANSWER_LIMIT: usize = 64 << 20;

/// Where the gateway is, and who asks.
#[derive(Debug, Args)]
pub(in super::super) struct ConnectionArgs {
    /// Address of the gateway [env: TANDEM_URL, default: http://127.0.0.1:8480/]
    #[arg(long, value_name = "URL")]
    url: Option<Url>,
    /// File that holds the access token [env: TANDEM_TOKEN_FILE]
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// PEM file of a certificate authority to trust besides the public ones
    #[arg(long, value_name = "FILE")]
    authority: Option<PathBuf>,
}

/// One call.
#[derive(Debug)]
pub(in super::super) struct Call {
    method: Method,
    path: Vec<String>,
    query: Vec<(&'static str, String)>,
    body: Body,
    about: Option<String>,
}

/// What a call brings along.
#[derive(Debug)]
enum Body {
    Nothing,
    Json(Value),
    File(Upload),
}

/// A file on its way to the gateway.
#[derive(Debug)]
pub(super) struct Upload {
    /// Its media type.
    pub(super) kind: &'static str,
    /// Its size in bytes.
    pub(super) size: usize,
    /// Its bytes.
    pub(super) bytes: reqwest::Body,
}

impl Call {
    /// Asks for something. Each part of the path is one segment, whatever characters it has.
    pub(in super::super) fn get<T: Into<String>>(path: impl IntoIterator<Item = T>) -> Self {
        Self::new(Method::GET, path)
    }

    /// Asks for something to be done.
    pub(in super::super) fn post<T: Into<String>>(
        path: impl IntoIterator<Item = T>,
        body: Value,
    ) -> Self {
        Self {
            body: Body::Json(body),
            ..Self::new(Method::POST, path)
        }
    }

    /// Hands in a file.
    pub(super) fn upload<T: Into<String>>(path: impl IntoIterator<Item = T>, file: Upload) -> Self {
        Self {
            body: Body::File(file),
            ..Self::new(Method::POST, path)
        }
    }

    fn new<T: Into<String>>(method: Method, path: impl IntoIterator<Item = T>) -> Self {
        let path = path.into_iter().map(Into::into).collect();
        Self {
            method,
            path,
            query: Vec::new(),
            body: Body::Nothing,
            about: None,
        }
    }

    /// Says what it is about: so begins the text of a refusal. What a path names goes without saying when there is no such thing.
    pub(super) fn about(mut self, what: impl Into<String>) -> Self {
        self.about = Some(what.into());
        self
    }

    /// Narrows what is asked for, when a value is given.
    pub(in super::super) fn query(
        mut self,
        name: &'static str,
        value: Option<impl ToString>,
    ) -> Self {
        self.query
            .extend(value.map(|value| (name, value.to_string())));
        self
    }
}

/// A gateway that answers calls.
#[derive(Debug)]
pub(super) struct Gateway {
    client: reqwest::Client,
    url: Url,
    token: Option<Zeroizing<String>>,
}

impl Gateway {
    /// Takes address and token from options and environment.
    pub(super) fn connect(args: &ConnectionArgs) -> Result<Self, Failure> {
        let url = match (&args.url, std::env::var(URL_VARIABLE)) {
            (Some(url), _) => url.clone(),
            (None, Ok(text)) => text
                .parse()
                .map_err(|error| Failure::Usage(format!("{URL_VARIABLE}: {error}")))?,
            (None, Err(_)) => USUAL_URL.parse().context("reading the usual address")?,
        };
        let from_environment = || std::env::var_os(TOKEN_FILE_VARIABLE).map(PathBuf::from);
        let token = match args.token_file.clone().or_else(from_environment) {
            None => None,
            Some(file) => Some(token(&file)?),
        };
        refuse_clear_token(&url, token.is_some())?;
        let mut builder = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(10))
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("tandem-cli/", env!("CARGO_PKG_VERSION")));
        if let Some(file) = &args.authority {
            let reading = || format!("reading {}", file.display());
            let pem = std::fs::read(file).with_context(reading)?;
            let authority = reqwest::Certificate::from_pem(&pem).with_context(reading)?;
            builder = builder.add_root_certificate(authority);
        }
        let client = builder.build().context("setting up the HTTP client")?;
        Ok(Self { client, url, token })
    }

    /// Makes a call. The answer is JSON, or text as a JSON string; `Null` for an empty one.
    pub(super) async fn send(&self, call: Call) -> Result<Value, Failure> {
        let limit = match call.body {
            Body::File(_) => FILE_LIMIT,
            _ => TIME_LIMIT,
        };
        let response = self.respond(call, limit).await?;
        Ok(answer(&body(response).await?))
    }

    /// Makes a call and writes its answer as it comes, however large it is.
    pub(super) async fn save(&self, call: Call, out: &mut impl Write) -> Result<(), Failure> {
        let response = self.respond(call, FILE_LIMIT).await?;
        let mut stream = response.bytes_stream();
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|_| anyhow!("the gateway's answer was cut"))?;
            out.write_all(&chunk).context("writing the answer")?;
        }
        Ok(())
    }

    /// Makes a call that may take so long; what is refused is a failure.
    async fn respond(&self, call: Call, limit: Duration) -> Result<Response, Failure> {
        let (about, in_path) = (call.about, named(&call.path));
        let mut url = self.url.clone();
        url.path_segments_mut()
            .map_err(|()| Failure::Usage("the address can't have a path".to_owned()))?
            .pop_if_empty()
            .push("v1")
            .extend(&call.path);
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        let mut request = self.client.request(call.method, url).timeout(limit);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.as_str());
        }
        request = match call.body {
            Body::Nothing => request,
            Body::Json(body) => request.json(&body),
            Body::File(file) => request
                .header(CONTENT_TYPE, file.kind)
                .header(CONTENT_LENGTH, file.size)
                .body(file.bytes),
        };
        let response = request
            .send()
            .await
            .map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        if status.is_success() {
            Ok(response)
        } else {
            let unknown = in_path.filter(|_| status == StatusCode::NOT_FOUND);
            let about = about.or(unknown);
            Err(refusal(status, about.as_deref(), &body(response).await?))
        }
    }

    fn unreachable(&self, error: &reqwest::Error) -> Failure {
        let host = self.url.host_str().unwrap_or_default();
        let port = self.url.port_or_known_default().unwrap_or_default();
        let reason = if error.is_timeout() {
            "no answer in time"
        } else {
            "connection failed"
        };
        let mut cause = String::new();
        let mut source = std::error::Error::source(error);
        while let Some(inner) = source {
            cause = format!(": {inner}");
            source = inner.source();
        }
        anyhow!("cannot reach the gateway at {host}:{port}: {reason}{cause}").into()
    }
}

/// A token in clear is for this machine only.
fn refuse_clear_token(url: &Url, has_token: bool) -> Result<(), Failure> {
    let is_local = match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    };
    if !has_token || url.scheme() == "https" || is_local {
        return Ok(());
    }
    let reason = "a token is sent over https only, save to this machine";
    Err(Failure::Usage(reason.to_owned()))
}

fn token(file: &std::path::Path) -> Result<Zeroizing<String>, Failure> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    let text = Zeroizing::new(text);
    let token = text.trim();
    if token.is_empty() || token.contains(char::is_whitespace) {
        let reason = format!("{}: expected one token and nothing else", file.display());
        return Err(Failure::Usage(reason));
    }
    Ok(Zeroizing::new(token.to_owned()))
}

async fn body(response: Response) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let mut stream = response.bytes_stream();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| anyhow!("the gateway's answer was cut"))?;
        if bytes.len() + chunk.len() > ANSWER_LIMIT {
            return Err(anyhow!("the gateway's answer is too large").into());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn answer(bytes: &[u8]) -> Value {
    if bytes.is_empty() {
        return Value::Null;
    }
    serde_json::from_slice(bytes)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(bytes).into_owned()))
}

/// A problem document (RFC 9457, section 3.1).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Problem {
    title: Option<String>,
    detail: Option<String>,
}

fn refusal(status: StatusCode, about: Option<&str>, bytes: &[u8]) -> Failure {
    let problem: Problem = serde_json::from_slice(bytes).unwrap_or_default();
    let title = problem.title.unwrap_or_else(|| {
        let reason = status
            .canonical_reason()
            .unwrap_or("refused")
            .to_lowercase();
        format!("{} {reason}", status.as_u16())
    });
    let detail = problem
        .detail
        .map_or(String::new(), |detail| format!(": {detail}"));
    let about = about.map_or(String::new(), |about| format!("{about}: "));
    let text = printable_lines(&format!("{about}{title}{detail}"));
    if status.is_client_error() {
        Failure::Refused(text)
    } else {
        Failure::CouldNotRun(anyhow!(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_told_by_title_and_detail() {
        let body = br#"{"type":"x","title":"not found","detail":"no lane is called a"}"#;
        let failure = refusal(StatusCode::NOT_FOUND, None, body);
        assert_eq!(failure.to_string(), "not found: no lane is called a");
        assert_eq!(failure.exit(), super::super::super::exit::Exit::No);
        let failure = refusal(StatusCode::BAD_GATEWAY, None, b"<html>");
        assert_eq!(failure.to_string(), "502 bad gateway");
        assert_eq!(failure.exit(), super::super::super::exit::Exit::CouldNotRun);
    }

    #[test]
    fn a_refusal_names_what_it_is_about_and_keeps_its_lines() {
        let body = br#"{"title":"invalid","detail":"two are wrong:\n a\u001b[2J\n b"}"#;
        let failure = refusal(StatusCode::CONFLICT, Some("lane hmis-demo"), body);
        let told = "lane hmis-demo: invalid: two are wrong:\n a?[2J\n b";
        assert_eq!(failure.to_string(), told);
    }

    #[test]
    fn a_token_never_leaves_the_machine_in_clear() {
        let refused = |url: &str| refuse_clear_token(&url.parse().unwrap(), true).is_err();
        assert!(refused("http://gateway.example/"));
        assert!(!refused("https://gateway.example/"));
        assert!(!refused("http://127.0.0.1:8480/") && !refused("http://[::1]:8480/"));
        assert!(refuse_clear_token(&"http://gateway.example/".parse().unwrap(), false).is_ok());
    }
}
