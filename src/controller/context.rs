//! What every controller is given: passed, never global. Knows no kind.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::jiff::SignedDuration;
use kube::Client;

use crate::clock::Clock;
use crate::kubernetes::events::Recorder;
use crate::telemetry::Metrics;
use crate::template::Engine;

/// What the flags say.
#[derive(Clone, Debug)]
pub struct Options {
    /// `--controller-class`
    pub controller_class: String,
    /// `--namespace`; `None` is all.
    pub namespace: Option<String>,
    /// `--concurrent`: reconciles at a time, per kind.
    pub concurrent: u16,
    /// `--store-requeue-interval`
    pub store_requeue_interval: Duration,
    /// `--status-heartbeat`: how old `status.refreshTime` may grow while nothing changes.
    pub status_heartbeat: SignedDuration,
    /// `--expiry-warning`: how long before an object of a vault expires a warning is given; zero: never.
    pub expiry_warning: SignedDuration,
    /// `--shutdown-grace-period`: how long reconciles that run when the process is asked to stop may take.
    pub shutdown_grace: Duration,
    /// `--template-left-delimiter` and `--template-right-delimiter`.
    pub templates: Engine,
    /// What is switched on and off.
    pub switches: Switches,
}

/// The parts that flags switch on and off, by ESO's flags.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "they are switches")]
pub struct Switches {
    /// ClusterSecretStores are served.
    pub cluster_stores: bool,
    /// SecretStores are validated; else they are used if somebody else found them ready.
    pub secret_store_validation: bool,
    /// Stores are read from only while they are ready.
    pub flood_gate: bool,
    /// Targets may be other than Secrets.
    pub generic_targets: bool,
    /// Kinds that are not served and shall not be missed.
    pub off: Vec<&'static str>,
}

/// Shared by all controllers; cheap to clone.
#[derive(Clone)]
pub struct Context {
    /// The cluster.
    pub client: Client,
    /// The time.
    pub clock: Clock,
    /// The flags.
    pub options: Arc<Options>,
    /// The metric families.
    pub metrics: Metrics,
    /// Events, with ExternalSecret's component.
    pub recorder: Recorder,
}

impl Context {
    /// Whether a store of `class` is this controller's.
    pub fn is_ours(&self, class: Option<&str>) -> bool {
        class.is_none_or(|class| class.is_empty() || class == self.options.controller_class)
    }
}
