//! The processes of a control plane: their command lines, and nothing about when they run.

use std::path::{Path, PathBuf};

use crate::assets::Kubernetes;

/// A process of the control plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Component {
    /// The store.
    Etcd,
    /// The API server.
    ApiServer,
    /// Garbage collector, namespaces, service accounts, deployments and the like.
    ControllerManager,
}

impl Component {
    /// The name of the binary, which is also that of the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::ApiServer => "kube-apiserver",
            Self::ControllerManager => "kube-controller-manager",
        }
    }
}

/// What the command lines are made of. Ports are on 127.0.0.1.
pub(crate) struct Layout {
    pub(crate) state: PathBuf,
    pub(crate) etcd_port: u16,
    pub(crate) etcd_peer_port: u16,
    pub(crate) api_port: u16,
    pub(crate) manager_port: u16,
    pub(crate) audit: bool,
    pub(crate) api_server_args: Vec<String>,
}

/// Those that a bed without nodes has work for.
const CONTROLLERS: &str = "garbage-collector-controller,namespace-controller,serviceaccount-controller,\
    serviceaccount-token-controller,root-ca-certificate-publisher-controller,clusterrole-aggregation-controller,\
    deployment-controller,replicaset-controller,endpointslice-controller";

const AUDIT_POLICY: &str = "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\n\
    rules: [{level: Metadata}]\n";

impl Layout {
    /// A file of the PKI.
    pub(crate) fn pki(&self, file: &str) -> PathBuf {
        self.state.join("pki").join(file)
    }

    /// The API server's address, which is also the issuer of ServiceAccount tokens.
    pub(crate) fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.api_port)
    }

    /// The kubeconfig of kube-controller-manager.
    pub(crate) fn manager_kubeconfig(&self) -> PathBuf {
        self.state.join("controller-manager.kubeconfig")
    }

    /// Where the audit log is, if it is on.
    pub(crate) fn audit_log(&self) -> PathBuf {
        self.state.join("audit.log")
    }

    /// The text of the audit policy and where it belongs.
    pub(crate) fn audit_policy(&self) -> (PathBuf, &'static str) {
        (self.state.join("audit-policy.yaml"), AUDIT_POLICY)
    }

    /// The port where the component answers once it serves.
    pub(crate) fn port(&self, component: Component) -> u16 {
        match component {
            Component::Etcd => self.etcd_port,
            Component::ApiServer => self.api_port,
            Component::ControllerManager => self.manager_port,
        }
    }

    /// The binary and its flags.
    pub(crate) fn command<'a>(
        &self,
        component: Component,
        binaries: &'a Kubernetes,
    ) -> (&'a Path, Vec<String>) {
        match component {
            Component::Etcd => (&binaries.etcd, self.etcd()),
            Component::ApiServer => (&binaries.api_server, self.api_server()),
            Component::ControllerManager => {
                (&binaries.controller_manager, self.controller_manager())
            }
        }
    }

    fn etcd(&self) -> Vec<String> {
        let client = format!("http://127.0.0.1:{}", self.etcd_port);
        let peer = format!("http://127.0.0.1:{}", self.etcd_peer_port);
        vec![
            format!("--data-dir={}", self.state.join("etcd").display()),
            format!("--listen-client-urls={client}"),
            format!("--advertise-client-urls={client}"),
            format!("--listen-peer-urls={peer}"),
            format!("--initial-advertise-peer-urls={peer}"),
            format!("--initial-cluster=default={peer}"),
            "--unsafe-no-fsync".into(),
            "--quota-backend-bytes=4294967296".into(),
            "--log-level=warn".into(),
        ]
    }

    /// `--advertise-address` lets it start where loopback is the only network; without the endpoint
    /// reconciler that address is not published, which would be refused for ever.
    fn api_server(&self) -> Vec<String> {
        let url = self.url();
        let mut args = vec![
            format!("--etcd-servers=http://127.0.0.1:{}", self.etcd_port),
            "--bind-address=127.0.0.1".into(),
            "--advertise-address=127.0.0.1".into(),
            "--endpoint-reconciler-type=none".into(),
            format!("--secure-port={}", self.api_port),
            format!("--tls-cert-file={}", self.pki("apiserver.crt").display()),
            format!(
                "--tls-private-key-file={}",
                self.pki("apiserver.key").display()
            ),
            format!("--client-ca-file={}", self.pki("ca.crt").display()),
            "--service-cluster-ip-range=10.0.0.0/24".into(),
            "--allow-privileged=true".into(),
            "--authorization-mode=Node,RBAC".into(),
            "--anonymous-auth=true".into(),
            format!("--service-account-issuer={url}"),
            format!("--api-audiences={url}"),
            format!("--service-account-jwks-uri={url}/openid/v1/jwks"),
            format!(
                "--service-account-key-file={}",
                self.pki("sa.pub").display()
            ),
            format!(
                "--service-account-signing-key-file={}",
                self.pki("sa.key").display()
            ),
            "--profiling=false".into(),
        ];
        if self.audit {
            args.push(format!(
                "--audit-policy-file={}",
                self.audit_policy().0.display()
            ));
            args.push(format!("--audit-log-path={}", self.audit_log().display()));
        }
        args.extend_from_slice(&self.api_server_args);
        args
    }

    /// Each controller runs with its own bootstrap role, as in production.
    fn controller_manager(&self) -> Vec<String> {
        vec![
            format!("--kubeconfig={}", self.manager_kubeconfig().display()),
            "--leader-elect=false".into(),
            "--bind-address=127.0.0.1".into(),
            format!("--secure-port={}", self.manager_port),
            "--use-service-account-credentials=true".into(),
            format!(
                "--service-account-private-key-file={}",
                self.pki("sa.key").display()
            ),
            format!("--root-ca-file={}", self.pki("ca.crt").display()),
            format!("--controllers={CONTROLLERS}"),
        ]
    }
}
