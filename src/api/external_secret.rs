//! ExternalSecret.

/// Which remote object a value comes from (spec: external-secrets.md 1.4).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RemoteRef {
    /// The remote object's name.
    pub key: String,
}
