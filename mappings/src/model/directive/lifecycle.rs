//! The moves of a directive's life.

use super::{Directive, DirectiveState, Effect};

impl DirectiveState {
    /// Whether a directive that stands so may come to stand as `next`. What has ended stays ended: only that it should
    /// never have been recorded can still be said of it. A refusal lives until another answer takes its place.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        use DirectiveState as S;
        match self {
            S::Draft => matches!(
                next,
                S::Offered | S::SignedUnverified | S::Refused | S::EnteredInError
            ),
            S::Offered => matches!(
                next,
                S::SignedUnverified | S::Refused | S::Expired | S::EnteredInError
            ),
            S::SignedUnverified => matches!(
                next,
                S::Active
                    | S::Suspended
                    | S::Expired
                    | S::Revoked
                    | S::Superseded
                    | S::EnteredInError
            ),
            S::Active => matches!(
                next,
                S::Expiring
                    | S::Expired
                    | S::Suspended
                    | S::Revoked
                    | S::Superseded
                    | S::EnteredInError
            ),
            S::Expiring => matches!(
                next,
                S::Expired | S::Suspended | S::Revoked | S::Superseded | S::EnteredInError
            ),
            S::Suspended => matches!(
                next,
                S::Active | S::Expired | S::Revoked | S::Superseded | S::EnteredInError
            ),
            S::Refused => matches!(next, S::Superseded | S::EnteredInError),
            S::Expired | S::Revoked | S::Superseded => matches!(next, S::EnteredInError),
            S::EnteredInError => false,
        }
    }

    /// Whether it counts, or may come to count without being signed again.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(
            self,
            Self::Active | Self::Expiring | Self::SignedUnverified | Self::Suspended
        )
    }
}

impl Directive {
    /// What the directive says by where it stands, its time left out: a permission once it is verified, a refusal from
    /// the moment somebody recorded it, nothing otherwise.
    #[must_use]
    pub fn says(&self) -> Option<Effect> {
        let standing = self.standing();
        match self.effect {
            _ if standing == DirectiveState::Refused => Some(Effect::Deny),
            Effect::Deny => standing.is_open().then_some(Effect::Deny),
            Effect::Permit => matches!(standing, DirectiveState::Active | DirectiveState::Expiring)
                .then_some(Effect::Permit),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leads_back_into_force_but_a_second_person_and_a_review() {
        let before: Vec<_> = DirectiveState::ALL
            .iter()
            .filter(|state| state.may_become(DirectiveState::Active))
            .collect();
        assert_eq!(
            before,
            [
                &DirectiveState::SignedUnverified,
                &DirectiveState::Suspended
            ]
        );
    }

    #[test]
    fn no_state_becomes_itself_and_an_error_is_final() {
        for state in DirectiveState::ALL {
            assert!(!state.may_become(*state), "{state}");
            assert!(!DirectiveState::EnteredInError.may_become(*state));
            let is_error = *state == DirectiveState::EnteredInError;
            assert_eq!(state.may_become(DirectiveState::EnteredInError), !is_error);
        }
    }
}
