//! The people who run the gateway, as they work: through its API, each with a token of their own.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

/// A caller of the API.
pub struct Office {
    url: String,
    folder: PathBuf,
    client: reqwest::Client,
}

impl std::fmt::Debug for Office {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Office({})", self.url)
    }
}

impl Office {
    /// An office in front of a gateway.
    ///
    /// # Errors
    /// When no client can be made.
    pub fn new(url: String, folder: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            url,
            folder: folder.to_owned(),
            client: reqwest::Client::builder().build()?,
        })
    }

    /// The gateway's address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    async fn send(
        &self,
        who: &str,
        request: reqwest::RequestBuilder,
    ) -> anyhow::Result<(u16, String)> {
        let token = std::fs::read_to_string(self.folder.join(format!("{who}.token")))
            .with_context(|| format!("reading the token of {who}"))?;
        let answer = request
            .bearer_auth(token.trim())
            .send()
            .await
            .context("asking the gateway")?;
        let status = answer.status().as_u16();
        Ok((status, answer.text().await?))
    }

    /// Asks as somebody.
    ///
    /// # Errors
    /// When the answer is no success.
    pub async fn get(&self, who: &str, path: &str) -> anyhow::Result<Value> {
        let (status, text) = self
            .send(who, self.client.get(format!("{}{path}", self.url)))
            .await?;
        read(path, status, &text)
    }

    /// Posts as somebody.
    ///
    /// # Errors
    /// When the answer is no success.
    pub async fn post(&self, who: &str, path: &str, body: &Value) -> anyhow::Result<Value> {
        let (status, text) = self
            .send(
                who,
                self.client.post(format!("{}{path}", self.url)).json(body),
            )
            .await?;
        read(path, status, &text)
    }

    /// A page without an account.
    ///
    /// # Errors
    /// When the answer is no success.
    pub async fn page(&self, path: &str) -> anyhow::Result<String> {
        let answer = self
            .client
            .get(format!("{}{path}", self.url))
            .send()
            .await?;
        if !answer.status().is_success() {
            bail!("GET {path} answered {}", answer.status());
        }
        Ok(answer.text().await?)
    }

    /// The doubtful pairs that wait.
    ///
    /// # Errors
    /// When the answer is no success.
    pub async fn candidates(&self) -> anyhow::Result<Vec<Value>> {
        let answer = self.get("steward", "/v1/links?standing=candidate").await?;
        Ok(answer["links"].as_array().cloned().unwrap_or_default())
    }

    /// A steward confirms a pair.
    ///
    /// # Errors
    /// When the answer is no success.
    pub async fn confirm(&self, link: &str, reason: &str) -> anyhow::Result<Value> {
        self.post(
            "steward",
            &format!("/v1/links/{link}/confirm"),
            &json!({ "reason": reason }),
        )
        .await
    }

    /// One privacy officer captures a consent, another verifies it.
    ///
    /// # Errors
    /// When the answer is no success.
    pub async fn consent(
        &self,
        directive: &Value,
        system: &str,
        person: &str,
    ) -> anyhow::Result<()> {
        let body =
            json!({ "directive": directive, "covers": [{ "system": system, "person": person }] });
        self.post("privacy", "/v1/consents", &body).await?;
        let id = directive["id"].as_str().context("a directive has an id")?;
        self.post(
            "privacy-second",
            &format!("/v1/consents/{id}/verify"),
            &json!({}),
        )
        .await?;
        Ok(())
    }

    /// A computed measure over a period, with its strata.
    ///
    /// # Errors
    /// When the answer is no success.
    pub async fn measures(
        &self,
        id: &str,
        from: &str,
        to: &str,
        more: &str,
    ) -> anyhow::Result<Vec<Value>> {
        let path = format!("/v1/measures?ids={id}&from={from}&to={to}{more}");
        let answer = self.get("auditor", &path).await?;
        Ok(answer["rows"].as_array().cloned().unwrap_or_default())
    }

    /// The first row of a measure.
    ///
    /// # Errors
    /// When the answer is no success or has no such measure.
    pub async fn measure(
        &self,
        id: &str,
        from: &str,
        to: &str,
        more: &str,
    ) -> anyhow::Result<Value> {
        let rows = self.measures(id, from, to, more).await?;
        rows.into_iter()
            .find(|row| row["indicator"] == id)
            .with_context(|| format!("no row for {id}"))
    }
}

fn read(path: &str, status: u16, text: &str) -> anyhow::Result<Value> {
    if !(200..300).contains(&status) {
        bail!("{path} answered {status}: {text}");
    }
    if text.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(text)
        .with_context(|| format!("{path} answered something that is not JSON"))
}
