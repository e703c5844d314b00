//! Everything one simulated system received, and the wish to be told when more comes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::anyhow;
use jiff::Timestamp;
use tokio::sync::watch;

use crate::violation::Violation;

/// One thing that arrived and could be read.
#[derive(Debug, Clone)]
pub struct Received<C> {
    /// How it came: a file name, or method and path of a request.
    pub channel: String,
    /// The message's own id, unique for its sender.
    pub message_id: String,
    /// When it was read, on the simulated clock.
    pub at: Timestamp,
    /// What it says.
    pub content: C,
}

/// What became of an arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// Seen for the first time; kept.
    New,
    /// Same id and same content as before: at-least-once delivery, no second effect.
    Repeated,
    /// Same id, other content: a complaint was recorded and the first one stands.
    Conflicting,
}

#[derive(Debug)]
struct State<C> {
    received: Vec<Received<C>>,
    violations: Vec<Violation>,
    raw: Vec<String>,
    seen: HashMap<String, String>,
    repeats: usize,
}

/// The log of one system's arrivals. Clones share it.
#[derive(Debug)]
pub struct Inbox<C> {
    state: Arc<Mutex<State<C>>>,
    changed: watch::Sender<u64>,
}

impl<C> Clone for Inbox<C> {
    fn clone(&self) -> Self {
        Self {
            state: Arc::clone(&self.state),
            changed: self.changed.clone(),
        }
    }
}

impl<C> Default for Inbox<C> {
    fn default() -> Self {
        let state = State {
            received: Vec::new(),
            violations: Vec::new(),
            raw: Vec::new(),
            seen: HashMap::new(),
            repeats: 0,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            changed: watch::Sender::new(0),
        }
    }
}

impl<C: Clone> Inbox<C> {
    fn state(&self) -> MutexGuard<'_, State<C>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes whoever waits, after a change that the log itself does not hold.
    pub fn notify(&self) {
        self.changed
            .send_modify(|version| *version = version.wrapping_add(1));
    }

    /// Keeps the bytes as they came, names included, for [`Inbox::contains_text`].
    pub fn keep_raw(&self, raw: impl Into<String>) {
        self.state().raw.push(raw.into());
        self.notify();
    }

    /// Records a complaint.
    pub fn complain(&self, violation: Violation) {
        self.state().violations.push(violation);
        self.notify();
    }

    /// Whether this very message, content included, has been here before.
    #[must_use]
    pub fn knows(&self, message_id: &str, fingerprint: &str) -> bool {
        self.state()
            .seen
            .get(message_id)
            .is_some_and(|known| known == fingerprint)
    }

    /// Records an arrival once per message id; `fingerprint` is its content in comparable form.
    pub fn accept(&self, arrival: Received<C>, fingerprint: &str) -> Arrival {
        let mut state = self.state();
        let outcome = match state.seen.get(&arrival.message_id) {
            Some(known) if known == fingerprint => {
                state.repeats += 1;
                Arrival::Repeated
            }
            Some(_) => {
                let detail = format!("message {} came again and says else", arrival.message_id);
                state
                    .violations
                    .push(Violation::new(arrival.channel, "message-id-reused", detail));
                Arrival::Conflicting
            }
            None => {
                state
                    .seen
                    .insert(arrival.message_id.clone(), fingerprint.to_owned());
                state.received.push(arrival);
                Arrival::New
            }
        };
        drop(state);
        self.notify();
        outcome
    }

    /// Everything received so far, oldest first, each message once.
    #[must_use]
    pub fn received(&self) -> Vec<Received<C>> {
        self.state().received.clone()
    }

    /// Everything a strict reader would complain about; a good run leaves this empty.
    #[must_use]
    pub fn violations(&self) -> Vec<Violation> {
        self.state().violations.clone()
    }

    /// How many arrivals repeated a message that was here already.
    #[must_use]
    pub fn repeats(&self) -> usize {
        self.state().repeats
    }

    /// Whether `text` stands anywhere in what arrived: bytes, file names, addresses, headers,
    /// rejected things too. Letter case does not matter.
    #[must_use]
    pub fn contains_text(&self, text: &str) -> bool {
        let wanted = text.to_lowercase();
        self.state()
            .raw
            .iter()
            .any(|raw| raw.to_lowercase().contains(&wanted))
    }

    /// Waits until something that satisfies `wanted` has been received, and gives the first such.
    ///
    /// # Errors
    /// When `timeout` passes first; the error names `what` and the complaints so far.
    pub async fn wait_for<F>(
        &self,
        what: &str,
        wanted: F,
        timeout: Duration,
    ) -> anyhow::Result<Received<C>>
    where
        F: Fn(&C) -> bool,
    {
        self.wait_for_state(what, timeout, || {
            self.state()
                .received
                .iter()
                .find(|item| wanted(&item.content))
                .cloned()
        })
        .await
    }

    /// Waits until `look` finds something; it is asked again after every change.
    ///
    /// # Errors
    /// When `timeout` passes first.
    pub async fn wait_for_state<T>(
        &self,
        what: &str,
        timeout: Duration,
        look: impl Fn() -> Option<T>,
    ) -> anyhow::Result<T> {
        let mut changes = self.changed.subscribe();
        let found = tokio::time::timeout(timeout, async {
            loop {
                changes.borrow_and_update();
                if let Some(found) = look() {
                    return Some(found);
                }
                if changes.changed().await.is_err() {
                    return None;
                }
            }
        });
        if let Ok(Some(found)) = found.await {
            return Ok(found);
        }
        let state = self.state();
        let complaints: Vec<String> = state.violations.iter().map(ToString::to_string).collect();
        Err(anyhow!(
            "did not receive {what} within {timeout:?}: {} received, complaints: [{}]",
            state.received.len(),
            complaints.join("; ")
        ))
    }
}

/// Gives a simulator the reading side of its inbox as methods of its own.
macro_rules! forward_inbox {
    ($system:ty, $content:ty) => {
        impl $system {
            /// Everything received so far, oldest first, each message once.
            #[must_use]
            pub fn received(&self) -> Vec<$crate::inbox::Received<$content>> {
                self.inbox.received()
            }

            /// Everything a strict reader would complain about.
            #[must_use]
            pub fn violations(&self) -> Vec<$crate::violation::Violation> {
                self.inbox.violations()
            }

            /// Whether `text` stands anywhere in what arrived, rejected things included.
            #[must_use]
            pub fn contains_text(&self, text: &str) -> bool {
                self.inbox.contains_text(text)
            }

            /// Waits for the first received item that satisfies `wanted`.
            ///
            /// # Errors
            /// When `timeout` passes first; the error names `what`.
            pub async fn wait_for<F>(
                &self,
                what: &str,
                wanted: F,
                timeout: std::time::Duration,
            ) -> anyhow::Result<$crate::inbox::Received<$content>>
            where
                F: Fn(&$content) -> bool,
            {
                self.inbox.wait_for(what, wanted, timeout).await
            }
        }
    };
}
pub(crate) use forward_inbox;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Arrival, Inbox, Received};

    fn item(id: &str, content: u8) -> Received<u8> {
        Received {
            channel: "file".into(),
            message_id: id.into(),
            at: "2026-02-02T17:00:00Z".parse().unwrap(),
            content,
        }
    }

    #[test]
    fn repeated_message_has_one_effect_and_changed_repeat_is_a_complaint() {
        let inbox = Inbox::default();
        assert_eq!(inbox.accept(item("m1", 1), "one"), Arrival::New);
        assert_eq!(inbox.accept(item("m1", 1), "one"), Arrival::Repeated);
        assert_eq!(inbox.accept(item("m1", 2), "two"), Arrival::Conflicting);
        assert_eq!(inbox.received().len(), 1);
        assert_eq!(inbox.repeats(), 1);
        assert_eq!(inbox.violations().len(), 1);
    }

    #[tokio::test]
    async fn waiting_ends_with_the_arrival_and_fails_after_the_timeout() {
        let inbox = Inbox::default();
        let waiting = {
            let inbox = inbox.clone();
            tokio::spawn(async move {
                inbox
                    .wait_for("seven", |number| *number == 7, Duration::from_secs(5))
                    .await
            })
        };
        inbox.accept(item("m1", 7), "seven");
        assert_eq!(waiting.await.unwrap().unwrap().message_id, "m1");
        let missing = inbox.wait_for("eight", |number| *number == 8, Duration::from_millis(5));
        assert!(missing.await.unwrap_err().to_string().contains("eight"));
    }
}
