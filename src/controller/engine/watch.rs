//! Watches: follows the objects of a kind and reports to observers what is there and what is gone. Knows
//! no kind and no decision.

use std::collections::HashSet;
use std::fmt::Debug;

use futures::{Stream, StreamExt as _};
use k8s_openapi::NamespaceResourceScope;
use kube::core::PartialObjectMeta;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::reflector::store::Writer;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;

use crate::api::meta::NamespacedName;
use crate::kubernetes::answers::chain;
use crate::lifecycle::Readiness;

use super::backoff::WatchBackoff;

/// Learns what a watch brings.
pub trait Observer<O>: Send {
    /// The object is there, as a list (`is_listed`) or a change shows it.
    fn present(&mut self, name: &NamespacedName, object: &O, is_listed: bool);

    /// The object is gone.
    fn gone(&mut self, name: &NamespacedName);

    /// Whether the watch delivers; while it fails, changes are missed.
    fn delivers(&mut self, _delivers: bool) {}
}

/// What a watch brought.
pub enum Change<O> {
    /// This object is there.
    Present {
        /// Its name.
        name: NamespacedName,
        /// As the watch brought it.
        object: O,
        /// A list has it: it need not have changed.
        is_listed: bool,
    },
    /// These objects are gone.
    Gone(Vec<NamespacedName>),
}

/// Turns the events of one watch into changes; what a new list no longer has is gone.
#[derive(Default)]
pub struct Presence {
    known: HashSet<NamespacedName>,
    listed: Option<HashSet<NamespacedName>>,
}

impl Presence {
    /// The change that `event` makes.
    pub fn apply<O: ResourceExt>(&mut self, event: Event<O>) -> Change<O> {
        match event {
            Event::Init => {
                self.listed = Some(HashSet::new());
                Change::Gone(Vec::new())
            }
            Event::InitApply(object) => self.present(object, true),
            Event::Apply(object) => self.present(object, false),
            Event::InitDone => {
                let listed = self.listed.take().unwrap_or_default();
                let gone = self.known.difference(&listed).cloned().collect();
                self.known = listed;
                Change::Gone(gone)
            }
            Event::Delete(object) => {
                let name = NamespacedName::of(&object);
                self.known.remove(&name);
                Change::Gone(vec![name])
            }
        }
    }

    fn present<O: ResourceExt>(&mut self, object: O, is_listed: bool) -> Change<O> {
        let name = NamespacedName::of(&object);
        if let Some(listed) = &mut self.listed {
            listed.insert(name.clone());
        }
        self.known.insert(name.clone());
        Change::Present {
            name,
            object,
            is_listed,
        }
    }
}

/// Reports what `events` bring of kind `K` to the observers, in their order; never ends.
pub async fn follow<K, O>(
    events: impl Stream<Item = watcher::Result<Event<O>>> + Send,
    mut observers: Vec<Box<dyn Observer<O>>>,
    readiness: Readiness,
) where
    K: Resource<DynamicType = ()>,
    O: ResourceExt + Send,
{
    let mut presence = Presence::default();
    let mut events = std::pin::pin!(events);
    while let Some(event) = events.next().await {
        // that a list begins is announced before it is asked for
        if !matches!(event, Ok(Event::Init)) {
            for observer in &mut observers {
                observer.delivers(event.is_ok());
            }
        }
        let Some(event) = usable::<K, O>(&readiness, event) else {
            continue;
        };
        match presence.apply(event) {
            Change::Present {
                name,
                object,
                is_listed,
            } => {
                for observer in &mut observers {
                    observer.present(&name, &object, is_listed);
                }
            }
            Change::Gone(names) => {
                for name in &names {
                    for observer in &mut observers {
                        observer.gone(name);
                    }
                }
            }
        }
    }
}

/// The kind's objects in `namespace`, or in all of them.
pub fn scoped<K>(client: &Client, namespace: Option<&str>) -> Api<K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    }
}

/// Watches one kind and fills its cache, without the bulk that nobody reads: managedFields and
/// kubectl's copy are three quarters of an object.
pub fn cached<K>(
    api: Api<K>,
    writer: Writer<K>,
) -> impl Stream<Item = watcher::Result<Event<K>>> + Send
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    watcher(api, watcher::Config::default())
        .backoff(WatchBackoff::default())
        .modify(|object| object.meta_mut().managed_fields = None)
        .reflect(writer)
}

/// Watches the metadata of one kind; nothing is cached.
pub fn metadata<K>(
    client: &Client,
    namespace: Option<&str>,
) -> impl Stream<Item = watcher::Result<Event<PartialObjectMeta<K>>>> + Send + use<K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + Debug
        + Send
        + Sync
        + 'static,
    PartialObjectMeta<K>: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    let api: Api<PartialObjectMeta<K>> = scoped(client, namespace);
    watcher(api, watcher::Config::default()).backoff(WatchBackoff::default())
}

/// The event, or a log line: the watcher pauses and tries again by itself.
fn usable<K, O>(readiness: &Readiness, event: watcher::Result<Event<O>>) -> Option<Event<O>>
where
    K: Resource<DynamicType = ()>,
{
    let plural = K::plural(&());
    match event {
        Ok(event) => {
            if matches!(event, Event::InitDone) {
                readiness.cleared(&plural);
            }
            Some(event)
        }
        Err(error) => {
            let error = in_words::<K>(&error);
            tracing::warn!(%plural, error, "the watch failed and is tried again");
            readiness.hindered(&plural, &error);
            None
        }
    }
}

/// What failed and why. A kind that is not served is named, for its 404 says nothing.
fn in_words<K: Resource<DynamicType = ()>>(error: &watcher::Error) -> String {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(answer))
        | watcher::Error::WatchStartFailed(kube::Error::Api(answer))
            if answer.code == 404 =>
        {
            let (kind, version) = (K::kind(&()), K::api_version(&()));
            format!(
                "the API server does not serve kind {kind} in {version}; install the \
                 CustomResourceDefinitions of this release"
            )
        }
        watcher::Error::InitialListFailed(cause)
        | watcher::Error::WatchStartFailed(cause)
        | watcher::Error::WatchFailed(cause) => chain(cause),
        watcher::Error::WatchError(answer) => answer.message.clone(),
        watcher::Error::NoResourceVersion => error.to_string(),
    }
}
