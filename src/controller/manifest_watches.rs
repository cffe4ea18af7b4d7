//! The watches of targets that are no Secret: one per kind that some ExternalSecret names, of the
//! objects that carry the label of managed targets (spec: external-secrets.md 2.1).

use std::collections::HashSet;
use std::sync::Arc;

use futures::StreamExt as _;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures::stream::FuturesUnordered;
use kube::core::{DynamicObject, PartialObjectMeta};
use kube::discovery::ApiResource;
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, ResourceExt as _};

use crate::api::external_secret::Manifest;
use crate::api::meta::{MANAGED_LABEL, MANAGED_VALUE};

use super::context::Context;
use super::dependents::{ObjectKey, Target};
use super::outcome::chain;
use super::triggers::{Change, Presence, object_key, target_is_at};
use super::watch_pauses::WatchPauses;

type Kind = (Manifest, ApiResource);

/// Asks for watches.
#[derive(Debug)]
pub struct ManifestWatches(UnboundedSender<Kind>);

/// What was asked for.
pub(super) struct Wanted(UnboundedReceiver<Kind>);

impl ManifestWatches {
    /// No watch yet.
    pub(super) fn new() -> (Self, Wanted) {
        let (wanted, received) = unbounded();
        (Self(wanted), Wanted(received))
    }

    /// Follows the objects of this kind, if nobody asked before. (A closed channel means that the
    /// process is ending.)
    pub fn follow(&self, manifest: &Manifest, kind: &ApiResource) {
        let _ = self.0.unbounded_send((manifest.clone(), kind.clone()));
    }
}

/// Runs the watches that are wanted; one that no ExternalSecret needs any more ends when another
/// kind is asked for, or with its next event.
pub(super) async fn run(wanted: Wanted, ctx: Arc<Context>) {
    let mut wanted = wanted.0;
    let mut followed = HashSet::new();
    let mut running = FuturesUnordered::new();
    loop {
        tokio::select! {
            Some((manifest, kind)) = wanted.next() => {
                if followed.insert(manifest.clone()) {
                    running.push(follow(manifest, kind, Arc::clone(&ctx)));
                }
            }
            Some(ended) = running.next() => {
                followed.remove(&ended);
            }
            else => return,
        }
    }
}

/// Follows one kind until nobody needs it.
async fn follow(manifest: Manifest, kind: ApiResource, ctx: Arc<Context>) -> Manifest {
    let api: Api<PartialObjectMeta<DynamicObject>> = match &ctx.options.namespace {
        Some(namespace) => Api::namespaced_with(ctx.client.clone(), namespace, &kind),
        None => Api::all_with(ctx.client.clone(), &kind),
    };
    let managed = watcher::Config::default().labels(&format!("{MANAGED_LABEL}={MANAGED_VALUE}"));
    let events = watcher(api, managed).backoff(WatchPauses::default());
    let mut events = std::pin::pin!(events);
    let mut presence: Presence<ObjectKey> = Presence::new();
    while let Some(event) = events.next().await {
        if !ctx.dependents().has_target_of(&manifest) {
            break;
        }
        let target = |object| Target {
            manifest: Some(manifest.clone()),
            object,
        };
        match event.map(|event| presence.apply(event, object_key)) {
            Ok(Change::Present(key, object)) => {
                let version = object.resource_version();
                target_is_at(&target(key), version.as_deref(), true, &ctx);
            }
            Ok(Change::Gone(keys)) => {
                for key in keys {
                    target_is_at(&target(key), None, true, &ctx);
                }
            }
            Err(error) => {
                let error = chain(&error);
                tracing::warn!(
                    kind = manifest.kind,
                    error,
                    "the watch failed and is tried again"
                );
            }
        }
    }
    ctx.kinds.forget(&manifest);
    manifest
}
