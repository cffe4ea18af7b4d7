//! ExternalSecret: keeps the target in sync with its sources.
//!
//! | layer | module | knows |
//! | --- | --- | --- |
//! | 0 | [`spec`] | what an ExternalSecret asks for; pure |
//! | 1 | [`refresh`] | when it is refreshed; pure |
//! | 2 | [`fetch`], [`state`] | values of the stores; what is known of each object |
//! | 3 | [`target`] | the target, and the writes to it |
//! | 4 | [`outcome`], [`error`] | what a reconcile came to |
//! | 5 | [`report`], [`release`], [`watch`], [`dry_run`] | status, event, metric and log; deletion; changes; dry runs |
//! | 6 | [`reconcile`] | the phases in their order |

mod dry_run;
mod error;
mod fetch;
mod outcome;
mod reconcile;
mod refresh;
mod release;
mod report;
mod spec;
mod state;
mod target;
mod watch;

use std::sync::Arc;

use futures::FutureExt as _;
use futures::channel::mpsc::{UnboundedReceiver, unbounded};
use k8s_openapi::api::core::v1::Secret;
use kube::core::PartialObjectMeta;
use kube::discovery::ApiResource;
use kube::runtime::reflector::store;

use crate::api::external_secret::{ExternalSecret, Manifest};
use crate::controller::engine::watch::{self as watches, Observer};
use crate::controller::engine::{self, Controller, Reconciler as _, WorkQueue};
use crate::lifecycle::{Readiness, Stop};
use crate::telemetry::Metrics;

use reconcile::ExternalSecretReconciler;
use watch::{ObjectWatch, TargetWatch};

pub use dry_run::{Plan, plan};
pub use error::Error;
pub use spec::Schedule;
pub use state::{Env, State};
pub use target::{Error as TargetError, TargetPlan};

/// The kinds of targets whose watches are asked for.
pub type AskedFor = UnboundedReceiver<(Manifest, ApiResource)>;

/// What is known of ExternalSecrets, of none yet, and the watches that they ask for.
pub fn state(metrics: &Metrics, workers: u16) -> (Arc<State>, AskedFor) {
    let name = ExternalSecretReconciler::NAME;
    let queue = WorkQueue::new(metrics.work.controller(name, workers));
    let overdue = queue.clone();
    metrics.ask_overdue(move || overdue.overdue());
    let (ask, asked_for) = unbounded();
    (Arc::new(State::new(queue, ask)), asked_for)
}

/// The controller.
pub fn controller(env: Env, asked_for: AskedFor, readiness: &Readiness, stop: &Stop) -> Controller {
    let ctx = &env.ctx;
    let (cache, writer) = store();
    let api = watches::scoped(&ctx.client, ctx.options.namespace.as_deref());
    let events = watches::cached(api, writer);
    let observer = ObjectWatch::new(env.clone());
    let objects =
        watches::follow::<ExternalSecret, _>(events, vec![Box::new(observer)], readiness.clone());
    let target_kinds = watch::target_kinds(asked_for, env.clone());
    let filled = {
        let cache = cache.clone();
        // an error means that the process is ending
        async move { drop(cache.wait_until_ready().await) }
    };
    let workers = ctx.options.concurrent;
    let reconciler = Arc::new(ExternalSecretReconciler { env, cache });
    let work = engine::run(reconciler, workers, stop.clone());
    Controller {
        watches: vec![objects.boxed(), target_kinds.boxed()],
        caches: vec![filled.boxed()],
        work: vec![work.boxed()],
    }
}

/// What follows the metadata of Secrets for the sake of targets.
pub fn secret_observer(env: &Env) -> Box<dyn Observer<PartialObjectMeta<Secret>>> {
    Box::new(TargetWatch(env.clone()))
}
