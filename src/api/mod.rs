//! Wire types of the `external-secrets.io` kinds: serde, schemars, kube derive. No logic beyond accessors.

pub mod external_secret;
