//! Second factors: enrolled by an administrator, checked once for each code.

use jiff::{SignedDuration, Timestamp};
use zeroize::Zeroizing;

use super::totp;
use crate::pipeline::core::Core;
use crate::seal::fill_random;
use crate::state::second_factor::SecondFactorDoc;
use crate::store::{StoreError, Tx};
use tandem_mappings::model::id::SystemId;

/// Refused codes in a row after which none is taken for a time.
const MOST_REFUSED: u32 = 5;
/// For how long.
const LOCK: SignedDuration = SignedDuration::from_mins(15);

/// What came of a code.
#[derive(Debug)]
pub(crate) enum Checked {
    /// It is the person's.
    Taken(Box<SecondFactorDoc>),
    /// It is not, or was used, or nobody is enrolled so.
    Refused,
    /// No code is taken for so many seconds.
    Locked(u64),
}

/// Who is enrolled.
#[derive(Debug, Clone)]
pub(crate) struct Enrolment {
    /// The system through which the person asks.
    pub(crate) system: SystemId,
    /// The person as that system knows him or her.
    pub(crate) user: String,
    /// Name and affiliation.
    pub(crate) name: String,
    /// The role.
    pub(crate) role: String,
}

/// Enrols a person with a fresh secret, in the place of an earlier one. Returns the secret as authenticators take it.
///
/// # Errors
/// When the store fails.
pub(crate) async fn enrol(
    tx: &mut Tx,
    enrolment: Enrolment,
    now: Timestamp,
) -> Result<Zeroizing<String>, StoreError> {
    let mut secret = Zeroizing::new([0_u8; totp::SECRET_BYTES]);
    fill_random(secret.as_mut())?;
    let document = SecondFactorDoc {
        system: enrolment.system,
        user: enrolment.user,
        name: enrolment.name,
        role: enrolment.role,
        secret: hex::encode(secret.as_ref()),
        last_step: 0,
        refused: 0,
        locked_until: None,
    };
    tx.put(&document, now).await?;
    Ok(Zeroizing::new(totp::base32(secret.as_ref())))
}

/// Checks a code, and remembers that it was used or refused: the caller commits whatever comes out.
///
/// # Errors
/// When the store fails.
pub(crate) async fn check(
    core: &Core,
    tx: &mut Tx,
    system: &SystemId,
    user: &str,
    code: &str,
) -> Result<Checked, StoreError> {
    let now = core.clock.now();
    let key = SecondFactorDoc::key_of(system, user);
    let Some(mut document) = tx.get::<SecondFactorDoc>(&key).await? else {
        // As much work as for somebody who is enrolled.
        let _nobody = totp::step_of(&[0; totp::SECRET_BYTES], code, now);
        return Ok(Checked::Refused);
    };
    if let Some(until) = document.locked_until.filter(|until| now < *until) {
        let seconds = until.duration_since(now).as_secs();
        return Ok(Checked::Locked(u64::try_from(seconds).unwrap_or(0).max(1)));
    }
    let secret = Zeroizing::new(hex::decode(&document.secret).unwrap_or_default());
    let step = totp::step_of(&secret, code, now);
    let is_taken = step.is_some_and(|step| step > document.last_step);
    if let Some(step) = step.filter(|_| is_taken) {
        document.last_step = step;
        document.refused = 0;
        document.locked_until = None;
    } else {
        document.refused = document.refused.saturating_add(1);
        let is_much = document.refused >= MOST_REFUSED;
        document.locked_until = if is_much {
            now.checked_add(LOCK).ok()
        } else {
            None
        };
    }
    tx.put(&document, now).await?;
    Ok(if is_taken {
        Checked::Taken(Box::new(document))
    } else {
        Checked::Refused
    })
}
