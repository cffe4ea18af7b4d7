//! A real Kubernetes control plane for tests and the demo: etcd, `kube-apiserver` and
//! `kube-controller-manager` as child processes on loopback, and kubectl.
//!
//! [`ControlPlane::start`] finds or builds the binaries ([`assets`]), makes a PKI of its own, starts
//! the processes on free ports and returns when they are ready. RBAC, admission, the garbage
//! collector, namespace deletion and `TokenRequest` are the real ones. There is no kubelet: pods do
//! not run. This crate knows nothing of Keyferry.
//!
//! Nothing started through [`Process`] outlives this process, whatever ends it: a value dropped, a
//! panic, a plain exit with values left in statics, SIGKILL.

pub mod assets;
mod follow;
mod kubeconfig;
mod pki;
mod plane;
mod ports;
mod process;
mod procfs;
mod watchdog;

pub use follow::follow;
pub use plane::{AuditEvent, AuditFilter, Component, ControlPlane, Options, Output};
pub use ports::free_port;
pub use process::{Launch, Process};
pub use procfs::{Usage, age};
pub use rustix::process::Signal;
