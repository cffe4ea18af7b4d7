//! Faults on demand: which request is hit, how often, and by what. Knows no HTTP library and no vault.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;
use serde::{Deserialize, Deserializer, Serialize};

use crate::cloud;

/// A fault for one target (vault label, host name or `*`); the fields are those of `golden/README.md`.
///
/// Of the transport faults the first set of `refuse_connect`, `drop_connection`, `hang` wins; then
/// `status` or `body` answers instead of the service; a fault with a latency alone delays the true answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Fault {
    /// HTTP status to answer with; a vault still challenges a request without a token first.
    pub status: Option<u16>,
    /// `error.code` of the body; default: what Azure sends with the status.
    pub code: Option<String>,
    /// `error.innererror.code` of the body; default for 403: `ForbiddenByRbac`.
    pub inner_code: Option<String>,
    /// `error.message` of the body.
    pub message: Option<String>,
    /// The whole body as it is, in place of an error document; status 200 unless `status` is set.
    pub body: Option<String>,
    /// `Retry-After` header: seconds or an HTTP date.
    #[serde(deserialize_with = "text_or_number")]
    pub retry_after: Option<String>,
    /// How many requests are hit; 0: all until cleared.
    pub times: u64,
    /// How many matching requests pass before the first is hit.
    pub skip: u64,
    /// Delay before the answer, in milliseconds.
    pub latency_ms: u64,
    /// Closes the connection in place of an answer.
    pub drop_connection: bool,
    /// Answers CONNECT with 503, or with `status`, and drops connections that already stand.
    pub refuse_connect: bool,
    /// Never answers.
    pub hang: bool,
    /// Operations that are hit (`secrets.get`, `secrets.list`, `token` …); empty: all.
    pub ops: Vec<String>,
    /// HTTP methods that are hit; empty: all.
    pub methods: Vec<String>,
    /// Prefix of the request paths that are hit.
    pub path: Option<String>,
}

impl Fault {
    /// Answers with an HTTP status and Azure's usual body for it.
    pub fn status(status: u16) -> Self {
        Self {
            status: Some(status),
            ..Self::default()
        }
    }

    /// Answers 429 with a Retry-After in seconds.
    pub fn throttled(retry_after_seconds: u64) -> Self {
        Self {
            retry_after: Some(retry_after_seconds.to_string()),
            ..Self::status(429)
        }
    }

    /// Answers 403 with an inner code such as `ForbiddenByFirewall`.
    pub fn forbidden(inner_code: &str) -> Self {
        Self {
            inner_code: Some(inner_code.to_owned()),
            ..Self::status(403)
        }
    }

    fn answers(&self) -> bool {
        self.status.is_some() || self.body.is_some()
    }
}

fn text_or_number<'de, D: Deserializer<'de>>(input: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Wire {
        Seconds(u64),
        Text(String),
    }
    Ok(
        Option::<Wire>::deserialize(input)?.map(|value| match value {
            Wire::Seconds(seconds) => seconds.to_string(),
            Wire::Text(text) => text,
        }),
    )
}

/// A request as faults see it.
pub(crate) struct Subject<'a> {
    pub(crate) host: &'a str,
    pub(crate) op: &'a str,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    /// Whether an answer may be put in place of the service's (a vault's challenge comes first).
    pub(crate) answerable: bool,
}

/// The faults in force, by target.
#[derive(Default)]
pub(crate) struct Faults {
    by_target: RwLock<HashMap<String, Vec<Arc<Active>>>>,
}

struct Active {
    fault: Fault,
    hits: AtomicU64,
}

impl Active {
    fn matches(&self, subject: &Subject<'_>) -> bool {
        let fault = &self.fault;
        let listed = |list: &[String], word: &str| {
            list.is_empty() || list.iter().any(|item| item.eq_ignore_ascii_case(word))
        };
        listed(&fault.ops, subject.op)
            && listed(&fault.methods, subject.method)
            && fault
                .path
                .as_ref()
                .is_none_or(|path| subject.path.starts_with(path.as_str()))
            && (subject.answerable || !fault.answers())
    }

    /// Counts a matching request; true when it is one of those that are hit.
    fn strikes(&self) -> bool {
        let hit = self.hits.fetch_add(1, Ordering::Relaxed);
        self.in_window(hit)
    }

    fn in_window(&self, hit: u64) -> bool {
        let Fault { skip, times, .. } = self.fault;
        hit >= skip && (times == 0 || hit - skip < times)
    }
}

impl Faults {
    /// Replaces the faults of a target; an empty list clears them.
    pub(crate) fn set(&self, target: &str, faults: Vec<Fault>) {
        let target = target.to_ascii_lowercase();
        let mut map = self.by_target.write();
        if faults.is_empty() {
            map.remove(&target);
            return;
        }
        let active = faults
            .into_iter()
            .map(|fault| {
                Arc::new(Active {
                    fault,
                    hits: AtomicU64::new(0),
                })
            })
            .collect();
        map.insert(target, active);
    }

    /// Clears the faults of every target that begins with a prefix.
    pub(crate) fn clear(&self, prefix: &str) {
        self.by_target
            .write()
            .retain(|target, _| !target.starts_with(prefix));
    }

    /// The status that a CONNECT to this host is refused with, if a fault hits it; counted.
    pub(crate) fn refuses_connect(&self, host: &str) -> Option<u16> {
        let refusal = self.of(host);
        let mut refusal = refusal.iter().filter(|active| active.fault.refuse_connect);
        let refusal = refusal.find(|active| active.strikes())?;
        Some(refusal.fault.status.unwrap_or(503))
    }

    /// The fault that hits this request, if any; counted (except `refuse_connect`, which counts CONNECTs).
    pub(crate) fn strike(&self, subject: &Subject<'_>) -> Option<Fault> {
        self.of(subject.host)
            .iter()
            .find(|active| {
                if active.fault.refuse_connect {
                    return active.in_window(active.hits.load(Ordering::Relaxed));
                }
                active.matches(subject) && active.strikes()
            })
            .map(|active| active.fault.clone())
    }

    fn of(&self, host: &str) -> Vec<Arc<Active>> {
        let map = self.by_target.read();
        if map.is_empty() {
            return Vec::new();
        }
        [host, &cloud::label(host), "*"]
            .into_iter()
            .filter_map(|target| map.get(target))
            .flatten()
            .cloned()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject<'a>(op: &'a str, path: &'a str) -> Subject<'a> {
        Subject {
            host: "kv.vault.azure.net",
            op,
            method: "GET",
            path,
            answerable: true,
        }
    }

    #[test]
    fn skip_and_times_make_a_window() {
        let faults = Faults::default();
        faults.set(
            "kv",
            vec![Fault {
                skip: 1,
                times: 2,
                ..Fault::status(429)
            }],
        );
        let hits: Vec<bool> = (0..5)
            .map(|_| {
                faults
                    .strike(&subject("secrets.get", "/secrets/a"))
                    .is_some()
            })
            .collect();
        assert_eq!(hits, [false, true, true, false, false]);
    }

    #[test]
    fn filters_select_requests() {
        let faults = Faults::default();
        faults.set(
            "*",
            vec![
                serde_json::from_str(
                    r#"{"status":403,"ops":["secrets.list"],"methods":["GET"],"retryAfter":3}"#,
                )
                .unwrap(),
            ],
        );
        assert!(
            faults
                .strike(&subject("secrets.get", "/secrets/a"))
                .is_none()
        );
        let hit = faults.strike(&subject("secrets.list", "/secrets")).unwrap();
        assert_eq!(hit.retry_after.as_deref(), Some("3"));
        faults.set(
            "kv",
            vec![Fault {
                path: Some("/secrets/b".into()),
                ..Fault::status(500)
            }],
        );
        assert!(
            faults
                .strike(&subject("secrets.get", "/secrets/a"))
                .is_none()
        );
        assert_eq!(
            faults
                .strike(&subject("secrets.get", "/secrets/b/"))
                .unwrap()
                .status,
            Some(500)
        );
        faults.clear("kv");
        assert!(
            faults
                .strike(&subject("secrets.get", "/secrets/b/"))
                .is_none()
        );
    }

    #[test]
    fn a_challenge_comes_before_an_answer() {
        let faults = Faults::default();
        faults.set(
            "kv",
            vec![Fault {
                times: 1,
                ..Fault::status(503)
            }],
        );
        let unanswerable = Subject {
            answerable: false,
            ..subject("secrets.get", "/secrets/a")
        };
        assert!(faults.strike(&unanswerable).is_none());
        assert!(
            faults
                .strike(&subject("secrets.get", "/secrets/a"))
                .is_some()
        );
    }
}
