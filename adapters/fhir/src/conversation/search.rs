//! Following a search through its pages.
//!
//! The `next` link is opaque (FHIR R4, section 3.1.0.6): it is followed as it stands, but only to the
//! partner's own origin, never twice, and not without end.

use std::collections::HashSet;

use serde_json::Value;
use tandem_adapter_port::write::{Delivery, Fault};
use url::Url;

use super::exchange::{Good, park, retry};
use crate::config::FhirConfig;

/// One search under way.
#[derive(Debug)]
pub(crate) struct Search {
    base: Url,
    seen: HashSet<String>,
    pages_left: u16,
}

/// One page of a search.
#[derive(Debug)]
pub(crate) struct Page {
    /// Resources with their full URLs; the server's own OperationOutcomes among them.
    pub(crate) resources: Vec<(Value, Option<String>)>,
    /// Entries that hold no resource.
    pub(crate) empty_entries: usize,
    /// The next page, or why its link must not be followed: the page itself is still good.
    pub(crate) next: Option<Result<String, Delivery>>,
}

impl Search {
    pub(crate) fn new(config: &FhirConfig) -> Self {
        Self {
            base: config.base.clone(),
            seen: HashSet::new(),
            pages_left: config.page_cap,
        }
    }

    /// Takes a page apart.
    ///
    /// # Errors
    /// When the answer is no searchset.
    pub(crate) fn page(&mut self, good: Good) -> Result<Page, Delivery> {
        let (mut bundle, _) = good.resource("Bundle")?;
        let next = next_link(&bundle).map(|link| self.checked(&link));
        let entries = match bundle.get_mut("entry").map(Value::take) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(entries)) => entries,
            Some(_) => {
                return Err(retry(
                    Fault::Partner,
                    "partner answered with a broken bundle",
                ));
            }
        };
        let total = entries.len();
        let resources: Vec<(Value, Option<String>)> = entries
            .into_iter()
            .filter_map(|mut entry| {
                let full_url = entry
                    .get("fullUrl")
                    .and_then(Value::as_str)
                    .map(str::to_owned);
                let resource = entry.get_mut("resource").map(Value::take)?;
                Some((resource, full_url))
            })
            .collect();
        Ok(Page {
            empty_entries: total - resources.len(),
            resources,
            next,
        })
    }

    fn checked(&mut self, link: &str) -> Result<String, Delivery> {
        let refuse = |text: &str| park(Fault::Partner, text);
        // A relative link is relative to the base, which needs its slash for that.
        let base = format!("{}/", self.base.as_str().trim_end_matches('/'));
        let url = Url::parse(&base)
            .and_then(|base| base.join(link))
            .map_err(|_| refuse("next link is no url"))?;
        if url.origin() != self.base.origin() {
            return Err(refuse("next link leads to another origin"));
        }
        if !self.seen.insert(url.as_str().to_owned()) {
            return Err(refuse("next links go in a circle"));
        }
        if self.pages_left <= 1 {
            return Err(refuse("search has more pages than allowed"));
        }
        self.pages_left -= 1;
        Ok(url.into())
    }
}

fn next_link(bundle: &Value) -> Option<String> {
    let links = bundle.get("link")?.as_array()?;
    let next = links
        .iter()
        .find(|link| link.get("relation").and_then(Value::as_str) == Some("next"))?;
    next.get("url")?.as_str().map(str::to_owned)
}
