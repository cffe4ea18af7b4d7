//! Waiting that is bounded and tells, when it was in vain, what happened to the object meanwhile.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::bail;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::bed::Bed;
use super::cluster::{Cluster, ObjectRef, array, text};

const POLL: Duration = Duration::from_millis(100);

/// What an object went through: one line per version seen. It never holds a value of a Secret.
#[derive(Default)]
struct History {
    versions: Vec<String>,
    last: Option<String>,
}

impl History {
    fn note(&mut self, since: Instant, object: Option<&Value>) {
        let version = object.map(|o| text(&o["metadata"]["resourceVersion"]).to_owned());
        if self.versions.is_empty() || self.last != version {
            let seen = object.map_or_else(|| "absent".to_owned(), summary);
            self.versions
                .push(format!("  +{:.1} s {seen}", since.elapsed().as_secs_f64()));
            self.last = version;
        }
    }
}

/// One line on an object: versions, deletion, annotations' names, conditions.
fn summary(object: &Value) -> String {
    let metadata = &object["metadata"];
    let mut line = format!(
        "version {} generation {}",
        text(&metadata["resourceVersion"]),
        metadata["generation"]
    );
    if metadata["deletionTimestamp"].is_string() {
        line.push_str(" being deleted");
    }
    if let Some(data) = object["data"].as_object() {
        let keys: Vec<&str> = data.keys().map(String::as_str).collect();
        // writing into a String cannot fail
        let _ = write!(line, " keys [{}]", keys.join(", "));
    }
    for condition in array(&object["status"]["conditions"]) {
        let part = |field: &str| text(&condition[field]).to_owned();
        let _ = write!(
            line,
            " {}={} {} {:?}",
            part("type"),
            part("status"),
            part("reason"),
            part("message")
        );
    }
    line
}

impl Bed {
    /// Polls an object until `holds` says so of it (or of its absence) and returns it.
    ///
    /// # Errors
    /// After `limit`, with all versions of the object that were seen and its events.
    pub(crate) async fn wait_for(
        &self,
        what: &str,
        object: &ObjectRef,
        limit: Duration,
        holds: impl Fn(Option<&Value>) -> bool,
    ) -> anyhow::Result<Option<Value>> {
        let (start, mut history) = (Instant::now(), History::default());
        loop {
            let now = self.cluster().get(object).await?;
            history.note(start, now.as_ref());
            if holds(now.as_ref()) {
                return Ok(now);
            }
            if start.elapsed() > limit {
                let events = events_of(self.cluster(), object).await?;
                bail!(
                    "{what}: {object} not so within {limit:?}\n{}\n{events}",
                    history.versions.join("\n")
                );
            }
            sleep(POLL).await;
        }
    }

    /// Waits until the `Ready` condition of an object has this status (`True`, `False`).
    pub(crate) async fn wait_ready(
        &self,
        object: &ObjectRef,
        status: &str,
    ) -> anyhow::Result<Value> {
        let what = format!("Ready={status}");
        let ready = |o: Option<&Value>| {
            let conditions = o.map_or(&Value::Null, |o| &o["status"]["conditions"]);
            array(conditions).any(|c| c["type"] == "Ready" && c["status"] == status)
        };
        Ok(self
            .wait_for(&what, object, Duration::from_secs(20), ready)
            .await?
            .unwrap_or_default())
    }
}

async fn events_of(cluster: &Cluster, object: &ObjectRef) -> anyhow::Result<String> {
    let namespace = object.namespace.as_deref().unwrap_or("default");
    let mut lines = Vec::new();
    for event in cluster.events(namespace).await? {
        let about = &event["involvedObject"];
        if about["name"] == object.name.as_str() && object.kind.starts_with(text(&about["kind"])) {
            lines.push(format!(
                "  event {} {}: {}",
                text(&event["type"]),
                text(&event["reason"]),
                text(&event["message"])
            ));
        }
    }
    Ok(lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::time::Instant;

    use super::History;

    #[test]
    fn the_history_has_a_line_per_version_and_no_value() {
        let (start, mut history) = (Instant::now(), History::default());
        let secret = |version: &str| json!({"metadata": {"resourceVersion": version}, "data": {"password": "c2VjcmV0"}});
        history.note(start, None);
        for version in ["1", "1", "2"] {
            history.note(start, Some(&secret(version)));
        }
        assert_eq!(history.versions.len(), 3, "{:?}", history.versions);
        assert!(history.versions[1].ends_with("version 1 generation null keys [password]"));
        assert!(!history.versions.concat().contains("c2VjcmV0"));
    }
}
