//! The controller's flags, under ESO's names where the meaning is the same, and its start.

mod durations;
mod ignored;
mod leadership;
mod metrics;
mod pace;
mod switches;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args as ClapArgs;
use futures::FutureExt as _;
use k8s_openapi::jiff::SignedDuration;

use super::templates::Templates;
use crate::azure::http::{Http, HttpSettings};
use crate::azure::{Ambient, Azure, AzureOptions, Observer};
use crate::controller::{Options, Providers, Setup};
use crate::kubernetes::client;
use crate::kubernetes::write_guard::WriteGuard;
use crate::lifecycle::Readiness;
use crate::runtime::admin::{self, Server};
use crate::runtime::leader::{Elector, Listeners};
use crate::runtime::{process, shutdown};
use crate::secret::SecretValue;
use crate::telemetry::{self, Format, Levels, Metrics};

use durations::{go_duration, positive_duration};
use ignored::WithoutEffect;
use leadership::Leadership;
use metrics::MetricsFlags;
use pace::Pace;

/// Flags of the controller.
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(flatten)]
    metrics: MetricsFlags,
    /// Address of /healthz and /readyz; 0 for none.
    #[arg(long, default_value = ":8082")]
    live_addr: String,
    /// Serve stores whose spec.controller is empty or this.
    #[arg(long, default_value = crate::api::meta::DEFAULT_CONTROLLER_CLASS)]
    controller_class: String,
    /// Watch this namespace only; empty for all.
    #[arg(long, default_value = "")]
    namespace: String,
    /// Reconciles at a time, per kind.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=1024))]
    concurrent: u16,
    /// Least severe log lines to write: trace, debug, info, warn, error, dpanic, panic or fatal. Modules
    /// may have another level, after a comma: `info,keyferry::provider=debug`.
    #[arg(long, value_name = "LEVEL[,MODULE=LEVEL]...", default_value = "info")]
    loglevel: Levels,
    /// How log lines are written.
    #[arg(long, value_enum, default_value_t = Format::Json)]
    log_format: Format,
    /// How often stores are validated, where they do not say themselves.
    #[arg(long, default_value = "5m", value_parser = positive_duration)]
    store_requeue_interval: SignedDuration,
    /// How old status.refreshTime may grow while nothing changes; 0s writes at each refresh.
    #[arg(long, default_value = "15m", value_parser = go_duration)]
    status_heartbeat: SignedDuration,
    /// How long before a secret, key or certificate of a vault ends a warning is given, once; 0s for
    /// none.
    #[arg(long, default_value = "720h", value_parser = go_duration)]
    expiry_warning: SignedDuration,
    /// How long reconciles that run at SIGTERM may take to finish; keep it below the pod's
    /// terminationGracePeriodSeconds (30) by 10s.
    #[arg(long, default_value = "20s", value_parser = go_duration)]
    shutdown_grace_period: SignedDuration,
    #[command(flatten)]
    leadership: Leadership,
    #[command(flatten)]
    templates: Templates,
    #[command(flatten)]
    switches: switches::Flags,
    /// A host besides *.vault.azure.net and its siblings that may be named in vaultUrl and get
    /// tokens; may be given several times.
    #[arg(long)]
    allow_vault_host: Vec<String>,
    #[command(flatten)]
    pace: Pace,
    #[command(flatten)]
    without_effect: WithoutEffect,
    #[command(flatten)]
    network: Network,
    #[command(flatten)]
    ambient: AmbientIdentity,
}

/// What the environment says of the operator's own identities, as the azure-workload-identity
/// webhook and App Service put it there.
#[derive(Debug, ClapArgs)]
struct AmbientIdentity {
    /// Client id of the operator's workload identity, as the webhook of azure-workload-identity sets it.
    #[arg(long, env = "AZURE_CLIENT_ID", hide = true)]
    azure_client_id: Option<String>,
    /// Tenant of the operator's workload identity.
    #[arg(long, env = "AZURE_TENANT_ID", hide = true)]
    azure_tenant_id: Option<String>,
    /// File with the token that the operator's workload identity shows; read at each sign-in.
    #[arg(long, env = "AZURE_FEDERATED_TOKEN_FILE", hide = true)]
    azure_federated_token_file: Option<PathBuf>,
    /// Where managed identities get tokens on App Service, in place of the metadata service.
    #[arg(long, env = "IDENTITY_ENDPOINT", hide = true)]
    identity_endpoint: Option<String>,
    /// What is sent along to it.
    #[arg(long, env = "IDENTITY_HEADER", hide = true, hide_env_values = true)]
    identity_header: Option<String>,
}

/// What the environment says of the network: the variables every operator behind a proxy honours.
#[derive(Debug, ClapArgs)]
struct Network {
    /// Proxy for requests to Azure and Entra.
    #[arg(long, env = "HTTPS_PROXY", hide = true)]
    https_proxy: Option<String>,
    /// Proxy for plain HTTP, which only the metadata service is asked by.
    #[arg(long, env = "HTTP_PROXY", hide = true)]
    http_proxy: Option<String>,
    /// Hosts, domains and addresses that are asked without a proxy; the API server's must be among them.
    #[arg(long, env = "NO_PROXY", hide = true)]
    no_proxy: Option<String>,
    /// PEM file of the CAs that are trusted, in place of the system's.
    #[arg(long, env = "SSL_CERT_FILE", hide = true)]
    ssl_cert_file: Option<PathBuf>,
}

/// Runs the controller until it is told to stop.
pub async fn run(args: Args) -> anyhow::Result<()> {
    telemetry::init_logging(&args.loglevel, args.log_format);
    args.without_effect.warn();
    let stop = shutdown::on_signal().context("cannot handle signals")?;
    let metrics = args.metrics.metrics()?;
    let readiness = Readiness::default();
    let config = client::config(args.network.no_proxy.as_deref()).await?;
    let mut servers = Vec::from_iter(args.metrics.server(&metrics, &config).await?);
    if let Some(address) = admin::address("--live-addr", &args.live_addr)? {
        servers.push(Server::health(address, readiness.clone()).await?);
    }
    let providers = Providers::new(Arc::new(azure(&args, &metrics)?), metrics.vaults.clone());
    let candidacy = args.leadership.candidacy(&config.default_namespace)?;
    let guard = match candidacy {
        None => WriteGuard::open(),
        Some(_) => WriteGuard::closed(),
    };
    let pace = args.pace.limit()?;
    let client = client::connect(config.clone(), &guard, pace, &metrics.requests)?;
    let listeners = Listeners {
        guard,
        metrics: metrics.clone(),
        readiness: readiness.clone(),
    };
    let elector = match candidacy {
        None => None,
        Some(candidacy) => {
            // the Lease itself is written to get the permission
            let client = client::connect(config, &WriteGuard::open(), None, &metrics.requests)?;
            Some(Elector::new(client, candidacy, listeners))
        }
    };
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        class = args.controller_class,
        "starting"
    );
    let setup = Setup {
        client,
        providers,
        metrics,
        options: options(&args),
        readiness,
        lead: std::future::ready(()).boxed(),
    };
    Ok(Box::pin(process::run(setup, elector, servers, stop)).await?)
}

fn azure(args: &Args, metrics: &Metrics) -> anyhow::Result<Azure> {
    let network = &args.network;
    let ambient = &args.ambient;
    let filled = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let file = |path: &Option<PathBuf>| path.clone().filter(|path| !path.as_os_str().is_empty());
    let settings = HttpSettings {
        https_proxy: filled(&network.https_proxy),
        http_proxy: filled(&network.http_proxy),
        no_proxy: filled(&network.no_proxy),
        ca_file: file(&network.ssl_cert_file),
        ..HttpSettings::default()
    };
    let options = AzureOptions {
        allowed_hosts: args
            .allow_vault_host
            .iter()
            .map(|host| host.to_lowercase())
            .collect(),
        observer: Arc::new(CountCalls(metrics.clone())),
        ambient: Ambient {
            client_id: filled(&ambient.azure_client_id),
            tenant_id: filled(&ambient.azure_tenant_id),
            token_file: file(&ambient.azure_federated_token_file),
            identity_endpoint: filled(&ambient.identity_endpoint),
            identity_header: filled(&ambient.identity_header).map(SecretValue::new),
        },
        ..AzureOptions::default()
    };
    Ok(Azure::new(
        Http::new(&settings).context("cannot build the HTTP client")?,
        options,
    ))
}

fn options(args: &Args) -> Options {
    Options {
        controller_class: args.controller_class.clone(),
        namespace: Some(args.namespace.clone()).filter(|namespace| !namespace.is_empty()),
        concurrent: args.concurrent,
        store_requeue_interval: args.store_requeue_interval.unsigned_abs(),
        status_heartbeat: args.status_heartbeat,
        expiry_warning: args.expiry_warning,
        shutdown_grace: args.shutdown_grace_period.unsigned_abs(),
        templates: args.templates.engine(),
        switches: args.switches.switches(),
    }
}

/// Counts under ESO's metric name.
struct CountCalls(Metrics);

impl Observer for CountCalls {
    fn provider_call(&self, call: &'static str, ok: bool) {
        self.0.provider_called("Azure/KeyVault", call, ok);
    }
}
