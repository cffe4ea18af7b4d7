//! The controllers: what is done when, and what is reported about it. `run` starts them all and ends when
//! all have finished.
//!
//! | layer | module | knows |
//! | --- | --- | --- |
//! | 0 | [`engine`], [`index`] | queues, workers and watches; who depends on what |
//! | 1 | [`context`] | what every controller is given |
//! | 2 | [`reconcile`] | what reconciles of every kind do alike |
//! | 3 | [`templates`], [`store`] | templates that other objects hold; stores and the door to them |
//! | 4 | [`external_secret`], [`unserved`] | a folder per kind; kinds that are not served |

mod context;
mod engine;
pub mod external_secret;
mod index;
mod reconcile;
mod store;
mod templates;
mod unserved;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt as _, join_all};
use k8s_openapi::api::core::v1::Secret;
use kube::Client;

use crate::api::kinds::EXTERNAL_SECRET;
use crate::clock::Clock;
use crate::kubernetes::events::Recorder;
use crate::lifecycle::{Drain, Readiness, Stop};
use crate::telemetry::Metrics;

use context::Context;
use engine::{Controller, watch};
use external_secret::Env;
use index::Consumers;
use templates::TemplateSources;

pub use context::{Options, Switches};
pub use index::{StoreKey, TemplateSource};
pub use store::{Error as StoreError, Providers, StoreAccess};
pub use templates::{Error as TemplateError, TextSources, of_config_map, of_secret};

/// How long the last events may take to be written.
const EVENTS_WITHIN: Duration = Duration::from_secs(3);

/// What the controllers are given by the process.
pub struct Setup {
    /// The cluster.
    pub client: Client,
    /// The adapters.
    pub providers: Providers,
    /// The metric families.
    pub metrics: Metrics,
    /// The flags.
    pub options: Options,
    /// Is told when every cache was filled.
    pub readiness: Readiness,
    /// Ends when this process may work; caches are filled before.
    pub lead: BoxFuture<'static, ()>,
}

/// Runs all controllers until `stop`, then lets running reconciles finish and writes the last events.
pub async fn run(setup: Setup, stop: Stop) -> Drain {
    let (recorder, write_events) = Recorder::new(setup.client.clone(), EXTERNAL_SECRET.component);
    let mut write_events = pin!(write_events);
    let drain = tokio::select! {
        drain = follow_and_work(setup, recorder, stop) => drain,
        () = &mut write_events => Drain::Aborted,
    };
    // every recorder is gone: what is queued is written, then it ends
    if tokio::time::timeout(EVENTS_WITHIN, write_events)
        .await
        .is_err()
    {
        tracing::warn!("events were left unwritten after {EVENTS_WITHIN:?}");
    }
    drain
}

async fn follow_and_work(mut setup: Setup, recorder: Recorder, stop: Stop) -> Drain {
    let lead = std::mem::replace(&mut setup.lead, std::future::pending().boxed());
    let readiness = setup.readiness.clone();
    let grace = setup.options.shutdown_grace;
    let Controller {
        watches,
        caches,
        work,
    } = assemble(setup, recorder, &stop);
    let controllers = async {
        tokio::select! {
            // reconciles look stores up: an empty cache must not read as "no such store"
            _ = join_all(caches) => {}
            () = stop.clone() => return Drain::Completed,
        }
        readiness.reached();
        tracing::info!("all caches are filled");
        tokio::select! {
            () = lead => {}
            () = stop.clone() => return Drain::Completed,
        }
        let expired = stop.clone().then(|()| tokio::time::sleep(grace));
        tokio::select! {
            _ = join_all(work) => Drain::Completed,
            () = expired => {
                tracing::warn!("what is in work is not finished after {grace:?} and cut off");
                Drain::Aborted
            }
        }
    };
    // watches have no end of their own: they go with the controllers
    tokio::select! {
        drain = controllers => drain,
        _ = join_all(watches) => Drain::Aborted,
    }
}

/// All controllers: a kind more is a line more in `controllers`, and one in `secrets` if it reads Secrets.
fn assemble(setup: Setup, recorder: Recorder, stop: &Stop) -> Controller {
    let readiness = setup.readiness;
    let ctx = Context {
        client: setup.client,
        clock: Clock::System,
        options: Arc::new(setup.options),
        metrics: setup.metrics,
        recorder,
    };
    let namespace = ctx.options.namespace.as_deref();
    let (state, asked_for) = external_secret::state(&ctx.metrics, ctx.options.concurrent);
    let consumers = Arc::new(Consumers::new(state.clone()));
    let (stores, caches) = store::new(ctx.clone(), setup.providers, Arc::clone(&consumers));
    let stores = Arc::new(stores);
    let templates = TemplateSources::new(ctx.client.clone(), Arc::clone(&consumers));
    let templates = Arc::new(templates);
    let env = Env {
        ctx: ctx.clone(),
        stores: Arc::clone(&stores),
        templates: Arc::clone(&templates),
        consumers,
        state,
    };
    let secrets = vec![
        templates::secret_observer(&templates),
        store::secret_observer(&stores),
        external_secret::secret_observer(&env),
    ];
    let events = watch::metadata::<Secret>(&ctx.client, namespace);
    let unserved = unserved::warn(
        ctx.client.clone(),
        ctx.options.switches.off.clone(),
        namespace.is_some(),
    );
    let shared = Controller {
        watches: vec![
            watch::follow::<Secret, _>(events, secrets, readiness.clone()).boxed(),
            templates::config_maps(&templates, namespace, &readiness),
        ],
        caches: Vec::new(),
        work: vec![unserved.boxed()],
    };
    let controllers = [
        store::controller(&stores, caches, &readiness, stop),
        external_secret::controller(env, asked_for, &readiness, stop),
    ];
    controllers.into_iter().fold(shared, Controller::beside)
}
