//! What an `await` asks for and whether it holds.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::bail;
use serde_json::{Map, Value, json};
use tokio::time::{Instant, sleep};

use super::case::Step;
use super::mask::content;
use super::run::{POLL, Run};
use crate::support::cluster::{array, text};

/// So long an await may take unless its step says otherwise.
const LIMIT: Duration = Duration::from_secs(20);

/// `status.refreshTime` before a step, by object reference.
pub(super) type RefreshTimes = BTreeMap<String, Value>;

/// How long the awaits and deletions of a step may take.
pub(super) fn limit(step: &Step) -> Duration {
    step.timeout.map_or(LIMIT, Duration::from_secs_f64)
}

impl Run<'_> {
    /// The refresh times of all objects for which `refreshed` is awaited.
    pub(super) async fn refresh_times(
        &self,
        awaited: &Map<String, Value>,
    ) -> anyhow::Result<RefreshTimes> {
        let mut times = RefreshTimes::new();
        for (reference, _) in awaited.iter().filter(|(_, want)| want["refreshed"] == true) {
            let object = self
                .cluster()
                .get(&self.object(reference).await?)
                .await?
                .unwrap_or_default();
            times.insert(reference.clone(), object["status"]["refreshTime"].clone());
        }
        Ok(times)
    }

    /// Polls until an await holds.
    pub(super) async fn wait(
        &self,
        reference: &str,
        want: &Value,
        before: &RefreshTimes,
        step: &Step,
    ) -> anyhow::Result<()> {
        let end = Instant::now() + limit(step);
        loop {
            let now = self.state_of(reference).await?;
            if holds(want, now.as_ref(), before.get(reference)) {
                return Ok(());
            }
            if Instant::now() > end {
                bail!(
                    "timed out: await {reference} {want}: now {}",
                    describe(now.as_ref())
                );
            }
            sleep(POLL).await;
        }
    }

    /// What an await looks at: an object, the secrets of the case's vaults (`vault`), or one vault (`Vault/LABEL`).
    async fn state_of(&self, reference: &str) -> anyhow::Result<Option<Value>> {
        let vault = |label: &str| self.bed.vault(&self.names.label(label));
        if reference == "vault" {
            let all = self.bed.vaults(&self.names.label(""), false);
            let own = all.into_iter().filter_map(|(label, content)| {
                Some((self.names.vault(&label)?.to_owned(), live_values(&content)))
            });
            return Ok(Some(
                json!({"kind": "vault", "vaults": own.collect::<Map<_, _>>()}),
            ));
        }
        if let Some(label) = reference.strip_prefix("Vault/") {
            return Ok(Some(vault(label)));
        }
        Ok(self.cluster().get(&self.object(reference).await?).await?)
    }
}

/// The value of each secret that is not deleted.
fn live_values(vault: &Value) -> Value {
    let secrets = vault["secrets"].as_object().into_iter().flatten();
    let live = secrets.filter(|(_, secret)| secret["deleted"] != true);
    Value::Object(
        live.map(|(name, secret)| (name.clone(), secret["value"].clone()))
            .collect(),
    )
}

/// Whether an object (or its absence) is as awaited.
pub(super) fn holds(
    want: &Value,
    object: Option<&Value>,
    refreshed_before: Option<&Value>,
) -> bool {
    let absent = want.is_null()
        || want == "absent"
        || want == "gone"
        || want["exists"] == false
        || is_true(&want["absent"]);
    let Some(object) = object else { return absent };
    if absent {
        return false;
    }
    let Some(want) = want.as_object() else {
        return want == "exists";
    };
    if object["kind"] == "vault" {
        return want
            .iter()
            .all(|(label, secrets)| texts_hold(secrets, &object["vaults"][label]));
    }
    want.iter().all(|(key, wanted)| match key.as_str() {
        "exists" | "absent" => true,
        "condition" | "status" | "reason" | "message" => condition_holds(want, object),
        "data" => texts_hold(wanted, &json!(content(object))),
        "labels" | "annotations" => {
            subset(wanted, object["metadata"].get(key).unwrap_or(&json!({})))
        }
        "refreshed" => {
            let now = &object["status"]["refreshTime"];
            !now.is_null() && Some(now) != refreshed_before
        }
        "match" => subset(wanted, object),
        _ => subset(&json!({key: wanted}), object),
    })
}

fn condition_holds(want: &Map<String, Value>, object: &Value) -> bool {
    // a reason alone may stand on any condition
    let any = want.contains_key("reason") && !want.contains_key("status");
    let kind = want
        .get("condition")
        .map_or(if any { "" } else { "Ready" }, text);
    array(&object["status"]["conditions"]).any(|condition| {
        let is = |field: &str| {
            want.get(field)
                .is_none_or(|wanted| shown(wanted) == text(&condition[field]))
        };
        let says = want
            .get("message")
            .is_none_or(|part| text(&condition["message"]).contains(text(part)));
        (kind.is_empty() || condition["type"] == kind) && is("status") && is("reason") && says
    })
}

/// Whether the texts by name are there; null: must not be.
fn texts_hold(want: &Value, have: &Value) -> bool {
    want.as_object()
        .into_iter()
        .flatten()
        .all(|(name, wanted)| match have.get(name) {
            None => wanted.is_null(),
            Some(Value::String(text)) => !wanted.is_null() && *text == shown(wanted),
            Some(_) => false,
        })
}

/// Whether all of `want` is in `have`: members of maps (null: absent), elements of lists in any order.
fn subset(want: &Value, have: &Value) -> bool {
    match (want, have) {
        (Value::Object(want), Value::Object(have)) => {
            want.iter().all(|(key, wanted)| match have.get(key) {
                None | Some(Value::Null) => wanted.is_null(),
                Some(value) => !wanted.is_null() && subset(wanted, value),
            })
        }
        (Value::Array(want), Value::Array(have)) => {
            want.iter().all(|w| have.iter().any(|h| subset(w, h)))
        }
        (Value::Bool(_), _) | (_, Value::Object(_) | Value::Array(_)) => want == have,
        (want, Value::String(have)) => shown(want) == *have,
        _ => want == have,
    }
}

fn is_true(value: &Value) -> bool {
    !value.is_null() && *value != false
}

/// A scalar as text, the way the recording's program writes it.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        other => other.to_string(),
    }
}

fn describe(object: Option<&Value>) -> String {
    let Some(object) = object else {
        return "absent".into();
    };
    match text(&object["kind"]) {
        "Secret" | "ConfigMap" => json!(content(object)).to_string(),
        _ if object.get("metadata").is_none() => object.to_string(),
        _ if object["status"]["conditions"].is_array() => {
            object["status"]["conditions"].to_string()
        }
        _ => object
            .get("status")
            .map_or_else(|| "no status".into(), Value::to_string),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{holds, subset};

    fn now(want: &Value, object: &Value) -> bool {
        holds(want, Some(object), None)
    }

    #[test]
    fn absence_is_asked_for_in_several_words() {
        for want in [
            json!(null),
            json!("absent"),
            json!({"exists": false}),
            json!({"absent": true}),
        ] {
            assert!(
                holds(&want, None, None) && !now(&want, &json!({})),
                "{want}"
            );
        }
        assert!(now(&json!("exists"), &json!({})) && !holds(&json!("exists"), None, None));
        assert!(now(&json!({"exists": true}), &json!({})));
    }

    #[test]
    fn all_that_is_asked_of_a_condition_must_stand_on_one() {
        let object = json!({"status": {"conditions": [
            {"type": "Ready", "status": "False", "reason": "A", "message": "could not get"}, {"type": "Other", "status": "True", "reason": "B"}]}});
        assert!(now(
            &json!({"condition": "Ready", "status": "False", "message": "not get"}),
            &object
        ));
        assert!(now(&json!({"status": "False"}), &object), "Ready is meant");
        assert!(
            now(&json!({"reason": "B"}), &object),
            "a reason may stand anywhere"
        );
        assert!(!now(&json!({"condition": "Ready", "reason": "B"}), &object));
        assert!(!now(&json!({"status": "True"}), &object));
    }

    #[test]
    fn data_and_marks_are_compared_by_name() {
        let secret =
            json!({"kind": "Secret", "data": {"a": "MQ=="}, "metadata": {"labels": {"l": "1"}}});
        assert!(now(
            &json!({"data": {"a": 1, "b": null}, "labels": {"l": "1", "m": null}}),
            &secret
        ));
        assert!(
            !now(&json!({"data": {"a": null}}), &secret)
                && !now(&json!({"annotations": {"x": "y"}}), &secret)
        );
    }

    #[test]
    fn refreshed_asks_for_another_time_than_before() {
        let object = json!({"status": {"refreshTime": "t2"}});
        let want = json!({"refreshed": true});
        assert!(
            holds(&want, Some(&object), Some(&json!("t1")))
                && holds(&want, Some(&object), Some(&json!(null)))
        );
        assert!(
            !holds(&want, Some(&object), Some(&json!("t2")))
                && !holds(&want, Some(&json!({})), Some(&json!("t1")))
        );
    }

    #[test]
    fn other_members_and_match_are_subsets() {
        let object = json!({"spec": {"n": 1, "list": [{"a": 1, "b": 2}]}});
        assert!(
            now(&json!({"match": {"spec": {"list": [{"a": 1}]}}}), &object)
                && now(&json!({"spec": {"n": 1, "x": null}}), &object)
        );
        assert!(
            !subset(&json!({"a": true}), &json!({"a": "True"}))
                && subset(&json!({"a": 1}), &json!({"a": "1"}))
        );
    }

    #[test]
    fn vaults_show_live_values() {
        let vaults = json!({"kind": "vault", "vaults": {"kv": {"a": "1"}}});
        assert!(
            now(&json!({"kv": {"a": "1", "b": null}}), &vaults)
                && now(&json!({"other": {"a": null}}), &vaults)
        );
        assert!(!now(&json!({"kv": {"a": "2"}}), &vaults));
    }
}
