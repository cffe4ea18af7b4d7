//! From the wire block to a checked configuration: both credential layouts become one form
//! (spec: azure-key-vault.md 1.6, 1.7, 2.1). Pure; reads no credential. Texts begin as ESO's do.

use crate::api::azure_kv::{
    AuthType, AzureKv, Credential, CredentialError, CredentialField, EnvironmentType,
};
use crate::api::meta::SecretKeySelector;
use crate::azure::cloud::{Cloud, https_origin};
use crate::provider::{Error, Scope};

use super::identity::Principal;

const BLOCK: &str = "spec.provider.azurekv";

/// A vault that may be given tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Vault {
    /// `https://kv.vault.azure.net/`.
    pub(super) url: String,
    /// `kv.vault.azure.net`.
    pub(super) host: String,
    /// The cloud it is in.
    pub(super) cloud: Cloud,
}

/// Where an id comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// Written in the store.
    Literal(String),
    /// Kept in a Secret.
    FromSecret(SecretKeySelector),
}

/// The block, checked as far as it can be without asking anybody.
#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) vault: Vault,
    auth_type: AuthType,
    tenant: Option<Source>,
    client_id: Option<Source>,
    client_secret: Option<SecretKeySelector>,
    client_certificate: Option<SecretKeySelector>,
    /// A service account is named without a namespace.
    has_free_service_account: bool,
    names_credentials: bool,
}

impl Config {
    /// Checks `spec` as used by a store of `scope`. `allowed_hosts` may be vaults beside those of
    /// the clouds.
    pub(super) fn parse(
        spec: &AzureKv,
        scope: &Scope,
        allowed_hosts: &[String],
    ) -> Result<Self, Error> {
        let layout = Layout::of(spec)?;
        let account = spec.service_account_ref.as_ref();
        if let Scope::Namespaced(own) = scope {
            layout.check_namespaces(own)?;
            check_namespace(
                "ServiceAccountRef",
                account.and_then(|account| account.namespace.as_deref()),
                own,
            )?;
        }
        let cloud = cloud(spec)?;
        let vault = vault(&spec.vault_url, cloud, allowed_hosts)?;
        Ok(Self {
            vault,
            auth_type: spec.auth_type.clone(),
            tenant: layout.tenant,
            client_id: layout.client_id,
            client_secret: layout.client_secret,
            client_certificate: layout.client_certificate,
            has_free_service_account: account.is_some_and(|account| account.namespace.is_none()),
            names_credentials: layout.names_credentials,
        })
    }

    /// Refuses ways to sign in that are not served.
    pub(super) fn refuse_unsupported(&self) -> Result<(), Error> {
        match &self.auth_type {
            AuthType::ServicePrincipal => Ok(()),
            AuthType::ManagedIdentity | AuthType::WorkloadIdentity => Err(config(format!(
                "{BLOCK}.authType: {} is not supported yet; use ServicePrincipal with tenantId, authSecretRef.clientId and authSecretRef.clientSecret",
                String::from(self.auth_type.clone())
            ))),
            AuthType::Unknown(_) => Err(config(format!(
                "cannot initialize Azure Client: no valid authType was specified; write {BLOCK}.authType: ServicePrincipal"
            ))),
        }
    }

    /// Whether the credentials come from each consumer's namespace and `scope` names none.
    pub(super) fn is_referent(&self, scope: &Scope) -> bool {
        let unbound = |selector: &SecretKeySelector| selector.namespace.is_none();
        let unbound_source = |source: &Option<Source>| match source {
            Some(Source::FromSecret(selector)) => unbound(selector),
            _ => false,
        };
        matches!(scope, Scope::Cluster { consumer: None })
            && (unbound_source(&self.client_id)
                || unbound_source(&self.tenant)
                || self.client_secret.as_ref().is_some_and(unbound)
                || self.client_certificate.as_ref().is_some_and(unbound)
                || self.has_free_service_account)
    }

    /// The service principal, where the block names all of it (spec 2.3, ESO's order).
    pub(super) fn principal(&self) -> Result<Principal, Error> {
        let tenant = self.tenant.clone().ok_or_else(|| {
            config(format!(
                "missing tenantID in store config; write {BLOCK}.tenantId"
            ))
        })?;
        if !self.names_credentials {
            return Err(config(format!(
                "missing secretRef in provider config; write {BLOCK}.authSecretRef.clientId and .clientSecret"
            )));
        }
        match (
            self.client_id.clone(),
            &self.client_secret,
            &self.client_certificate,
        ) {
            (Some(client_id), Some(secret), None) => Ok(Principal {
                cloud: self.vault.cloud.clone(),
                tenant,
                client_id,
                secret: secret.clone(),
            }),
            (Some(_), None, Some(_)) => Err(config(format!(
                "{BLOCK}.authSecretRef.clientCertificate is not supported yet; use clientSecret"
            ))),
            (Some(_), Some(_), Some(_)) => Err(config(
                "both clientSecret and clientCredentials set; keep one of clientSecret and clientCertificate".to_owned(),
            )),
            _ => Err(config(format!(
                "missing accessKeyID/secretAccessKey in store config; write {BLOCK}.authSecretRef.clientId and .clientSecret"
            ))),
        }
    }
}

/// Both layouts, merged (spec 1.6).
struct Layout {
    tenant: Option<Source>,
    client_id: Option<Source>,
    client_secret: Option<SecretKeySelector>,
    client_certificate: Option<SecretKeySelector>,
    names_credentials: bool,
}

impl Layout {
    fn of(spec: &AzureKv) -> Result<Self, Error> {
        let refs = spec.auth_secret_ref.clone().unwrap_or_default();
        let names_credentials = spec.auth_secret_ref.is_some()
            || spec.client_id.is_some()
            || spec.client_secret.is_some()
            || spec.client_certificate.is_some();
        Ok(Self {
            tenant: tenant(spec.tenant_id.as_ref(), refs.tenant_id)?,
            client_id: either(
                "clientId",
                id("clientId", spec.client_id.as_ref())?,
                refs.client_id.map(Source::FromSecret),
            )?,
            client_secret: either(
                "clientSecret",
                secret("clientSecret", spec.client_secret.as_ref())?,
                refs.client_secret,
            )?,
            client_certificate: either(
                "clientCertificate",
                secret("clientCertificate", spec.client_certificate.as_ref())?,
                refs.client_certificate,
            )?,
            names_credentials,
        })
    }

    /// As ESO, which asks only these two: the namespace of the others is ignored.
    fn check_namespaces(&self, own: &str) -> Result<(), Error> {
        if let Some(Source::FromSecret(selector)) = &self.client_id {
            check_namespace("AuthSecretRef.ClientID", selector.namespace.as_deref(), own)?;
        }
        let secret = self.client_secret.as_ref();
        let namespace = secret.and_then(|selector| selector.namespace.as_deref());
        check_namespace("AuthSecretRef.ClientSecret", namespace, own)
    }
}

fn tenant(
    field: Option<&CredentialField>,
    reference: Option<SecretKeySelector>,
) -> Result<Option<Source>, Error> {
    let reference = reference.map(Source::FromSecret);
    match id("tenantId", field)? {
        // for a service principal the literal wins, as ESO ignores the reference
        Some(Source::Literal(tenant)) => Ok(Some(Source::Literal(tenant))),
        other => either("tenantId", other, reference),
    }
}

/// A top-level id: text that says something, or a reference.
fn id(name: &str, field: Option<&CredentialField>) -> Result<Option<Source>, Error> {
    let Some(field) = field else { return Ok(None) };
    let parsed = field.parse(&format!("{BLOCK}.{name}"));
    Ok(match parsed.map_err(|error| malformed(&error))? {
        Credential::Literal(text) => {
            let text = text.trim();
            (!text.is_empty()).then(|| Source::Literal(text.to_owned()))
        }
        Credential::FromSecret(selector) => Some(Source::FromSecret(selector)),
    })
}

/// A top-level secret: a reference only.
fn secret(name: &str, field: Option<&CredentialField>) -> Result<Option<SecretKeySelector>, Error> {
    let parsed = field.map(|field| field.parse_reference(&format!("{BLOCK}.{name}")));
    parsed.transpose().map_err(|error| malformed(&error))
}

fn either<T>(name: &str, top: Option<T>, reference: Option<T>) -> Result<Option<T>, Error> {
    match (top, reference) {
        (Some(_), Some(_)) => Err(config(format!(
            "{BLOCK}.{name} and {BLOCK}.authSecretRef.{name} are both set; keep one of them"
        ))),
        (top, reference) => Ok(top.or(reference)),
    }
}

fn check_namespace(what: &str, named: Option<&str>, own: &str) -> Result<(), Error> {
    match named {
        Some(other) if !other.is_empty() && other != own => Err(config(format!(
            "invalid {what}: namespace should either be empty or match the namespace of the SecretStore for a namespaced SecretStore"
        ))),
        _ => Ok(()),
    }
}

/// The cloud in force (spec 9).
fn cloud(spec: &AzureKv) -> Result<Cloud, Error> {
    let custom = spec.custom_cloud_config.as_ref();
    if custom.is_some() && !spec.use_azure_sdk {
        return Err(config(
            "CustomCloudConfig requires UseAzureSDK to be set to true - the legacy SDK does not support custom clouds".to_owned(),
        ));
    }
    let authority = custom
        .map(|custom| authority(&custom.active_directory_endpoint))
        .transpose()?;
    let base = match (&spec.environment_type, custom) {
        (EnvironmentType::AzureStackCloud, Some(custom)) => {
            let suffix = custom.key_vault_dns_suffix.as_deref().map(str::trim);
            let suffix = suffix.map(|suffix| suffix.trim_start_matches('.').to_ascii_lowercase());
            Cloud::stack(String::new(), suffix.filter(|suffix| !suffix.is_empty()))
        }
        (EnvironmentType::AzureStackCloud, None) => {
            return Err(config(
                "CustomCloudConfig is required when EnvironmentType is AzureStackCloud".to_owned(),
            ));
        }
        (EnvironmentType::GermanCloud, None) if spec.use_azure_sdk => {
            return Err(config(
                "failed to get cloud configuration: Azure Germany (Microsoft Cloud Deutschland) was discontinued on October 29, 2021. Please use AzureStackCloud with custom configuration or migrate to public cloud regions".to_owned(),
            ));
        }
        (EnvironmentType::PublicCloud, _) => Cloud::public(),
        (EnvironmentType::UsGovernmentCloud, _) => Cloud::us_government(),
        (EnvironmentType::ChinaCloud, _) => Cloud::china(),
        (EnvironmentType::GermanCloud, _) => Cloud::german(),
        (EnvironmentType::Unknown(_), _) => {
            return Err(config(format!(
                "{BLOCK}.environmentType is unknown; write PublicCloud, USGovernmentCloud, ChinaCloud or AzureStackCloud"
            )));
        }
    };
    Ok(match authority {
        Some(authority) => base.with_authority(authority),
        None => base,
    })
}

fn authority(endpoint: &str) -> Result<String, Error> {
    if endpoint.trim().is_empty() {
        return Err(config(
            "activeDirectoryEndpoint is required in CustomCloudConfig".to_owned(),
        ));
    }
    let url = https_origin(endpoint).ok_or_else(|| {
        config(format!(
            "{BLOCK}.customCloudConfig.activeDirectoryEndpoint is not https://HOST; AD FS paths are not supported"
        ))
    })?;
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// A token goes only to a vault of the cloud in force, or to a host that a flag allows.
fn vault(text: &str, cloud: Cloud, allowed_hosts: &[String]) -> Result<Vault, Error> {
    let url = https_origin(text).ok_or_else(|| {
        config(format!(
            "{BLOCK}.vaultUrl is not https://HOST without user, path or query; write https://NAME.{}",
            cloud.vault_suffix().unwrap_or("HOST")
        ))
    })?;
    let host = url.host_str().unwrap_or_default().to_owned();
    let address = url
        .port()
        .map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
    let is_allowed = allowed_hosts.contains(&address);
    let is_vault = url.port().is_none() && cloud.is_vault_host(&host);
    if !is_allowed && !is_vault {
        let suffix = cloud.vault_suffix().map_or_else(
            || "keyVaultDNSSuffix".to_owned(),
            |suffix| format!("https://NAME.{suffix}"),
        );
        return Err(config(format!(
            "{BLOCK}.vaultUrl: {address} is not a vault of the cloud in force; write {suffix}, check environmentType, or allow the host by flag"
        )));
    }
    Ok(Vault {
        url: url.into(),
        host,
        cloud,
    })
}

fn malformed(error: &CredentialError) -> Error {
    config(error.to_string())
}

pub(super) fn config(message: String) -> Error {
    Error::Config { message }
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
