//! The ways to sign in. Each is a [`SignIn`]; how tokens are kept and failures remembered is the
//! same for all (`token`).

pub mod client_secret;

use async_trait::async_trait;
use azure_core::credentials::AccessToken;

/// One way to sign in as one identity.
#[async_trait]
pub trait SignIn: Send + Sync {
    /// Fetches a fresh token for `scope` (`https://vault.azure.net/.default`).
    async fn token(&self, scope: &str) -> azure_core::Result<AccessToken>;

    /// The sign-in service's host, for messages.
    fn host(&self) -> &str;
}
