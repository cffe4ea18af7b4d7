//! Ids and secrets of an identity, written in the store or kept in Secrets. Knows no identity.

use crate::api::meta::SecretKeySelector;
use crate::credentials::CredentialReader;
use crate::provider::{Error, Scope};
use crate::secret::SecretValue;

/// Where an id comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum IdSource {
    /// Written in the store.
    Literal(String),
    /// Kept in a Secret.
    FromSecret(SecretKeySelector),
}

/// The block cannot work as written.
pub(super) fn config(message: String) -> Error {
    Error::Config { message }
}

/// Reads for one store.
pub(super) struct IdReader<'a> {
    pub(super) scope: &'a Scope,
    pub(super) credentials: &'a dyn CredentialReader,
}

impl IdReader<'_> {
    pub(super) async fn id(&self, field: &str, source: IdSource) -> Result<String, Error> {
        let selector = match source {
            IdSource::Literal(text) => return Ok(text),
            IdSource::FromSecret(selector) => selector,
        };
        let value = self.value(field, &selector).await?;
        let text = self.text(field, &selector, &value)?.trim();
        self.refuse_empty(field, &selector, text)?;
        Ok(text.to_owned())
    }

    pub(super) async fn value(
        &self,
        field: &str,
        selector: &SecretKeySelector,
    ) -> Result<SecretValue, Error> {
        if selector.name.is_empty() || selector.key.is_empty() {
            return Err(config(format!(
                "spec.provider.azurekv: the reference of {field} lacks name or key; write both"
            )));
        }
        let namespace = self.namespace(selector.namespace.as_deref());
        let namespace = namespace.ok_or_else(|| {
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
    pub(super) fn namespace<'s>(&'s self, named: Option<&'s str>) -> Option<&'s str> {
        match self.scope {
            Scope::Namespaced(own) => Some(own),
            Scope::Cluster { consumer } => {
                named.filter(|ns| !ns.is_empty()).or(consumer.as_deref())
            }
        }
    }

    pub(super) fn text<'v>(
        &self,
        field: &str,
        selector: &SecretKeySelector,
        value: &'v SecretValue,
    ) -> Result<&'v str, Error> {
        value
            .expose_text()
            .ok_or_else(|| self.unusable(field, selector, "is not text"))
    }

    pub(super) fn refuse_empty(
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

    pub(super) fn unusable(
        &self,
        field: &str,
        selector: &SecretKeySelector,
        problem: &str,
    ) -> Error {
        let of = self.place(field, selector);
        config(format!("{of} {problem}; put the value there"))
    }

    pub(super) fn place(&self, field: &str, selector: &SecretKeySelector) -> String {
        let SecretKeySelector {
            name,
            key,
            namespace,
        } = selector;
        let namespace = self.namespace(namespace.as_deref()).unwrap_or_default();
        format!("{field}: key {key:?} of Secret {namespace}/{name}")
    }
}
