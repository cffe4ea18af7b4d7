//! Reads who signs in from the cluster, through the port (docs/identities.md). What
//! is special about workload identity is in `workload`.

use super::ids::{IdReader, IdSource, config};
use super::workload::Account;
use crate::api::meta::SecretKeySelector;
use crate::azure::Ambient;
use crate::azure::auth::application::Application;
use crate::azure::auth::certificate::{self, ClientKey};
use crate::azure::auth::client_certificate::ClientCertificate;
use crate::azure::auth::client_secret::ClientSecret;
use crate::azure::auth::identity::Identity;
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
    pub(super) tenant: IdSource,
    pub(super) client_id: IdSource,
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
        let reader = IdReader { scope, credentials };
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
    async fn read(self, reader: &IdReader<'_>) -> Result<Identity, Error> {
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
            let certificate = certificate(reader, selector, &value).await?;
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

/// Certificate and key; the password of what is encrypted is kept beside it.
async fn certificate(
    reader: &IdReader<'_>,
    selector: &SecretKeySelector,
    value: &SecretValue,
) -> Result<ClientKey, Error> {
    let mut parsed = ClientKey::parse(value.expose(), None);
    let beside = SecretKeySelector {
        key: format!("{}.password", selector.key),
        ..selector.clone()
    };
    if parsed.as_ref().err() == Some(&certificate::Error::PasswordNeeded) {
        match reader.value("clientCertificate", &beside).await {
            Ok(password) => {
                let text = reader.text("clientCertificate", &beside, &password)?;
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
        let of = reader.place("clientCertificate", selector);
        config(format!(
            "failed to get oauth token from certificate auth: failed to decode certificate: {error} ({of}); {remedy}"
        ))
    })
}
