//! Events as ESO writes them: core/v1, one object per (object, reason, message), counted up.
//!
//! Publishing never waits and never fails a reconcile: a task of its own writes. A failure that
//! repeats itself is written once in ten minutes, so a broken object costs the API server nothing. That
//! the right to write events is missing is logged as often.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::{Event, EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use k8s_openapi::jiff::Timestamp;
use kube::Client;
use kube::api::{Api, Patch, PatchParams, PostParams};
use tokio::sync::mpsc;

use super::answers;

const QUEUE: usize = 4096;
const QUIET: Duration = Duration::from_mins(10);
const REMEMBERED: Duration = Duration::from_mins(50);
const MESSAGE_BYTES: usize = 1024;

/// Normal or Warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Something happened as wished.
    Normal,
    /// Somebody should look.
    Warning,
}

/// One thing that happened to one object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Note {
    /// Normal or Warning.
    pub kind: Kind,
    /// The machine-readable reason.
    pub reason: &'static str,
    /// What a person reads; cut at 1 KiB.
    pub message: String,
}

/// Accepts events for one source component.
#[derive(Clone)]
pub struct Recorder {
    component: &'static str,
    queue: mpsc::Sender<Entry>,
}

struct Entry {
    component: &'static str,
    about: ObjectReference,
    note: Note,
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
    pub fn publish(&self, about: ObjectReference, note: Note, at: Timestamp) {
        let entry = Entry {
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

type Key = (Option<String>, &'static str, Note);

struct Seen {
    name: String,
    count: i32,
    written: Instant,
}

async fn write_all(client: Client, mut entries: mpsc::Receiver<Entry>) {
    let mut seen: HashMap<Key, Seen> = HashMap::new();
    let mut told: Option<Instant> = None;
    while let Some(entry) = entries.recv().await {
        if let Err(error) = write(&client, &mut seen, &entry).await {
            tracing::debug!(%error, reason = entry.note.reason, "event not written");
            if let kube::Error::Api(answer) = &error
                && answers::lacks_right(answer)
                && told.is_none_or(|told| told.elapsed() > QUIET)
            {
                told = Some(Instant::now());
                tracing::warn!(error = answers::in_words(answer), "events are not written");
            }
        }
        if seen.len() > QUEUE {
            seen.retain(|_, event| event.written.elapsed() < REMEMBERED);
        }
    }
}

async fn write(client: &Client, seen: &mut HashMap<Key, Seen>, entry: &Entry) -> kube::Result<()> {
    // cluster-scoped objects have their events in `default`, as client-go does
    let namespace = entry.about.namespace.as_deref().unwrap_or("default");
    let api: Api<Event> = Api::namespaced(client.clone(), namespace);
    let key = (entry.about.uid.clone(), entry.component, entry.note.clone());
    if let Some(known) = seen.get_mut(&key)
        && known.written.elapsed() < REMEMBERED
    {
        known.count = known.count.saturating_add(1);
        if entry.note.kind == Kind::Warning && known.written.elapsed() < QUIET {
            return Ok(());
        }
        known.written = Instant::now();
        let again = serde_json::json!({"count": known.count, "lastTimestamp": Time(entry.at)});
        match api
            .patch(&known.name, &PatchParams::default(), &Patch::Merge(again))
            .await
        {
            Err(kube::Error::Api(status)) if status.is_not_found() => {}
            other => return other.map(drop),
        }
    }
    let event = event(entry, namespace, seen.len());
    let name = event.metadata.name.clone().unwrap_or_default();
    api.create(&PostParams::default(), &event).await?;
    seen.insert(
        key,
        Seen {
            name,
            count: 1,
            written: Instant::now(),
        },
    );
    Ok(())
}

fn event(entry: &Entry, namespace: &str, serial: usize) -> Event {
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
                Kind::Normal => "Normal",
                Kind::Warning => "Warning",
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
