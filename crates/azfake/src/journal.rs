//! What clients did: a bounded request log and counters. Holds no secret: neither bodies, headers nor unknown query values.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use serde::Serialize;

/// One answered request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LoggedRequest {
    /// Running number from 0; a mark is the number of the next request.
    pub seq: u64,
    /// When it was answered, RFC 3339 UTC.
    pub time: String,
    /// HTTP method.
    pub method: String,
    /// Host name of the tunnel.
    pub host: String,
    /// Path and query without `api-version`; values of unknown parameters are masked.
    pub path: String,
    /// The `api-version` parameter.
    pub api_version: Option<String>,
    /// The operation, such as `secrets.get` or `token`.
    pub op: String,
    /// Status of the answer; 0 when the connection was dropped instead.
    pub status: u16,
    /// Client id of a valid token, or the one that asked for a token.
    pub client: Option<String>,
}

/// TLS connections of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Connections {
    /// Handshakes completed.
    pub total: u64,
    /// Open now.
    pub open: u64,
    /// Most that were open at one time.
    pub peak: u64,
}

/// Counters since the start or the last [`crate::Control::clear_log`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Vault requests by operation (`secrets.get` …).
    pub ops: BTreeMap<String, u64>,
    /// Entra requests: `token` (all), `token.issued`, `openid`, `instance`.
    pub entra: BTreeMap<String, u64>,
    /// Requests by host and operation.
    pub hosts: BTreeMap<String, BTreeMap<String, u64>>,
    /// Requests by status.
    pub statuses: BTreeMap<u16, u64>,
    /// CONNECTs by host, those that failed included.
    pub connects: BTreeMap<String, u64>,
    /// Requests to hosts that azfake does not play, by host. A test that sees one fails.
    pub refused: BTreeMap<String, u64>,
    /// TLS connections by host, and of `all`.
    pub connections: BTreeMap<String, Connections>,
}

/// The log and the counters, behind one short lock.
pub(crate) struct Journal {
    capacity: usize,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    next: u64,
    entries: VecDeque<LoggedRequest>,
    counters: Counters,
}

impl Journal {
    /// A log of at most so many entries; the oldest go first.
    pub(crate) fn new(capacity: usize) -> Self {
        let mut counters = Counters::default();
        counters.connections.entry("all".to_owned()).or_default();
        let inner = Inner {
            counters,
            ..Inner::default()
        };
        Self {
            capacity,
            inner: Mutex::new(inner),
        }
    }

    /// Notes an answered request and counts it; numbers it itself.
    pub(crate) fn note(&self, mut entry: LoggedRequest, is_vault: bool) {
        let mut inner = self.inner.lock();
        entry.seq = inner.next;
        inner.next += 1;
        let counters = &mut inner.counters;
        let by_op = if is_vault {
            &mut counters.ops
        } else {
            &mut counters.entra
        };
        bump(by_op, &entry.op);
        if entry.op == "token" && entry.status == 200 {
            bump(by_op, "token.issued");
        }
        bump(
            counters.hosts.entry(entry.host.clone()).or_default(),
            &entry.op,
        );
        *counters.statuses.entry(entry.status).or_default() += 1;
        if inner.entries.len() >= self.capacity {
            inner.entries.pop_front();
        }
        inner.entries.push_back(entry);
    }

    /// Counts a CONNECT.
    pub(crate) fn connect(&self, host: &str) {
        bump(&mut self.inner.lock().counters.connects, host);
    }

    /// Counts a request to a host that is not played.
    pub(crate) fn refused(&self, host: &str) {
        bump(&mut self.inner.lock().counters.refused, host);
    }

    /// Counts an open TLS connection until the guard is dropped.
    pub(crate) fn opened(self: &Arc<Self>, host: &str) -> Open {
        let mut inner = self.inner.lock();
        for name in [host, "all"] {
            let connections = inner
                .counters
                .connections
                .entry(name.to_owned())
                .or_default();
            connections.total += 1;
            connections.open += 1;
            connections.peak = connections.peak.max(connections.open);
        }
        Open {
            journal: Arc::clone(self),
            host: host.to_owned(),
        }
    }

    /// The number that the next request gets.
    pub(crate) fn mark(&self) -> u64 {
        self.inner.lock().next
    }

    /// The logged requests from a mark on whose host begins with a prefix, and the next mark.
    pub(crate) fn since(&self, mark: u64, host_prefix: &str) -> (u64, Vec<LoggedRequest>) {
        let inner = self.inner.lock();
        let first = inner.entries.partition_point(|entry| entry.seq < mark);
        let entries = inner.entries.range(first..);
        let wanted = entries.filter(|entry| entry.host.starts_with(host_prefix));
        (inner.next, wanted.cloned().collect())
    }

    /// A copy of the counters.
    pub(crate) fn counters(&self) -> Counters {
        self.inner.lock().counters.clone()
    }

    /// Forgets entries and counts; numbering and open connections go on.
    pub(crate) fn clear(&self) {
        let mut inner = self.inner.lock();
        inner.entries.clear();
        let mut connections = std::mem::take(&mut inner.counters.connections);
        connections.retain(|name, connections| {
            connections.total = connections.open;
            connections.peak = connections.open;
            connections.open > 0 || name == "all"
        });
        inner.counters = Counters {
            connections,
            ..Counters::default()
        };
    }
}

/// An open TLS connection.
pub(crate) struct Open {
    journal: Arc<Journal>,
    host: String,
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut inner = self.journal.inner.lock();
        for name in [self.host.as_str(), "all"] {
            if let Some(connections) = inner.counters.connections.get_mut(name) {
                connections.open = connections.open.saturating_sub(1);
            }
        }
    }
}

fn bump(map: &mut BTreeMap<String, u64>, key: &str) {
    match map.get_mut(key) {
        Some(count) => *count += 1,
        None => {
            map.insert(key.to_owned(), 1);
        }
    }
}
