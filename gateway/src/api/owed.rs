//! What comes about though its caller hangs up: a request is dropped with its connection, and what it had not committed with it.

use super::Api;
use super::problem::ApiError;
use crate::traces::Open;

impl Api {
    /// Does something to its end, whether its caller waits or not. A stop of the gateway waits for it.
    ///
    /// # Errors
    /// Those of the work, or when it panics.
    pub(super) async fn see_through<T, E>(
        &self,
        work: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<ApiError> + Send + 'static,
    {
        let work = Open::here().around(work);
        let ended = self.core().owed.spawn(work).await;
        ended.unwrap_or_else(|_| {
            let text = "what a caller asked for ended abnormally".to_owned();
            Err(ApiError::Internal(text).into())
        })
    }
}
