//! Objects of the vault that end soon, or have ended: told once, by a condition that stays until they are
//! renewed (docs/refresh.md). Pure.

use std::fmt::Write as _;

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use crate::api::external_secret::{ExternalSecretStatus, RemoteObject};
use crate::api::meta::Condition;
use crate::controller::reconcile::conditions::put;
use crate::kubernetes::events::{EventBody, EventType};

const EXPIRING: &str = "Expiring";
/// Objects that a message names.
const MOST_NAMED: usize = 5;

/// What is to be done about it.
#[derive(Debug, Default)]
pub struct Outlook {
    /// The event, where there is news.
    pub note: Option<EventBody>,
    /// When the first object ends.
    pub first_end: Option<Timestamp>,
    /// When there will be something new to say, if nothing changes.
    pub next: Option<Timestamp>,
}

/// Says in `status` which objects end within `ahead`; zero says nothing.
pub fn judge(status: &mut ExternalSecretStatus, ahead: SignedDuration, now: Timestamp) -> Outlook {
    let ends = |object: &RemoteObject| object.expires.as_ref().map(|time| time.0);
    let objects = status.remote.iter().flat_map(|remote| &remote.objects);
    let first_end = status
        .remote
        .as_ref()
        .and_then(|remote| remote.expires.as_ref());
    let first_end = first_end.map(|time| time.0);
    let soon = now.saturating_add(ahead).unwrap_or(Timestamp::MAX);
    let is_due = |at: &Timestamp| ahead > SignedDuration::ZERO && *at <= soon;
    let ending: Vec<(String, Timestamp)> = objects
        .clone()
        .filter_map(|object| Some((object.id.clone(), ends(object)?)))
        .filter(|(_, at)| is_due(at))
        .collect();
    let warned_at = |at: Timestamp| at.saturating_sub(ahead).unwrap_or(Timestamp::MIN);
    let changes = objects.filter_map(ends).flat_map(|at| [warned_at(at), at]);
    let next = changes.filter(|at| *at > now).min();
    let is_told = first_end.is_some_and(|at| is_due(&at));
    let note = if is_told {
        tell(&mut status.conditions, &ending, now)
    } else {
        status.conditions.retain(|it| it.type_ != EXPIRING);
        None
    };
    Outlook {
        note,
        first_end,
        next: next.filter(|_| ahead > SignedDuration::ZERO),
    }
}

fn tell(
    conditions: &mut Vec<Condition>,
    ending: &[(String, Timestamp)],
    now: Timestamp,
) -> Option<EventBody> {
    let has_ended = ending.iter().any(|(_, at)| *at <= now);
    let reason = if has_ended { "Expired" } else { "ExpiringSoon" };
    let verb = |at: &Timestamp| if *at <= now { "ended" } else { "ends" };
    let named = ending
        .iter()
        .take(MOST_NAMED)
        .map(|(id, at)| format!("{id} {} {at}", verb(at)));
    let mut message = named.collect::<Vec<_>>().join(", ");
    match ending.len() {
        0 => message.push_str("an object that is not listed here ends"),
        all if all > MOST_NAMED => {
            let _ = write!(message, " and {} more", all - MOST_NAMED);
        }
        _ => {}
    }
    message.push_str("; renew what ends in the vault: the new version is read at the next refresh");
    let told = conditions.iter().find(|it| it.type_ == EXPIRING);
    let is_news = told.is_none_or(|it| it.message.as_ref() != Some(&message));
    if !is_news {
        return None;
    }
    put(conditions, EXPIRING, true, reason, &message, now);
    Some(EventBody {
        kind: EventType::Warning,
        reason,
        message,
    })
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    use super::*;
    use crate::api::external_secret::RemoteState;

    const DAY: i64 = 86_400;
    const AHEAD: SignedDuration = SignedDuration::from_hours(30 * 24);

    fn at(day: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + day * DAY).unwrap()
    }

    fn status(ends: &[Option<i64>]) -> ExternalSecretStatus {
        let object = |(index, end): (usize, &Option<i64>)| RemoteObject {
            id: format!("https://kv/secrets/s{index}"),
            expires: end.map(|day| Time(at(day))),
            ..RemoteObject::default()
        };
        ExternalSecretStatus {
            remote: Some(RemoteState {
                objects: ends.iter().enumerate().map(object).collect(),
                expires: ends.iter().flatten().min().map(|day| Time(at(*day))),
                ..RemoteState::default()
            }),
            ..ExternalSecretStatus::default()
        }
    }

    #[test]
    fn an_end_is_told_once_when_it_is_near_and_once_when_it_came() {
        let mut status = status(&[Some(40), None]);
        let far = judge(&mut status, AHEAD, at(0));
        assert!(far.note.is_none() && status.conditions.is_empty());
        assert_eq!((far.first_end, far.next), (Some(at(40)), Some(at(10))));
        let near = judge(&mut status, AHEAD, at(10));
        assert_eq!(near.note.unwrap().reason, "ExpiringSoon");
        assert_eq!(near.next, Some(at(40)));
        assert!(judge(&mut status, AHEAD, at(11)).note.is_none());
        let over = judge(&mut status, AHEAD, at(40)).note.unwrap();
        assert_eq!(over.reason, "Expired");
        assert!(over.message.contains("/s0 ended 20") && over.message.contains("renew"));
        assert!(judge(&mut status, AHEAD, at(99)).note.is_none());
        assert_eq!(status.conditions.len(), 1);
    }

    #[test]
    fn what_was_renewed_is_no_longer_told() {
        let mut before = status(&[Some(1)]);
        judge(&mut before, AHEAD, at(0));
        let mut after = status(&[Some(400)]);
        after.conditions = before.conditions;
        assert!(judge(&mut after, AHEAD, at(0)).note.is_none());
        assert!(after.conditions.is_empty());
    }

    #[test]
    fn a_message_names_a_few_and_counts_the_others_and_zero_days_say_nothing() {
        let mut many = status(&[Some(1); 9]);
        let note = judge(&mut many, AHEAD, at(0)).note.unwrap();
        assert!(note.message.contains("/s4 ends") && note.message.contains("and 4 more"));
        assert!(!note.message.contains("/s5"), "{}", note.message);
        let mut many = status(&[Some(1); 9]);
        let off = judge(&mut many, SignedDuration::ZERO, at(0));
        assert!(off.note.is_none() && many.conditions.is_empty() && off.next.is_none());
    }
}
