//! Who signs in, whichever way, and by what identities are told apart. Signs nobody in.

use std::fmt;
use std::path::PathBuf;

use sha3::{Digest as _, Sha3_256};

use super::SignIn;
use super::application::Application;
use super::client_certificate::{CertificateSignIn, ClientCertificate};
use super::client_secret::{ClientSecret, ClientSecretSignIn};
use super::federated::{Federated, FederatedSignIn, TokenSource};
use super::managed_identity::{ManagedIdentity, ManagedSignIn, Service, UserAssigned};
use crate::azure::http::Http;

/// Who signs in, and with what. Debug shows no secret.
#[derive(Clone, Debug)]
pub enum Identity {
    /// An application with a client secret.
    ClientSecret(ClientSecret),
    /// An application with a certificate.
    ClientCertificate(ClientCertificate),
    /// An application that trusts another issuer's tokens (workload identity).
    Federated(Federated),
    /// An identity of the machine.
    Managed(ManagedIdentity),
}

/// Tells identities apart without holding a secret. Two identities never share anything.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct IdentityKey {
    authority: String,
    tenant: String,
    client_id: String,
    proof: Proof,
}

/// What an identity shows, never the thing itself where it is secret.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Proof {
    Secret([u8; 32]),
    Certificate([u8; 32]),
    ServiceAccount {
        namespace: String,
        name: String,
        audiences: Vec<String>,
    },
    TokenFile(PathBuf),
    Machine(Service, Option<UserAssigned>),
}

impl fmt::Debug for IdentityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.authority, self.tenant, self.client_id)
    }
}

impl Identity {
    /// The key under which this identity's tokens are kept. `salt` is one per process, so that
    /// hashes say nothing elsewhere.
    pub fn key(&self, salt: &[u8]) -> IdentityKey {
        let hash = |bytes: &[u8]| {
            let mut hasher = Sha3_256::new();
            hasher.update(salt);
            hasher.update(bytes);
            hasher.finalize().into()
        };
        match self {
            Self::ClientSecret(it) => key(&it.application, Proof::Secret(hash(it.secret.expose()))),
            Self::ClientCertificate(it) => {
                let shown = hash(&it.certificate.shown());
                key(&it.application, Proof::Certificate(shown))
            }
            Self::Federated(it) => key(&it.application, proof(&it.token)),
            Self::Managed(it) => IdentityKey {
                authority: String::new(),
                tenant: String::new(),
                client_id: String::new(),
                proof: Proof::Machine(it.service.clone(), it.user_assigned.clone()),
            },
        }
    }

    /// The way to sign in as this identity.
    pub(in crate::azure) fn sign_in(self, http: Http) -> Box<dyn SignIn> {
        match self {
            Self::ClientSecret(identity) => Box::new(ClientSecretSignIn::new(identity, http)),
            Self::ClientCertificate(identity) => Box::new(CertificateSignIn::new(identity, http)),
            Self::Federated(identity) => Box::new(FederatedSignIn::new(identity, http)),
            Self::Managed(identity) => Box::new(ManagedSignIn::new(identity, &http)),
        }
    }
}

fn key(application: &Application, proof: Proof) -> IdentityKey {
    IdentityKey {
        authority: application.cloud.authority().to_owned(),
        tenant: application.tenant.clone(),
        client_id: application.client_id.clone(),
        proof,
    }
}

fn proof(token: &TokenSource) -> Proof {
    match token {
        TokenSource::File(path) => Proof::TokenFile(path.clone()),
        TokenSource::ServiceAccount {
            namespace,
            name,
            audiences,
            ..
        } => Proof::ServiceAccount {
            namespace: namespace.clone(),
            name: name.clone(),
            audiences: audiences.clone(),
        },
    }
}

#[cfg(test)]
#[path = "identity_tests.rs"]
mod tests;
