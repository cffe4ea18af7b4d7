//! Who may talk to the control plane: kubeconfigs, clients, kubectl; and what it tells of itself.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::PostParams;
use kube::{Api, Client};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::time::timeout;

use super::{AuditEvent, AuditFilter, ControlPlane, audit};
use crate::kubeconfig;

/// Longer than any wait that a caller should leave to kubectl.
const KUBECTL_WITHIN: Duration = Duration::from_mins(2);

/// What a finished command said.
#[derive(Clone, Debug)]
pub struct Output {
    /// The exit code; -1 if a signal ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Output {
    /// Standard output of a command that exited with 0.
    ///
    /// # Errors
    /// Another exit code; the message has standard error.
    pub fn success(self) -> Result<String> {
        if self.code != 0 {
            bail!("exit code {}: {}", self.code, self.stderr.trim_end());
        }
        Ok(self.stdout)
    }
}

impl ControlPlane {
    /// A kubeconfig of the administrator, who bypasses RBAC: for the harness, not for what is tested.
    pub fn admin_kubeconfig(&self) -> &Path {
        &self.admin_kubeconfig
    }

    /// A new client of the administrator. It belongs to the current tokio runtime.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn admin_client(&self) -> Client {
        self.client()
            .expect("the same configuration made a client at start")
    }

    /// A new client with the rights of a kubeconfig. It belongs to the current tokio runtime.
    ///
    /// # Errors
    /// The file is not a kubeconfig.
    pub async fn client_from(&self, kubeconfig: &Path) -> Result<Client> {
        Client::try_from(kubeconfig::client_config(kubeconfig).await?).context("make a client")
    }

    /// A kubeconfig with a token of the ServiceAccount, made with its namespace if missing, which is
    /// the context's namespace, as it is a pod's. The token is a real one (`TokenRequest`), for the server's default audience; the server refuses
    /// less than ten minutes.
    ///
    /// # Errors
    /// The API server refuses or does not answer.
    pub async fn service_account_kubeconfig(
        &self,
        namespace: &str,
        name: &str,
        duration: Duration,
    ) -> Result<PathBuf> {
        let account = json!({"apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": name, "namespace": namespace}});
        let owner =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
        self.apply_yaml(&format!("{owner}\n---\n{account}\n"))
            .await?;
        let token = self
            .service_account_token(namespace, name, &[], duration)
            .await?;
        let path = self.state().join(format!("{namespace}-{name}.kubeconfig"));
        let user = json!({"token": token});
        kubeconfig::write(&path, &self.url, &self.ca_pem, &user, namespace)?;
        Ok(path)
    }

    /// A token of an existing ServiceAccount for these audiences (none: the server's own).
    ///
    /// # Errors
    /// The API server refuses or does not answer.
    pub async fn service_account_token(
        &self,
        namespace: &str,
        name: &str,
        audiences: &[&str],
        duration: Duration,
    ) -> Result<String> {
        let accounts: Api<ServiceAccount> = Api::namespaced(self.client()?, namespace);
        let audiences = audiences
            .iter()
            .map(|&audience| audience.to_owned())
            .collect();
        let expiration_seconds = Some(duration.as_secs().try_into()?);
        let spec = TokenRequestSpec {
            audiences,
            expiration_seconds,
            ..TokenRequestSpec::default()
        };
        let request = TokenRequest {
            spec,
            ..TokenRequest::default()
        };
        let made = accounts
            .create_token_request(name, &PostParams::default(), &request)
            .await;
        let made =
            made.with_context(|| format!("request a token of ServiceAccount {namespace}/{name}"))?;
        Ok(made.status.context("a TokenRequest without status")?.token)
    }

    /// A kubeconfig with a client certificate: a human with at most two groups and no rights but
    /// those that RBAC gives.
    ///
    /// # Errors
    /// More than two groups, or the file cannot be written.
    pub fn client_certificate_kubeconfig(&self, user: &str, groups: &[&str]) -> Result<PathBuf> {
        let path = self
            .state()
            .join(format!("user-{}.kubeconfig", user.replace('/', "_")));
        let entry = kubeconfig::certificate_user(&self.authority.issue(user, groups, &[])?);
        kubeconfig::write(&path, &self.url, &self.ca_pem, &entry, "default")?;
        Ok(path)
    }

    /// The kubectl binary.
    pub fn kubectl_path(&self) -> &Path {
        &self.binaries.kubectl
    }

    /// Runs kubectl as the administrator. A non-zero exit is an [`Output`], not an error.
    ///
    /// # Errors
    /// It cannot be run, or has not ended after two minutes.
    pub async fn kubectl<S: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = S>,
    ) -> Result<Output> {
        self.kubectl_as(&self.admin_kubeconfig, args, "").await
    }

    /// Runs kubectl with a kubeconfig and this text as its standard input (`-f -`).
    ///
    /// # Errors
    /// As [`ControlPlane::kubectl`].
    pub async fn kubectl_as<S: AsRef<OsStr>>(
        &self,
        kubeconfig: &Path,
        args: impl IntoIterator<Item = S>,
        stdin: &str,
    ) -> Result<Output> {
        let mut command = Command::new(self.kubectl_path());
        command
            .args(args)
            .env("KUBECONFIG", kubeconfig)
            .env("HOME", self.state())
            .kill_on_drop(true);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let run = async {
            let mut child = command.spawn()?;
            let mut pipe = child.stdin.take().expect("piped above");
            let feed = async move {
                // it may end without reading
                let _ = pipe.write_all(stdin.as_bytes()).await;
            };
            let ((), output) = tokio::join!(feed, child.wait_with_output());
            output
        };
        let finished = timeout(KUBECTL_WITHIN, run).await;
        let output = finished
            .with_context(|| format!("kubectl still runs after {KUBECTL_WITHIN:?}: {command:?}"))?;
        let output = output.context("run kubectl")?;
        Ok(Output {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// The API server's metrics in Prometheus' text format.
    ///
    /// # Errors
    /// The API server does not answer.
    pub async fn metrics(&self) -> Result<String> {
        self.get_text("/metrics").await
    }

    /// Where the audit log is, if it is on.
    pub fn audit_log(&self) -> Option<PathBuf> {
        self.layout.audit.then(|| self.layout.audit_log())
    }

    /// Every request so far, oldest first. An event is logged a moment after its request is
    /// answered.
    ///
    /// # Errors
    /// The audit log is off or cannot be read.
    pub fn audit_events(&self) -> Result<Vec<AuditEvent>> {
        audit::read(&self.audit_log().context("the audit log is off")?)
    }

    /// How many requests so far match the filter.
    ///
    /// # Errors
    /// As [`ControlPlane::audit_events`].
    pub fn audit_count(&self, filter: AuditFilter<'_>) -> Result<usize> {
        Ok(self
            .audit_events()?
            .iter()
            .filter(|event| filter.matches(event))
            .count())
    }
}
