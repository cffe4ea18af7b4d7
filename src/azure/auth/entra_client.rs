//! What signing in at Entra has in common: the pipeline's options and the exchange of a signed
//! assertion for a token. Does not know who made the assertion.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::credentials::{AccessToken, TokenCredential as _};
use azure_core::http::{ClientMethodOptions, ClientOptions};
use azure_identity::{
    ClientAssertion, ClientAssertionCredential, ClientAssertionCredentialOptions,
};

use super::application::Application;
use crate::azure::cloud::Cloud;
use crate::azure::entra::KeepAnswer;
use crate::azure::http::Http;
use crate::secret::SecretValue;

/// Options for a credential of the SDK that signs in at `cloud`. The cloud is always named:
/// otherwise the pod's `AZURE_AUTHORITY_HOST` would override the store.
pub(super) fn options(cloud: &Cloud, http: &Http) -> ClientOptions {
    let mut custom = CustomConfiguration::default();
    cloud.authority().clone_into(&mut custom.authority_host);
    ClientOptions {
        cloud: Some(Arc::new(CloudConfiguration::Custom(custom))),
        per_try_policies: vec![Arc::new(KeepAnswer)],
        ..http.client_options()
    }
}

/// Shows an assertion to Entra. The credential is made for this one exchange: assertions are
/// short-lived, and the SDK's own cache cannot be emptied.
pub(super) async fn exchange(
    application: &Application,
    assertion: SecretValue,
    http: &Http,
    scope: &str,
) -> azure_core::Result<AccessToken> {
    let options = ClientAssertionCredentialOptions {
        client_options: options(&application.cloud, http),
    };
    let credential = ClientAssertionCredential::new(
        application.tenant.clone(),
        application.client_id.clone(),
        Shown(assertion),
        Some(options),
    )?;
    credential.get_token(&[scope], None).await
}

struct Shown(SecretValue);

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shown(..)")
    }
}

#[async_trait]
impl ClientAssertion for Shown {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        Ok(self.0.expose_text().unwrap_or_default().to_owned())
    }
}
