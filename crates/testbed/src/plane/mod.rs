//! A control plane as one value: bring-up, readiness, and its processes' life.
//! Who may talk to it is in `access`, what is put into it in `apply`.

mod access;
mod apply;
mod audit;
mod components;

use std::collections::BTreeMap;
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::{Api, Client, Config};
use parking_lot::Mutex;
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::assets::{self, Kubernetes};
use crate::kubeconfig::{self, write_private};
use crate::pki::{Authority, SigningKey};
use crate::process::{self, Launch, Process};
use crate::procfs::Usage;
use crate::{ports, watchdog};

pub use access::Output;
pub use audit::{AuditEvent, AuditFilter};
pub use components::Component;

use components::Layout;

/// On a busy machine with two cores the API server has been seen to need 20 s.
const READY_WITHIN: Duration = Duration::from_secs(90);
const PROBE_WITHIN: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(50);
const ATTEMPTS: usize = 3;
const LOG_LINES: usize = 30;
/// Lets verifiers read the issuer's discovery document and keys without a token.
const OIDC_BINDING: &str = r#"{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
    "metadata": {"name": "testbed:anonymous-issuer-discovery"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
        "name": "system:service-account-issuer-discovery"},
    "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:unauthenticated"}]}"#;

/// How a control plane is started.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Keep an audit log at level `Metadata`; see [`ControlPlane::audit_events`].
    pub audit: bool,
    /// Where logs, keys and etcd's data go: an empty or new directory, kept afterwards. Without it
    /// a temporary one that goes with the control plane.
    pub state: Option<PathBuf>,
    /// YAML texts applied before the controller manager starts. CRDs belong here: a running garbage
    /// collector looks for new kinds only every 30 s.
    pub manifests: Vec<String>,
    /// Further flags of the API server.
    pub api_server_args: Vec<String>,
}

/// A running control plane. Dropping it kills its processes and removes its temporary state.
pub struct ControlPlane {
    processes: Mutex<BTreeMap<Component, Process>>,
    binaries: Kubernetes,
    layout: Layout,
    authority: Authority,
    url: String,
    ca_pem: String,
    admin_kubeconfig: PathBuf,
    admin: Config,
    // last, so that the directory goes after the processes
    temporary: Option<TempDir>,
}

impl ControlPlane {
    /// Finds or builds the binaries (minutes, once per machine), then starts everything (seconds).
    ///
    /// # Errors
    /// Binaries missing and not buildable; a process that ends or is not ready in time (the message
    /// has the tail of its log).
    pub async fn start(options: Options) -> Result<Self> {
        let binaries =
            tokio::task::spawn_blocking(|| assets::kubernetes(&assets::to_stderr)).await??;
        let (state, temporary) = state_directory(options.state.as_deref())?;
        let mut attempt = 1;
        loop {
            match Self::start_in(&state, &options, binaries.clone()).await {
                Ok(mut plane) => {
                    plane.temporary = temporary;
                    return Ok(plane);
                }
                // somebody took a port between our look and the bind
                Err(error)
                    if attempt < ATTEMPTS
                        && format!("{error:#}").contains("address already in use") =>
                {
                    tracing::info!("a port was taken, starting again");
                    attempt += 1;
                    clear(&state)?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn start_in(state: &Path, options: &Options, binaries: Kubernetes) -> Result<Self> {
        let plane = Self::prepare(state, options, binaries).await?;
        plane.spawn(Component::Etcd)?;
        plane.spawn(Component::ApiServer)?;
        plane.wait_ready(Component::ApiServer).await?;
        plane.apply_yaml(OIDC_BINDING).await?;
        for text in &options.manifests {
            plane.apply_yaml(text).await?;
        }
        plane.start_component(Component::ControllerManager).await?;
        Ok(plane)
    }

    /// Ports, keys, kubeconfigs: all but processes.
    async fn prepare(state: &Path, options: &Options, binaries: Kubernetes) -> Result<Self> {
        let layout = Layout {
            state: state.to_owned(),
            etcd_port: ports::free_port()?,
            etcd_peer_port: ports::free_port()?,
            api_port: ports::free_port()?,
            manager_port: ports::free_port()?,
            audit: options.audit,
            api_server_args: options.api_server_args.clone(),
        };
        let (url, authority) = (layout.url(), Authority::new()?);
        let ca_pem = authority.pem();
        write_keys(&layout, &authority)?;
        let admin_kubeconfig = state.join("admin.kubeconfig");
        let users: [(&Path, &str, &[&str]); 2] = [
            (&admin_kubeconfig, "admin", &["system:masters"]),
            (
                &layout.manager_kubeconfig(),
                "system:kube-controller-manager",
                &[],
            ),
        ];
        for (path, name, groups) in users {
            let user = kubeconfig::certificate_user(&authority.issue(name, groups, &[])?);
            kubeconfig::write(path, &url, &ca_pem, &user, "default")?;
        }
        let admin = kubeconfig::client_config(&admin_kubeconfig).await?;
        let processes = Mutex::default();
        Ok(Self {
            processes,
            binaries,
            layout,
            authority,
            url,
            ca_pem,
            admin_kubeconfig,
            admin,
            temporary: None,
        })
    }

    /// The directory with logs (`NAME.log`), kubeconfigs, PKI and etcd's data.
    pub fn state(&self) -> &Path {
        &self.layout.state
    }

    /// `https://127.0.0.1:PORT` of the API server.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The issuer and the default audience of ServiceAccount tokens.
    pub fn issuer(&self) -> &str {
        &self.url
    }

    /// The certificate that the API server's stands on, PEM.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Starts a component that was killed, on its old port and data, and waits until it is ready.
    ///
    /// # Errors
    /// It runs already, ends, or is not ready in time (the message has the tail of its log).
    pub async fn start_component(&self, component: Component) -> Result<()> {
        self.spawn(component)?;
        self.wait_ready(component).await
    }

    /// Kills a component with SIGKILL, as a crash would. Nothing happens if it does not run.
    ///
    /// # Errors
    /// The process survives.
    pub fn kill_component(&self, component: Component) -> Result<()> {
        let process = self.processes.lock().remove(&component);
        process.map_or(Ok(()), |mut process| process.kill().map(drop))
    }

    /// SIGSTOP: the component keeps its connections and answers nothing.
    ///
    /// # Errors
    /// It does not run.
    pub fn pause(&self, component: Component) -> Result<()> {
        self.with(component, |process| process.signal(Signal::STOP))
    }

    /// SIGCONT, after [`ControlPlane::pause`].
    ///
    /// # Errors
    /// It does not run.
    pub fn resume(&self, component: Component) -> Result<()> {
        self.with(component, |process| process.signal(Signal::CONT))
    }

    /// Kills the API server with SIGKILL.
    ///
    /// # Errors
    /// As [`ControlPlane::kill_component`].
    pub fn kill_api_server(&self) -> Result<()> {
        self.kill_component(Component::ApiServer)
    }

    /// Starts the killed API server on the same port.
    ///
    /// # Errors
    /// As [`ControlPlane::start_component`].
    pub async fn start_api_server(&self) -> Result<()> {
        self.start_component(Component::ApiServer).await
    }

    /// Kills the API server and starts it again; returns when it is ready.
    ///
    /// # Errors
    /// As [`ControlPlane::kill_component`] and [`ControlPlane::start_component`].
    pub async fn restart_api_server(&self) -> Result<()> {
        self.kill_api_server()?;
        self.start_api_server().await
    }

    /// The process id of a component.
    ///
    /// # Errors
    /// It does not run.
    pub fn pid(&self, component: Component) -> Result<u32> {
        self.with(component, |process| Ok(process.pid()))
    }

    /// What a component has consumed since it was started.
    ///
    /// # Errors
    /// It does not run.
    pub fn usage(&self, component: Component) -> Result<Usage> {
        self.with(component, Process::usage)
    }

    fn with<T>(&self, component: Component, act: impl FnOnce(&Process) -> Result<T>) -> Result<T> {
        let processes = self.processes.lock();
        act(processes
            .get(&component)
            .with_context(|| format!("{} does not run", component.name()))?)
    }

    fn log(&self, component: Component) -> PathBuf {
        self.layout.state.join(format!("{}.log", component.name()))
    }

    fn spawn(&self, component: Component) -> Result<()> {
        let mut processes = self.processes.lock();
        let runs = processes.get(&component).is_some_and(Process::is_running);
        ensure!(!runs, "{} runs already", component.name());
        let (program, args) = self.layout.command(component, &self.binaries);
        let process = Process::spawn(Launch::new(program, self.log(component)).args(args))?;
        processes.insert(component, process);
        Ok(())
    }

    async fn wait_ready(&self, component: Component) -> Result<()> {
        let end = Instant::now() + READY_WITHIN;
        loop {
            let probe = timeout(PROBE_WITHIN, self.probe(component)).await;
            let problem = match probe {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) => format!("{error:#}"),
                Err(_) => format!("no answer within {PROBE_WITHIN:?}"),
            };
            let name = component.name();
            let dead = self
                .processes
                .lock()
                .iter()
                .find(|(_, process)| !process.is_running())
                .map(|(&dead, _)| dead);
            if let Some(dead) = dead {
                let tail = process::tail(&self.log(dead), LOG_LINES);
                bail!(
                    "{} ended while {name} was to become ready\n{tail}",
                    dead.name()
                );
            }
            if Instant::now() > end {
                let tail = process::tail(&self.log(component), LOG_LINES);
                bail!("{name} is not ready after {READY_WITHIN:?}: {problem}\n{tail}");
            }
            sleep(POLL).await;
        }
    }

    async fn probe(&self, component: Component) -> Result<()> {
        TcpStream::connect((Ipv4Addr::LOCALHOST, self.layout.port(component))).await?;
        match component {
            Component::Etcd => {}
            Component::ApiServer => drop(self.get_text("/readyz").await?),
            // nothing works in a namespace before it has one
            Component::ControllerManager => {
                let accounts: Api<ServiceAccount> = Api::namespaced(self.client()?, "default");
                accounts.get("default").await?;
            }
        }
        Ok(())
    }

    fn client(&self) -> Result<Client> {
        Client::try_from(self.admin.clone()).context("make the administrator's client")
    }

    async fn get_text(&self, path: &str) -> Result<String> {
        let request = http::Request::get(path).body(Vec::new())?;
        self.client()?
            .request_text(request)
            .await
            .with_context(|| format!("get {path}"))
    }
}

/// The given directory, which must be empty, or a temporary one.
fn state_directory(given: Option<&Path>) -> Result<(PathBuf, Option<TempDir>)> {
    let Some(path) = given else {
        let temporary = tempfile::Builder::new()
            .prefix("testbed-")
            .tempdir()
            .context("make a temporary directory")?;
        let path = temporary.path().canonicalize()?;
        watchdog::watch_directory(&path)?;
        return Ok((path, Some(temporary)));
    };
    fs::create_dir_all(path).with_context(|| format!("make {}", path.display()))?;
    ensure!(
        fs::read_dir(path)?.next().is_none(),
        "state directory {} is not empty",
        path.display()
    );
    Ok((path.canonicalize()?, None))
}

/// Removes what the processes of a failed attempt left.
fn clear(state: &Path) -> Result<()> {
    for entry in fs::read_dir(state)? {
        let path = entry?.path();
        let removed = if path.is_dir() {
            fs::remove_dir_all(&path)
        } else {
            fs::remove_file(&path)
        };
        removed.with_context(|| format!("remove {}", path.display()))?;
    }
    Ok(())
}

fn write_keys(layout: &Layout, authority: &Authority) -> Result<()> {
    fs::create_dir_all(layout.pki("")).context("make the PKI directory")?;
    let hosts = [
        "127.0.0.1",
        "localhost",
        "kubernetes.default.svc",
        "kubernetes.default",
        "10.0.0.1",
    ];
    let server = authority.issue("kube-apiserver", &[], &hosts)?;
    let signing = SigningKey::generate()?;
    write_private(&layout.pki("ca.crt"), authority.pem().as_bytes())?;
    write_private(&layout.pki("apiserver.crt"), server.certificate.as_bytes())?;
    write_private(&layout.pki("apiserver.key"), server.key.as_bytes())?;
    write_private(&layout.pki("sa.key"), signing.private.as_bytes())?;
    write_private(&layout.pki("sa.pub"), signing.public.as_bytes())?;
    if layout.audit {
        let (path, text) = layout.audit_policy();
        write_private(&path, text.as_bytes())?;
    }
    Ok(())
}
