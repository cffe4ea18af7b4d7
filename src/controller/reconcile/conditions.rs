//! Keeps conditions as ESO does: one entry, the transition time moves with the status.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;

use crate::api::meta::Condition;

/// Puts Ready at the end of `conditions`; an identical entry stays as it is.
pub fn put_ready(
    conditions: &mut Vec<Condition>,
    is_ready: bool,
    reason: &str,
    message: &str,
    now: Timestamp,
) {
    put(conditions, Condition::READY, is_ready, reason, message, now);
}

/// Puts a condition of this type at the end of `conditions`; an identical entry stays as it is.
pub fn put(
    conditions: &mut Vec<Condition>,
    type_: &str,
    is_true: bool,
    reason: &str,
    message: &str,
    now: Timestamp,
) {
    let status = if is_true { "True" } else { "False" };
    let previous = conditions.iter().find(|condition| condition.type_ == type_);
    let same_status = previous.filter(|previous| previous.status == status);
    if same_status.is_some_and(|previous| {
        previous.reason.as_deref() == Some(reason) && previous.message.as_deref() == Some(message)
    }) {
        return;
    }
    let changed_at = same_status.and_then(|previous| previous.last_transition_time.clone());
    let condition = Condition {
        type_: type_.to_owned(),
        status: status.to_owned(),
        reason: Some(reason.to_owned()),
        message: Some(message.to_owned()),
        last_transition_time: Some(changed_at.unwrap_or_else(|| Time(whole_second(now)))),
    };
    conditions.retain(|condition| condition.type_ != type_);
    conditions.push(condition);
}

/// Times in a status have second precision, as Go's `metav1.Time` has.
pub fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}
