//! Who writes first: whoever answers somebody, before work that nobody waits for.
//!
//! A client that was answered sends its next message at once. So where many are answered by one commit, the moment after it belongs
//! to them as well, although nobody is there yet: work that took its turn then would let all of them wait for it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

/// How long a writer whom nobody waits for lets others go first.
const LETS_GO: Duration = Duration::from_millis(50);
/// So many who are answered by one commit are expected back.
const MANY: usize = 16;
/// How soon they are.
const SOON: Duration = Duration::from_millis(5);

/// The order of those who want to write.
#[derive(Clone, Default)]
pub(super) struct Order(Arc<watch::Sender<Crowd>>);

#[derive(Clone, Copy, Default)]
struct Crowd {
    /// How many wait for a turn on behalf of somebody.
    waiting: usize,
    /// Until when those who were answered are expected back.
    expected: Option<Instant>,
}

/// One that waits for a turn on behalf of somebody, until this is dropped.
pub(in crate::store) struct Ahead(Order);

impl Order {
    /// Waits for a turn on behalf of somebody.
    pub(super) fn ahead(&self) -> Ahead {
        self.0.send_modify(|crowd| crowd.waiting += 1);
        Ahead(self.clone())
    }

    /// So many were answered at once.
    pub(super) fn answered(&self, many: usize) {
        if many >= MANY {
            let expected = Instant::now().checked_add(SOON);
            self.0.send_modify(|crowd| crowd.expected = expected);
        }
    }

    /// Lets those go first whom somebody waits for, as far as they do not keep coming.
    pub(super) async fn let_go(&self) {
        let mut crowd = self.0.subscribe();
        let gone = async {
            loop {
                let Crowd { waiting, expected } = *crowd.borrow_and_update();
                match expected.filter(|at| *at > Instant::now()) {
                    _ if waiting > 0 => {
                        let _changed = crowd.changed().await;
                    }
                    None => return,
                    Some(at) => {
                        let _earlier = tokio::select! {
                            () = sleep_until(at) => Ok(()),
                            changed = crowd.changed() => changed,
                        };
                    }
                }
            }
        };
        let _is_free = timeout(LETS_GO, gone).await.is_ok();
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.0.0.send_modify(|crowd| crowd.waiting -= 1);
    }
}
