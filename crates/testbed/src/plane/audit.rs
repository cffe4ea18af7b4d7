//! The API server's audit log: who asked for what, and how often.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

/// One answered request (a watch: one begun), from the log at level `Metadata`.
/// Fields that the request does not have are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditEvent {
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, …
    pub verb: String,
    /// The user, for instance `system:serviceaccount:NAMESPACE:NAME`.
    pub user: String,
    /// The plural of the kind, without group.
    pub resource: String,
    /// `status`, `token`, … or empty.
    pub subresource: String,
    /// The object's namespace.
    pub namespace: String,
    /// The object's name; empty for lists and where the server chooses it.
    pub name: String,
    /// The HTTP status of the answer.
    pub code: u16,
    /// The client's own name for itself.
    pub user_agent: String,
    /// Path and query of the request.
    pub uri: String,
    /// When the request came and when it was answered, in RFC 3339 with microseconds: later ones compare as
    /// greater.
    pub times: [String; 2],
}

/// Which events to count; `None` matches all.
#[derive(Clone, Copy, Debug, Default)]
pub struct AuditFilter<'a> {
    /// Equal to [`AuditEvent::verb`].
    pub verb: Option<&'a str>,
    /// `resource` or `resource/subresource`; without subresource only requests for the object itself.
    pub resource: Option<&'a str>,
    /// Equal to [`AuditEvent::user`].
    pub user: Option<&'a str>,
}

impl AuditFilter<'_> {
    /// Whether the event is one of those meant.
    pub fn matches(&self, event: &AuditEvent) -> bool {
        let resource = self.resource.map(|r| r.split_once('/').unwrap_or((r, "")));
        self.verb.is_none_or(|verb| verb == event.verb)
            && resource.is_none_or(|wanted| {
                wanted == (event.resource.as_str(), event.subresource.as_str())
            })
            && self.user.is_none_or(|user| user == event.user)
    }
}

/// Reads a log. The line being written when it is read is left out.
pub(crate) fn read(log: &Path) -> Result<Vec<AuditEvent>> {
    let text = fs::read_to_string(log).with_context(|| format!("read {}", log.display()))?;
    let whole = text.rsplit_once('\n').map_or("", |(lines, _)| lines);
    whole
        .lines()
        .filter_map(|line| event(line).transpose())
        .collect()
}

/// A request counts once: when it is answered, a watch when it begins.
fn event(line: &str) -> Result<Option<AuditEvent>> {
    let entry: Value = serde_json::from_str(line).context("parse an audit entry")?;
    let text = |pointer: &str| {
        entry
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let is_watch = text("/verb") == "watch";
    if text("/stage")
        != if is_watch {
            "ResponseStarted"
        } else {
            "ResponseComplete"
        }
    {
        return Ok(None);
    }
    let code = entry
        .pointer("/responseStatus/code")
        .and_then(Value::as_u64)
        .unwrap_or_default();
    Ok(Some(AuditEvent {
        verb: text("/verb"),
        user: text("/user/username"),
        resource: text("/objectRef/resource"),
        subresource: text("/objectRef/subresource"),
        namespace: text("/objectRef/namespace"),
        name: text("/objectRef/name"),
        code: u16::try_from(code)?,
        user_agent: text("/userAgent"),
        uri: text("/requestURI"),
        times: [text("/requestReceivedTimestamp"), text("/stageTimestamp")],
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = concat!(
        r#"{"stage":"ResponseStarted","verb":"watch","user":{"username":"a"},"objectRef":{"resource":"secrets"}}"#,
        "\n",
        r#"{"stage":"ResponseComplete","verb":"watch","user":{"username":"a"},"objectRef":{"resource":"secrets"}}"#,
        "\n",
        r#"{"stage":"ResponseComplete","verb":"patch","user":{"username":"b"},"objectRef":{"resource":"pods","#,
        r#""subresource":"status"},"responseStatus":{"code":200}}"#,
        "\n{\"stage\":\"Resp",
    );

    #[test]
    fn a_request_counts_once() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("audit.log");
        fs::write(&log, LINES).unwrap();
        let events = read(&log).unwrap();
        assert_eq!(events.len(), 2);
        let count = |filter: AuditFilter<'_>| events.iter().filter(|e| filter.matches(e)).count();
        assert_eq!(count(AuditFilter::default()), 2);
        assert_eq!(
            count(AuditFilter {
                verb: Some("watch"),
                user: Some("a"),
                ..AuditFilter::default()
            }),
            1
        );
        assert_eq!(
            count(AuditFilter {
                resource: Some("pods"),
                ..AuditFilter::default()
            }),
            0
        );
        assert_eq!(
            count(AuditFilter {
                resource: Some("pods/status"),
                ..AuditFilter::default()
            }),
            1
        );
    }
}
