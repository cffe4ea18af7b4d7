//! The bed: a real control plane with the kinds and the operator's role installed, and a fake Azure
//! in this process. It runs no operator; see `operator`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context as _, bail};
use azfake::AzFake;
use serde_json::{Value, json};
use testbed::ControlPlane;
use tokio::time::{Instant, sleep};

use super::cluster::{Cluster, array, text};
use super::settings::repository;
use crate::golden::documents;

/// The operator's ServiceAccount, as deploy/rbac.yaml makes it.
const NAMESPACE: &str = "external-secrets";
const ACCOUNT: &str = "keyferry";
/// The operator's kinds.
const KINDS: &str = "crds/bundle.yaml";
/// Longer than any test run.
const TOKEN_LIFE: Duration = Duration::from_hours(6);
const ESTABLISHED_WITHIN: Duration = Duration::from_secs(30);

/// Control plane, kinds, role and fake Azure.
pub(crate) struct Bed {
    plane: ControlPlane,
    azure: AzFake,
    cluster: Cluster,
    kubeconfig: PathBuf,
    ca_file: PathBuf,
    namespaces: AtomicU32,
}

/// What a bed is beside the usual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The kinds are installed; nobody counts requests.
    Usual,
    /// With an audit log.
    Audited,
    /// With an audit log, and with admission by `OwnerReferencesPermissionEnforcement`, as `OpenShift` has it.
    Strict,
    /// With an audit log and without the kinds, which [`Bed::define`] installs.
    Bare,
    /// With an audit log and nothing of the operator's, which a chart installs; [`Bed::sign_in`] comes after it.
    Empty,
}

impl Bed {
    /// Starts all of it; takes seconds once the control plane's binaries are built.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        Self::start_as(Kind::Usual).await
    }

    /// Starts a bed of this kind.
    pub(crate) async fn start_as(kind: Kind) -> anyhow::Result<Self> {
        let (mut manifests, mut definitions) = (Vec::new(), Vec::new());
        if matches!(kind, Kind::Usual | Kind::Audited | Kind::Strict) {
            manifests.push(read(KINDS)?);
            definitions = documents(&manifests[0])?;
        }
        if kind != Kind::Empty {
            manifests.push(read("deploy/rbac.yaml")?);
        }
        let enforcement = "--enable-admission-plugins=OwnerReferencesPermissionEnforcement";
        let is_strict = kind == Kind::Strict;
        let options = testbed::Options {
            manifests,
            audit: kind != Kind::Usual,
            api_server_args: is_strict
                .then(|| enforcement.to_owned())
                .into_iter()
                .collect(),
            ..testbed::Options::default()
        };
        let plane = ControlPlane::start(options)
            .await
            .context("control plane")?;
        let options = azfake::Options {
            sa_issuer: Some(plane.issuer().to_owned()),
            fixtures: Some(repository().join("tests/golden/fixtures")),
            ..azfake::Options::default()
        };
        let azure = AzFake::start(options).await.context("azfake")?;
        let cluster = Cluster::new(plane.admin_client());
        // federated tokens are held against the keys that the API server publishes
        let keys = cluster.request("GET", "/openid/v1/jwks", None).await?;
        let keys = serde_json::from_value(keys).context("the API server's keys")?;
        azure.control().jwks(plane.issuer(), Some(keys));
        let ca_file = plane.state().join("azure-ca.pem");
        std::fs::write(&ca_file, azure.ca_pem())?;
        established(&cluster, &definitions).await?;
        let kubeconfig = plane.state().join("nobody.kubeconfig");
        let mut bed = Self {
            plane,
            azure,
            cluster,
            kubeconfig,
            ca_file,
            namespaces: AtomicU32::new(0),
        };
        if kind != Kind::Empty {
            bed.sign_in(NAMESPACE, ACCOUNT).await?;
        }
        Ok(bed)
    }

    /// Who operators are from now on: this ServiceAccount.
    pub(crate) async fn sign_in(&mut self, namespace: &str, account: &str) -> anyhow::Result<()> {
        let made = self
            .plane
            .service_account_kubeconfig(namespace, account, TOKEN_LIFE);
        self.kubeconfig = made.await?;
        Ok(())
    }

    /// Installs the CRDs that `wanted` picks by name, and waits until they are served.
    pub(crate) async fn define(&self, wanted: impl Fn(&str) -> bool) -> anyhow::Result<()> {
        let mut definitions = documents(&read(KINDS)?)?;
        definitions.retain(|definition| wanted(text(&definition["metadata"]["name"])));
        for definition in &definitions {
            self.cluster.apply(definition, None).await?;
        }
        established(&self.cluster, &definitions).await
    }

    /// Applies cluster-scoped objects and waits for the kinds among them.
    pub(crate) async fn install(&self, yaml: &str) -> anyhow::Result<()> {
        let objects = documents(yaml)?;
        for object in &objects {
            self.cluster.apply(object, None).await?;
        }
        let is_kind = |object: &&Value| object["kind"] == "CustomResourceDefinition";
        let kinds: Vec<Value> = objects.iter().filter(is_kind).cloned().collect();
        established(&self.cluster, &kinds).await
    }

    /// The cluster as its administrator.
    pub(crate) fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// The processes behind the cluster.
    pub(crate) fn plane(&self) -> &ControlPlane {
        &self.plane
    }

    /// The fake Azure's controls.
    pub(crate) fn azure(&self) -> azfake::Control {
        self.azure.control()
    }

    /// What points an operator at this bed, and nothing else (crates/azfake/README.md).
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let mut environment = self.azure.environment(&self.ca_file);
        environment.push(("KUBECONFIG".into(), self.kubeconfig.display().to_string()));
        environment
    }

    /// A directory that goes with the bed.
    pub(crate) fn state(&self) -> &Path {
        self.plane.state()
    }

    /// A namespace that no other test uses.
    pub(crate) async fn namespace(&self, prefix: &str) -> anyhow::Result<String> {
        let name = format!(
            "{prefix}-{}",
            self.namespaces.fetch_add(1, Ordering::Relaxed)
        );
        let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        self.cluster.apply(&object, None).await?;
        Ok(name)
    }

    /// Puts content (as a case states it) into a vault.
    pub(crate) fn seed(&self, vault: &str, content: Value) -> anyhow::Result<()> {
        let content =
            serde_json::from_value(content).with_context(|| format!("content of vault {vault}"))?;
        Ok(self.azure().seed(vault, content)?)
    }

    /// Sets the fault or faults of a vault, a host or `*`; null clears.
    pub(crate) fn fault(&self, target: &str, fault: Value) -> anyhow::Result<()> {
        let faults = match fault {
            Value::Null => Vec::new(),
            Value::Array(faults) => faults,
            fault => vec![fault],
        };
        let faults = faults
            .into_iter()
            .map(serde_json::from_value)
            .collect::<Result<_, _>>();
        self.azure().faults(
            target,
            faults.with_context(|| format!("fault on {target}"))?,
        );
        Ok(())
    }

    /// Registers applications: tenant → client → application, or null to remove it.
    pub(crate) fn entra(&self, tenants: &Value) -> anyhow::Result<()> {
        for (tenant, clients) in tenants.as_object().into_iter().flatten() {
            for (client, app) in clients.as_object().into_iter().flatten() {
                let app = serde_json::from_value(app.clone())
                    .with_context(|| format!("application {client}"))?;
                self.azure().entra(tenant, client, app);
            }
        }
        Ok(())
    }

    /// The content of a vault.
    pub(crate) fn vault(&self, vault: &str) -> Value {
        json!(self.azure().dump(vault))
    }

    /// The content of all vaults whose labels begin so; only what clients wrote if asked.
    pub(crate) fn vaults(&self, prefix: &str, written_only: bool) -> BTreeMap<String, Value> {
        let all = self.azure().dump_all(prefix, written_only).into_iter();
        all.map(|(label, content)| (label, json!(content)))
            .collect()
    }

    /// Forgets the vaults whose labels begin so, with their faults.
    pub(crate) fn forget_vaults(&self, prefix: &str) {
        self.azure().reset(prefix);
    }

    /// Applies a multi-document YAML text into a namespace.
    pub(crate) async fn apply(&self, namespace: &str, yaml: &str) -> anyhow::Result<()> {
        for object in documents(yaml)? {
            self.cluster.apply(&object, Some(namespace)).await?;
        }
        Ok(())
    }
}

/// A file of the repository.
fn read(file: &str) -> anyhow::Result<String> {
    std::fs::read_to_string(repository().join(file)).with_context(|| format!("reading {file}"))
}

/// Waits until the kinds that were applied are served.
async fn established(cluster: &Cluster, definitions: &[Value]) -> anyhow::Result<()> {
    let end = Instant::now() + ESTABLISHED_WITHIN;
    for name in definitions
        .iter()
        .map(|definition| text(&definition["metadata"]["name"]))
    {
        let path = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}");
        loop {
            let definition = cluster.request("GET", &path, None).await?;
            let mut conditions = array(&definition["status"]["conditions"]);
            if conditions.any(|c| c["type"] == "Established" && c["status"] == "True") {
                break;
            }
            if Instant::now() > end {
                bail!("{name} is not established: {}", definition["status"]);
            }
            sleep(Duration::from_millis(100)).await;
        }
    }
    // discovery follows a moment later
    sleep(Duration::from_millis(500)).await;
    Ok(cluster.discover().await?)
}
