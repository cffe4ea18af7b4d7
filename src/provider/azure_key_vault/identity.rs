//! Reads who signs in from the cluster, through the port (spec: azure-key-vault.md 2.2 to 2.5). What
//! is special about workload identity stands in `workload`.

use super::config::{Source, config};
use super::workload::Account;
use crate::api::meta::SecretKeySelector;
use crate::azure::Ambient;
use crate::azure::auth::certificate::{self, ClientKey};
use crate::azure::auth::client_certificate::ClientCertificate;
use crate::azure::auth::client_secret::ClientSecret;
use crate::azure::auth::identity::{Application, Identity};
use crate::azure::auth::managed_identity::{ManagedIdentity, Service, UserAssigned};
use crate::azure::cloud::Cloud;
use crate::credentials::{self, CredentialReader};
use crate::provider::{Error, Scope};
use crate::secret::SecretValue;

/// Who signs in, as the store names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SignInAs {
    /// A service principal.
    Principal(Principal),
    /// An identity of the machine.
    Managed(Option<UserAssigned>),
    /// The operator's own projected token.
    Mounted(Cloud),
    /// A ServiceAccount.
    Account(Account),
}

/// A service principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Principal {
    pub(super) cloud: Cloud,
    pub(super) tenant: Source,
    pub(super) client_id: Source,
    pub(super) proof: Proof,
}

/// What a service principal shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    Secret(SecretKeySelector),
    Certificate(SecretKeySelector),
}

impl SignInAs {
    /// Fetches what is kept in the cluster; `ambient` is what the operator itself was given.
    pub(super) async fn read(
        self,
        scope: &Scope,
        credentials: &dyn CredentialReader,
        ambient: &Ambient,
    ) -> Result<Identity, Error> {
        let reader = Reader { scope, credentials };
        match self {
            Self::Principal(principal) => principal.read(&reader).await,
            Self::Managed(user_assigned) => managed(user_assigned, ambient),
            Self::Mounted(cloud) => super::workload::mounted(cloud, ambient),
            Self::Account(account) => account.read(&reader, ambient).await,
        }
    }
}

impl Principal {
    /// Ids are trimmed; of the secret only the line break that `base64` and editors leave behind.
    async fn read(self, reader: &Reader<'_>) -> Result<Identity, Error> {
        let client_id = reader.id("clientId", self.client_id).await?;
        let (field, selector) = match &self.proof {
            Proof::Secret(selector) => ("clientSecret", selector),
            Proof::Certificate(selector) => ("clientCertificate", selector),
        };
        let value = reader.value(field, selector).await?;
        let tenant = reader.id("tenantId", self.tenant).await?;
        let application = Application {
            cloud: self.cloud,
            tenant,
            client_id,
        };
        if let Proof::Certificate(_) = &self.proof {
            let certificate = reader.certificate(selector, &value).await?;
            return Ok(Identity::ClientCertificate(ClientCertificate {
                application,
                certificate,
            }));
        }
        let trimmed = trimmed(reader.text(field, selector, &value)?);
        reader.refuse_empty(field, selector, trimmed)?;
        Ok(Identity::ClientSecret(ClientSecret {
            application,
            secret: SecretValue::new(trimmed),
        }))
    }
}

fn managed(user_assigned: Option<UserAssigned>, ambient: &Ambient) -> Result<Identity, Error> {
    let service = match (&ambient.identity_endpoint, &ambient.identity_header) {
        (None, _) => Service::Machine,
        (Some(endpoint), Some(_)) => Service::AppService(endpoint.clone()),
        (Some(_), None) => {
            return Err(config(
                "IDENTITY_ENDPOINT is set in the operator's environment without IDENTITY_HEADER; managed identity is served on virtual machines and App Service only, use WorkloadIdentity or ServicePrincipal".to_owned(),
            ));
        }
    };
    let header = match &service {
        Service::Machine => None,
        Service::AppService(_) => ambient.identity_header.clone(),
    };
    Ok(Identity::Managed(ManagedIdentity {
        service,
        header,
        user_assigned,
    }))
}

fn trimmed(text: &str) -> &str {
    text.trim_end_matches(['\r', '\n'])
}

/// Reads for one store.
pub(super) struct Reader<'a> {
    pub(super) scope: &'a Scope,
    pub(super) credentials: &'a dyn CredentialReader,
}

impl Reader<'_> {
    pub(super) async fn id(&self, field: &str, source: Source) -> Result<String, Error> {
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

    /// Certificate and key; the password of what is encrypted is kept beside it.
    async fn certificate(
        &self,
        selector: &SecretKeySelector,
        value: &SecretValue,
    ) -> Result<ClientKey, Error> {
        let mut parsed = ClientKey::parse(value.expose(), None);
        let beside = SecretKeySelector {
            key: format!("{}.password", selector.key),
            ..selector.clone()
        };
        if parsed.as_ref().err() == Some(&certificate::Error::PasswordNeeded) {
            match self.value("clientCertificate", &beside).await {
                Ok(password) => {
                    let text = self.text("clientCertificate", &beside, &password)?;
                    let password = trimmed(text).as_bytes();
                    parsed = ClientKey::parse(value.expose(), Some(password));
                }
                Err(Error::Credential(credentials::Error::NoKey { .. })) => {}
                Err(error) => return Err(error),
            }
        }
        parsed.map_err(|error| {
            let remedy = match error {
                certificate::Error::PasswordNeeded | certificate::Error::WrongPassword => {
                    format!("put its password into key {:?} of the same Secret", beside.key)
                }
                _ => "put the certificate and its RSA key there, in PEM or PKCS#12".to_owned(),
            };
            let of = self.place("clientCertificate", selector);
            config(format!(
                "failed to get oauth token from certificate auth: failed to decode certificate: {error} ({of}); {remedy}"
            ))
        })
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
        let of = self.place(field, selector);
        config(format!("{of} {problem}; put the value there"))
    }

    fn place(&self, field: &str, selector: &SecretKeySelector) -> String {
        let SecretKeySelector {
            name,
            key,
            namespace,
        } = selector;
        let namespace = self.namespace(namespace.as_deref()).unwrap_or_default();
        format!("{field}: key {key:?} of Secret {namespace}/{name}")
    }
}
