//! Workload identity: which application a ServiceAccount, or the operator's own pod, signs in as
//! (docs/identities.md; azure-workload-identity). Two rules: ESO's usual one, where two sources of an id are
//! a conflict even when they agree, and that of `useAzureSDK`, where the first that says something
//! counts.

use std::collections::BTreeMap;

use super::ids::{IdReader, IdSource, config};
use crate::api::azure_kv::ServiceAccountRef;
use crate::azure::Ambient;
use crate::azure::auth::application::Application;
use crate::azure::auth::federated::{Federated, TokenSource};
use crate::azure::auth::identity::Identity;
use crate::azure::cloud::Cloud;
use crate::provider::Error;

/// What Entra wants a federated token to be for, in every cloud but those that `audiences` name.
const EXCHANGE_AUDIENCE: &str = "api://AzureADTokenExchange";
const CLIENT_ID: &str = "azure.workload.identity/client-id";
const TENANT_ID: &str = "azure.workload.identity/tenant-id";

/// A ServiceAccount and what else the store says of its application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) cloud: Cloud,
    pub(super) reference: ServiceAccountRef,
    /// `clientId`, of either layout.
    pub(super) client_id: Option<IdSource>,
    /// Credentials are named, so that a missing client id is a fault.
    pub(super) names_credentials: bool,
    /// `authSecretRef.tenantId`.
    pub(super) tenant_in_secret: Option<IdSource>,
    /// `tenantId`.
    pub(super) tenant: Option<IdSource>,
    /// The rule of `useAzureSDK`.
    pub(super) first_wins: bool,
}

/// What is known of the application.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Ids {
    client_id: Option<String>,
    tenant_in_secret: Option<String>,
    tenant: Option<String>,
    ambient_tenant: Option<String>,
}

/// The operator's own identity.
pub(super) fn mounted(cloud: Cloud, ambient: &Ambient) -> Result<Identity, Error> {
    match (&ambient.client_id, &ambient.tenant_id, &ambient.token_file) {
        (Some(client_id), Some(tenant), Some(file)) => Ok(Identity::Federated(Federated {
            application: Application {
                cloud,
                tenant: tenant.clone(),
                client_id: client_id.clone(),
            },
            token: TokenSource::File(file.clone()),
        })),
        _ => Err(config(
            "missing environment variables. AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_FEDERATED_TOKEN_FILE must be set; label the operator's pod azure.workload.identity/use: \"true\", or name a serviceAccountRef".to_owned(),
        )),
    }
}

impl Account {
    /// The ServiceAccount is read first, as in ESO: without one nothing else counts.
    pub(super) async fn read(
        self,
        reader: &IdReader<'_>,
        ambient: &Ambient,
    ) -> Result<Identity, Error> {
        let ServiceAccountRef {
            name,
            namespace,
            audiences,
        } = &self.reference;
        let namespace = reader.namespace(namespace.as_deref()).ok_or_else(|| {
            config("spec.provider.azurekv.serviceAccountRef needs a namespace".to_owned())
        })?;
        let annotations = reader.credentials.annotations(namespace, name).await?;
        if self.names_credentials && self.client_id.is_none() && !self.first_wins {
            return Err(config(
                "missing accessKeyID/secretAccessKey in store config; write spec.provider.azurekv.authSecretRef.clientId, or leave authSecretRef out".to_owned(),
            ));
        }
        let ids = Ids {
            client_id: read(reader, "clientId", self.client_id.as_ref()).await?,
            tenant_in_secret: read(reader, "tenantId", self.tenant_in_secret.as_ref()).await?,
            tenant: read(reader, "tenantId", self.tenant.as_ref()).await?,
            ambient_tenant: ambient.tenant_id.clone(),
        };
        let account = format!("{namespace}/{name}");
        let client_id = ids.client_id(&annotations, &account, self.first_wins)?;
        let tenant = ids.tenant(&annotations, &account, self.first_wins)?;
        let exchange = std::iter::once(EXCHANGE_AUDIENCE.to_owned());
        Ok(Identity::Federated(Federated {
            application: Application {
                cloud: self.cloud,
                tenant,
                client_id,
            },
            token: TokenSource::ServiceAccount {
                namespace: namespace.to_owned(),
                name: name.clone(),
                audiences: exchange.chain(audiences.iter().cloned()).collect(),
                tokens: reader.credentials.tokens(),
            },
        }))
    }
}

async fn read(
    reader: &IdReader<'_>,
    field: &str,
    source: Option<&IdSource>,
) -> Result<Option<String>, Error> {
    match source {
        Some(source) => reader.id(field, source.clone()).await.map(Some),
        None => Ok(None),
    }
}

impl Ids {
    fn client_id(
        &self,
        annotations: &BTreeMap<String, String>,
        account: &str,
        first_wins: bool,
    ) -> Result<String, Error> {
        let annotated = annotation(annotations, CLIENT_ID);
        let found = match (&self.client_id, annotated) {
            (Some(_), Some(_)) if !first_wins => {
                return Err(config(format!(
                    "multiple clientID found. Check secretRef and serviceAccountRef: keep one of clientId and annotation {CLIENT_ID:?} of ServiceAccount {account}"
                )));
            }
            (_, Some(annotated)) => Some(annotated),
            (named, None) => named.clone(),
        };
        filled(found).ok_or_else(|| {
            config(format!(
                "missing clientID: either serviceAccountRef or service account annotation '{CLIENT_ID}' is missing; annotate ServiceAccount {account}"
            ))
        })
    }

    fn tenant(
        &self,
        annotations: &BTreeMap<String, String>,
        account: &str,
        first_wins: bool,
    ) -> Result<String, Error> {
        let annotated = annotation(annotations, TENANT_ID);
        let named = if first_wins {
            self.tenant
                .clone()
                .or_else(|| self.tenant_in_secret.clone())
        } else {
            self.tenant_in_secret
                .clone()
                .or_else(|| self.tenant.clone())
        };
        if !first_wins && named.is_some() && annotated.is_some() {
            return Err(config(format!(
                "multiple tenantID found. Check secretRef, 'spec.provider.azurekv.tenantId', and serviceAccountRef: keep one of tenantId and annotation {TENANT_ID:?} of ServiceAccount {account}"
            )));
        }
        let found = filled(named).or_else(|| filled(annotated));
        found.or_else(|| filled(self.ambient_tenant.clone())).ok_or_else(|| {
            config(format!(
                "missing tenantID in store config; write spec.provider.azurekv.tenantId, or annotate ServiceAccount {account} with {TENANT_ID:?}"
            ))
        })
    }
}

fn annotation(annotations: &BTreeMap<String, String>, name: &str) -> Option<String> {
    annotations.get(name).map(|value| value.trim().to_owned())
}

fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

#[cfg(test)]
#[path = "workload_tests.rs"]
mod tests;
