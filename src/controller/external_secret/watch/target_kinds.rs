//! The watches of targets that are not Secrets: one per kind that some ExternalSecret names, of the
//! objects that carry the label of managed targets.

use std::collections::HashSet;

use futures::StreamExt as _;
use futures::channel::mpsc::UnboundedReceiver;
use futures::stream::FuturesUnordered;
use kube::core::{DynamicObject, PartialObjectMeta};
use kube::discovery::ApiResource;
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, ResourceExt as _};

use crate::api::external_secret::Manifest;
use crate::api::meta::{MANAGED_LABEL, MANAGED_VALUE};
use crate::controller::engine::backoff::WatchBackoff;
use crate::controller::engine::watch::{Change, Presence};
use crate::controller::external_secret::state::Env;
use crate::controller::index::{Dependency, Target};
use crate::kubernetes::answers::chain;

/// Runs the watches that are asked for. One that no ExternalSecret needs any more ends when another kind
/// is asked for, or with its next event.
pub async fn run(mut asked_for: UnboundedReceiver<(Manifest, ApiResource)>, env: Env) {
    let mut followed = HashSet::new();
    let mut running = FuturesUnordered::new();
    loop {
        tokio::select! {
            Some((manifest, kind)) = asked_for.next() => {
                if followed.insert(manifest.clone()) {
                    running.push(follow(manifest, kind, &env));
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
async fn follow(manifest: Manifest, kind: ApiResource, env: &Env) -> Manifest {
    let client = env.ctx.client.clone();
    let api: Api<PartialObjectMeta<DynamicObject>> = match &env.ctx.options.namespace {
        Some(namespace) => Api::namespaced_with(client, namespace, &kind),
        None => Api::all_with(client, &kind),
    };
    let managed = watcher::Config::default().labels(&format!("{MANAGED_LABEL}={MANAGED_VALUE}"));
    let events = watcher(api, managed).backoff(WatchBackoff::default());
    let mut events = std::pin::pin!(events);
    let mut presence = Presence::default();
    let needed = Dependency::TargetKind(manifest.clone());
    while let Some(event) = events.next().await {
        if !env.consumers.has(&needed) {
            break;
        }
        let changed = |object, version: Option<&str>| {
            let manifest = Some(manifest.clone());
            env.target_changed(&Target { manifest, object }, version, true);
        };
        match event.map(|event| presence.apply(event)) {
            Ok(Change::Present { name, object, .. }) => {
                changed(name, object.resource_version().as_deref());
            }
            Ok(Change::Gone(names)) => names.into_iter().for_each(|name| changed(name, None)),
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
    env.state.kinds.forget(&manifest);
    manifest
}
