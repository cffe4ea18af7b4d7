//! What a store's status says: `Ready` as ESO has it, `Reachable`, and whether a list of allowed keys is in
//! force. Pure.

use k8s_openapi::jiff::Timestamp;

use crate::api::meta::Condition;
use crate::api::secret_store::SecretStoreStatus;
use crate::controller::reconcile::conditions::{put, put_ready};
use crate::controller::reconcile::failure::Failure;
use crate::kubernetes::answers::chain;
use crate::kubernetes::events::{EventBody, EventType};
use crate::provider::Error;

use super::allowed_keys::AllowedKeys;
use super::reachability::Reachable;

const CAPABILITIES: &str = "ReadWrite";
const VALID: &str = "Valid";
const INVALID: &str = "InvalidProviderConfig";
const UNKNOWN: &str = "ValidationUnknown";
const REACHABLE: &str = "Reachable";
/// The condition about finding changes by listing; there only while that is denied.
const LISTING: &str = "Listing";
/// The condition about `keyferry.io/allowed-keys`.
const GUARD: &str = "AllowedKeys";

/// What the status says.
#[derive(Clone, Copy)]
pub enum Verdict<'a> {
    Valid,
    /// Usable, but could not be checked, for this reason.
    Unknown(&'a str),
    Invalid(&'a Error),
}

/// The status after a validation.
pub fn next_status(
    before: &SecretStoreStatus,
    verdict: Verdict<'_>,
    now: Timestamp,
) -> SecretStoreStatus {
    let mut after = before.clone();
    let (is_ready, reason, message) = match verdict {
        Verdict::Valid => {
            after.capabilities = Some(CAPABILITIES.to_owned());
            (true, VALID, "store validated".to_owned())
        }
        Verdict::Unknown(reason) => {
            let text = format!("could not determine validation status: {reason}");
            (true, UNKNOWN, text)
        }
        Verdict::Invalid(error) => {
            let failure = Failure::new(error, "unable to create client");
            (false, INVALID, failure.message)
        }
    };
    put_ready(&mut after.conditions, is_ready, reason, &message, now);
    after
}

/// The event about it.
pub fn note(verdict: Verdict<'_>) -> EventBody {
    let (kind, reason, message) = match verdict {
        Verdict::Valid => (EventType::Normal, VALID, "store validated".to_owned()),
        Verdict::Unknown(reason) => (EventType::Warning, UNKNOWN, reason.to_owned()),
        Verdict::Invalid(error) => (EventType::Warning, INVALID, chain(error)),
    };
    EventBody {
        kind,
        reason,
        message,
    }
}

/// Says whether the vault answers, where that is known: with which result, and what is to be told.
pub fn reach_status(
    status: &mut SecretStoreStatus,
    state: Option<Reachable>,
    now: Timestamp,
) -> Option<(bool, Option<EventBody>)> {
    let (is_reachable, reason, message) = match state? {
        Reachable::Answers => (true, REACHABLE, "the vault answers".to_owned()),
        Reachable::Away { fault, message } => (false, fault.reason(), message),
    };
    let mut conditions = status.conditions.iter();
    let before = conditions.find(|it| it.type_ == REACHABLE);
    let was_reachable = before.is_none_or(Condition::is_true);
    let note = (was_reachable != is_reachable).then(|| EventBody {
        kind: if is_reachable {
            EventType::Normal
        } else {
            EventType::Warning
        },
        reason: if is_reachable {
            REACHABLE
        } else {
            "Unreachable"
        },
        message: message.clone(),
    });
    put(
        &mut status.conditions,
        REACHABLE,
        is_reachable,
        reason,
        &message,
        now,
    );
    Some((is_reachable, note))
}

/// Says why every value is read at each refresh, where the identity may not list.
pub fn listing_status(
    status: &mut SecretStoreStatus,
    listing: Option<Result<(), String>>,
    now: Timestamp,
) {
    match listing {
        None => {}
        Some(Ok(())) => status.conditions.retain(|it| it.type_ != LISTING),
        Some(Err(why)) => {
            let message = format!("what changed is found by reading every value: {why}");
            let conditions = &mut status.conditions;
            put(conditions, LISTING, false, "ListDenied", &message, now);
        }
    }
}

/// Says whether the list of allowed keys is in force, where there is one.
pub fn guard_status(status: &mut SecretStoreStatus, text: Option<&str>, now: Timestamp) {
    let Some(text) = text else {
        status.conditions.retain(|it| it.type_ != GUARD);
        return;
    };
    match AllowedKeys::parse(text) {
        Ok(_) => put(
            &mut status.conditions,
            GUARD,
            true,
            "InForce",
            "each namespace reads the keys that the annotation gives it",
            now,
        ),
        Err(error) => {
            let message = format!("nobody may read from this store: {error}");
            put(
                &mut status.conditions,
                GUARD,
                false,
                "Malformed",
                &message,
                now,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn capabilities_survive_a_failure_and_the_transition_time_moves_with_the_status_only() {
        let valid = next_status(&SecretStoreStatus::default(), Verdict::Valid, at(1));
        assert_eq!(valid.capabilities.as_deref(), Some("ReadWrite"));
        assert_eq!(next_status(&valid, Verdict::Valid, at(2)), valid);

        let error = |message: &str| Error::Config {
            message: message.to_owned(),
        };
        let broken = next_status(&valid, Verdict::Invalid(&error("missing tenantID")), at(3));
        assert_eq!(broken.capabilities.as_deref(), Some("ReadWrite"));
        assert_eq!(
            broken.conditions[0].reason.as_deref(),
            Some("InvalidProviderConfig")
        );
        assert_eq!(
            broken.conditions[0].message.as_deref(),
            Some("InvalidStore: unable to create client: missing tenantID")
        );
        let other = next_status(
            &broken,
            Verdict::Invalid(&error("missing secretRef")),
            at(4),
        );
        assert_eq!(
            other.conditions[0].last_transition_time,
            broken.conditions[0].last_transition_time
        );
        assert_ne!(other, broken);
    }

    #[test]
    fn a_store_that_cannot_be_checked_is_ready_without_capabilities() {
        let unknown = next_status(
            &SecretStoreStatus::default(),
            Verdict::Unknown("why"),
            at(1),
        );
        assert_eq!(unknown.capabilities, None);
        let condition = &unknown.conditions[0];
        assert_eq!(condition.status, "True");
        assert_eq!(condition.reason.as_deref(), Some("ValidationUnknown"));
        assert_eq!(
            condition.message.as_deref(),
            Some("could not determine validation status: why")
        );
    }
}
