//! The ways to sign in. Each is a [`SignIn`]; how tokens are kept and failures remembered is the
//! same for all (`token`).

pub mod application;
pub mod certificate;
pub mod client_certificate;
pub mod client_secret;
mod entra_client;
pub mod federated;
pub mod identity;
pub mod managed_identity;

use async_trait::async_trait;
use azure_core::credentials::AccessToken;

use super::entra::Failure;

/// One way to sign in as one identity.
#[async_trait]
pub trait SignIn: Send + Sync {
    /// Fetches a fresh token for `scope` (`https://vault.azure.net/.default`).
    async fn token(&self, scope: &str) -> Result<AccessToken, Failure>;

    /// The sign-in service's host, for messages.
    fn host(&self) -> &str;
}
