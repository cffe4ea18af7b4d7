//! Events as ESO writes them: core/v1, one object per (object, reason, message), counted up.
//!
//! Publishing never waits and never fails a reconcile: a task of its own writes. A failure that
//! repeats itself is written once in ten minutes, so a broken object costs the API server nothing. That
//! the right to write events is missing is logged as often.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use k8s_openapi::api::core::v1::{Event, EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use k8s_openapi::jiff::Timestamp;
use kube::Client;
use kube::api::{Api, Patch, PatchParams, PostParams};
use tokio::sync::mpsc;

use super::answers;

const QUEUE: usize = 4096;
/// Writes at a time.
const AT_ONCE: usize = 16;
const QUIET: Duration = Duration::from_mins(10);
const REMEMBERED: Duration = Duration::from_mins(50);
const MESSAGE_BYTES: usize = 1024;

/// Normal or Warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventType {
    /// Something happened as wished.
    Normal,
    /// Somebody should look.
    Warning,
}

/// One thing that happened to one object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EventBody {
    /// Normal or Warning.
    pub kind: EventType,
    /// The machine-readable reason.
    pub reason: &'static str,
    /// What a person reads; cut at 1 KiB.
    pub message: String,
}

/// Accepts events for one source component.
#[derive(Clone)]
pub struct Recorder {
    component: &'static str,
    queue: mpsc::Sender<QueuedEvent>,
}

struct QueuedEvent {
    component: &'static str,
    about: ObjectReference,
    note: EventBody,
    at: Timestamp,
}

impl Recorder {
    /// A recorder for `component` and the task that writes; the task ends when every recorder of
    /// it is gone.
    pub fn new(client: Client, component: &'static str) -> (Self, impl Future<Output = ()>) {
        let (queue, entries) = mpsc::channel(QUEUE);
        (Self { component, queue }, write_all(client, entries))
    }

    /// The same queue under another source component.
    #[must_use]
    pub fn as_component(&self, component: &'static str) -> Self {
        Self {
            component,
            queue: self.queue.clone(),
        }
    }

    /// Queues `note` about `about`. Dropped where the API server is that far behind.
    pub fn publish(&self, about: ObjectReference, note: EventBody, at: Timestamp) {
        let entry = QueuedEvent {
            component: self.component,
            about,
            note,
            at,
        };
        if self.queue.try_send(entry).is_err() {
            tracing::debug!("event dropped: the queue is full");
        }
    }
}

/// Writes what is queued, some at a time, but never two of the same thing.
async fn write_all(client: Client, mut entries: mpsc::Receiver<QueuedEvent>) {
    let mut correlator = EventCorrelator::default();
    let mut writing = FuturesUnordered::new();
    loop {
        let entry = tokio::select! {
            Some((key, written)) = writing.next() => {
                correlator.settle(key, written);
                continue;
            }
            entry = entries.recv(), if writing.len() < AT_ONCE => entry,
        };
        let Some(entry) = entry else { break };
        let key = correlator.key(&entry);
        while correlator.writing.contains(&key)
            && let Some((key, written)) = writing.next().await
        {
            correlator.settle(key, written);
        }
        if let Some(act) = correlator.next(key, entry) {
            let client = client.clone();
            writing.push(async move { (key, carry_out(&client, act).await) });
        }
    }
    while let Some((key, written)) = writing.next().await {
        correlator.settle(key, written);
    }
}

/// What was written, so that a repetition counts up.
#[derive(Default)]
struct EventCorrelator {
    /// Told apart by a hash: as many as there are objects may be remembered.
    hasher: RandomState,
    seen: HashMap<u64, Seen>,
    writing: HashSet<u64>,
    /// So many are remembered before those that are too old are looked for.
    room: usize,
    serial: usize,
    /// When it was logged that they cannot be written.
    told: Option<Instant>,
}

struct Seen {
    name: String,
    count: i32,
    written: Instant,
}

/// What an entry comes to.
struct EventWrite {
    entry: QueuedEvent,
    /// The event that is counted up, if there is one.
    again: Option<(String, i32)>,
    serial: usize,
}

impl EventCorrelator {
    fn key(&self, entry: &QueuedEvent) -> u64 {
        self.hasher
            .hash_one((&entry.about.uid, entry.component, &entry.note))
    }

    /// What `entry` comes to; `None` where it was said lately.
    fn next(&mut self, key: u64, entry: QueuedEvent) -> Option<EventWrite> {
        self.serial = self.serial.wrapping_add(1);
        let mut act = EventWrite {
            entry,
            again: None,
            serial: self.serial,
        };
        let seen = self.seen.get_mut(&key);
        if let Some(known) = seen.filter(|known| known.written.elapsed() < REMEMBERED) {
            known.count = known.count.saturating_add(1);
            if act.entry.note.kind == EventType::Warning && known.written.elapsed() < QUIET {
                return None;
            }
            known.written = Instant::now();
            act.again = Some((known.name.clone(), known.count));
        }
        self.writing.insert(key);
        Some(act)
    }

    /// What came of an act: the name of an event that is new.
    fn settle(&mut self, key: u64, written: kube::Result<Option<String>>) {
        self.writing.remove(&key);
        match written {
            Ok(None) => {}
            Ok(Some(name)) => {
                let written = Instant::now();
                let seen = Seen {
                    name,
                    count: 1,
                    written,
                };
                self.seen.insert(key, seen);
                self.make_room();
            }
            Err(error) => self.complain(&error),
        }
    }

    fn make_room(&mut self) {
        if self.seen.len() > self.room {
            self.seen
                .retain(|_, event| event.written.elapsed() < REMEMBERED);
            self.room = QUEUE.max(self.seen.len() * 2);
        }
    }

    fn complain(&mut self, error: &kube::Error) {
        tracing::debug!(%error, "event not written");
        if let kube::Error::Api(answer) = error
            && answers::lacks_right(answer)
            && self.told.is_none_or(|told| told.elapsed() > QUIET)
        {
            self.told = Some(Instant::now());
            tracing::warn!(error = answers::in_words(answer), "events are not written");
        }
    }
}

/// Counts an event up or makes one; returns the name of a new one.
async fn carry_out(client: &Client, act: EventWrite) -> kube::Result<Option<String>> {
    let entry = &act.entry;
    // cluster-scoped objects have their events in `default`, as client-go does
    let namespace = entry.about.namespace.as_deref().unwrap_or("default");
    let api: Api<Event> = Api::namespaced(client.clone(), namespace);
    if let Some((name, count)) = act.again {
        let again = serde_json::json!({"count": count, "lastTimestamp": Time(entry.at)});
        match api
            .patch(&name, &PatchParams::default(), &Patch::Merge(again))
            .await
        {
            Err(kube::Error::Api(status)) if status.is_not_found() => {}
            other => return other.map(|_| None),
        }
    }
    let event = event(entry, namespace, act.serial);
    api.create(&PostParams::default(), &event).await?;
    Ok(event.metadata.name)
}

fn event(entry: &QueuedEvent, namespace: &str, serial: usize) -> Event {
    let object = entry.about.name.as_deref().unwrap_or_default();
    let nanos = entry.at.as_nanosecond();
    let mut message = entry.note.message.clone();
    if message.len() > MESSAGE_BYTES {
        let cut = message.floor_char_boundary(MESSAGE_BYTES - 3);
        message.truncate(cut);
        message.push_str("...");
    }
    Event {
        metadata: ObjectMeta {
            name: Some(format!("{object}.{nanos:x}{serial:x}")),
            namespace: Some(namespace.to_owned()),
            ..ObjectMeta::default()
        },
        involved_object: entry.about.clone(),
        reason: Some(entry.note.reason.to_owned()),
        message: Some(message),
        type_: Some(
            match entry.note.kind {
                EventType::Normal => "Normal",
                EventType::Warning => "Warning",
            }
            .to_owned(),
        ),
        source: Some(EventSource {
            component: Some(entry.component.to_owned()),
            host: None,
        }),
        reporting_component: Some(entry.component.to_owned()),
        count: Some(1),
        first_timestamp: Some(Time(entry.at)),
        last_timestamp: Some(Time(entry.at)),
        ..Event::default()
    }
}
