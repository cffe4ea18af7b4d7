//! `kube::Api` calls that the controllers share. Decides nothing.

pub mod client;
pub mod credentials;
pub mod events;
pub mod manifests;
pub mod secrets;
pub mod status;
