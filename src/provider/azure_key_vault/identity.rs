//! Reads a service principal's ids and secret from the cluster, through the port
//! (spec: azure-key-vault.md 2.2, 2.3).

use super::config::{Source, config};
use crate::api::meta::SecretKeySelector;
use crate::azure::auth::client_secret::ClientSecret;
use crate::azure::cloud::Cloud;
use crate::credentials::CredentialReader;
use crate::provider::{Error, Scope};
use crate::secret::SecretValue;

/// A service principal with a client secret, as the store names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Principal {
    pub(super) cloud: Cloud,
    pub(super) tenant: Source,
    pub(super) client_id: Source,
    pub(super) secret: SecretKeySelector,
}

impl Principal {
    /// Fetches what is kept in Secrets. Ids are trimmed; of the secret only the line break that
    /// `base64` and editors leave behind.
    pub(super) async fn read(
        self,
        scope: &Scope,
        credentials: &dyn CredentialReader,
    ) -> Result<ClientSecret, Error> {
        let reader = Reader { scope, credentials };
        let client_id = reader.id("clientId", self.client_id).await?;
        let secret = reader.value("clientSecret", &self.secret).await?;
        let tenant = reader.id("tenantId", self.tenant).await?;
        let text = reader.text("clientSecret", &self.secret, &secret)?;
        let trimmed = text.trim_end_matches(['\r', '\n']);
        reader.refuse_empty("clientSecret", &self.secret, trimmed)?;
        Ok(ClientSecret {
            cloud: self.cloud,
            tenant,
            client_id,
            secret: SecretValue::new(trimmed),
        })
    }
}

struct Reader<'a> {
    scope: &'a Scope,
    credentials: &'a dyn CredentialReader,
}

impl Reader<'_> {
    async fn id(&self, field: &str, source: Source) -> Result<String, Error> {
        let selector = match source {
            Source::Literal(text) => return Ok(text),
            Source::FromSecret(selector) => selector,
        };
        let value = self.value(field, &selector).await?;
        let text = self.text(field, &selector, &value)?.trim();
        self.refuse_empty(field, &selector, text)?;
        Ok(text.to_owned())
    }

    async fn value(&self, field: &str, selector: &SecretKeySelector) -> Result<SecretValue, Error> {
        if selector.name.is_empty() || selector.key.is_empty() {
            return Err(config(format!(
                "spec.provider.azurekv: the reference of {field} lacks name or key; write both"
            )));
        }
        let namespace = self.namespace(selector).ok_or_else(|| {
            config(format!(
                "spec.provider.azurekv: the reference of {field} needs a namespace"
            ))
        })?;
        let value = self
            .credentials
            .secret_key(namespace, &selector.name, &selector.key)
            .await?;
        Ok(value)
    }

    /// A SecretStore reads its own namespace whatever the reference says.
    fn namespace<'s>(&'s self, selector: &'s SecretKeySelector) -> Option<&'s str> {
        match self.scope {
            Scope::Namespaced(own) => Some(own),
            Scope::Cluster { consumer } => {
                let named = selector.namespace.as_deref().filter(|ns| !ns.is_empty());
                named.or(consumer.as_deref())
            }
        }
    }

    fn text<'v>(
        &self,
        field: &str,
        selector: &SecretKeySelector,
        value: &'v SecretValue,
    ) -> Result<&'v str, Error> {
        value
            .expose_text()
            .ok_or_else(|| self.unusable(field, selector, "is not text"))
    }

    fn refuse_empty(
        &self,
        field: &str,
        selector: &SecretKeySelector,
        text: &str,
    ) -> Result<(), Error> {
        if text.is_empty() {
            return Err(self.unusable(field, selector, "is empty"));
        }
        Ok(())
    }

    fn unusable(&self, field: &str, selector: &SecretKeySelector, problem: &str) -> Error {
        let SecretKeySelector { name, key, .. } = selector;
        let namespace = self.namespace(selector).unwrap_or_default();
        config(format!(
            "{field}: key {key:?} of Secret {namespace}/{name} {problem}; put the value there"
        ))
    }
}
