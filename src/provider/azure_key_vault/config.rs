//! From the wire block to a checked configuration: both credential layouts become one form
//! (ESO's page "Azure Key Vault"). Pure; reads no credential. Texts begin as ESO's do.

use crate::api::azure_kv::{
    AuthType, AzureKv, Credential, CredentialError, CredentialField, EnvironmentType,
    ServiceAccountRef,
};
use crate::api::meta::SecretKeySelector;
use crate::azure::auth::managed_identity::UserAssigned;
use crate::azure::cloud::{Cloud, https_origin};
use crate::provider::{Error, Scope};

use super::identity::{Principal, Proof, SignInAs};
use super::ids::{IdSource, config};
use super::workload::Account;

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

/// The block, checked as far as it can be without asking anybody.
#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) vault: Vault,
    auth_type: AuthType,
    layout: Layout,
    service_account: Option<ServiceAccountRef>,
    identity_id: Option<UserAssigned>,
    use_azure_sdk: bool,
}

impl Config {
    /// Checks `spec` as used by a store of `scope`. `allowed_hosts` may be vaults beside those of
    /// the clouds.
    pub(super) fn parse(
        spec: &AzureKv,
        scope: &Scope,
        allowed_hosts: &[String],
    ) -> Result<Self, Error> {
        let layout = Layout::new(spec)?;
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
            layout,
            service_account: account.cloned(),
            identity_id: spec.identity_id.as_deref().and_then(UserAssigned::parse),
            use_azure_sdk: spec.use_azure_sdk,
        })
    }

    /// A token of the cluster goes to Microsoft's sign-in hosts only, or where a flag allows it: else
    /// whoever may write a store could have the operator's own token sent to himself.
    pub(super) fn refuse_foreign_authority(&self, allowed_hosts: &[String]) -> Result<(), Error> {
        let cloud = &self.vault.cloud;
        let host = cloud.authority_host();
        let is_cluster_token = self.auth_type == AuthType::WorkloadIdentity;
        if !is_cluster_token
            || cloud.has_known_authority()
            || allowed_hosts.iter().any(|it| it == host)
        {
            return Ok(());
        }
        Err(config(format!(
            "{BLOCK}.customCloudConfig.activeDirectoryEndpoint: {host} is no sign-in host of Microsoft and gets no token of the cluster; allow it with --allow-vault-host={host}, or use ServicePrincipal"
        )))
    }

    /// Refuses ways to sign in that nobody knows.
    pub(super) fn refuse_unknown(&self) -> Result<(), Error> {
        match &self.auth_type {
            AuthType::Unknown(_) => Err(config(format!(
                "cannot initialize Azure Client: no valid authType was specified; write {BLOCK}.authType: ServicePrincipal, ManagedIdentity or WorkloadIdentity"
            ))),
            _ => Ok(()),
        }
    }

    /// Whether the credentials come from each consumer's namespace and `scope` names none.
    pub(super) fn is_referent(&self, scope: &Scope) -> bool {
        let layout = &self.layout;
        let unbound = |selector: &SecretKeySelector| selector.namespace.is_none();
        let unbound_source = |source: &Option<IdSource>| match source {
            Some(IdSource::FromSecret(selector)) => unbound(selector),
            _ => false,
        };
        let account = self.service_account.as_ref();
        matches!(scope, Scope::Cluster { consumer: None })
            && (unbound_source(&layout.client_id)
                || unbound_source(&layout.tenant)
                || layout.tenant_in_secret.as_ref().is_some_and(unbound)
                || layout.client_secret.as_ref().is_some_and(unbound)
                || layout.client_certificate.as_ref().is_some_and(unbound)
                || account.is_some_and(|account| account.namespace.is_none()))
    }

    /// Who signs in, where the block names all of it.
    pub(super) fn sign_in_as(&self) -> Result<SignInAs, Error> {
        match (&self.auth_type, &self.service_account) {
            (AuthType::ManagedIdentity, _) => Ok(SignInAs::Managed(self.identity_id.clone())),
            (AuthType::WorkloadIdentity, None) => Ok(SignInAs::Mounted(self.vault.cloud.clone())),
            (AuthType::WorkloadIdentity, Some(account)) => Ok(SignInAs::Account(Account {
                cloud: self.vault.cloud.clone(),
                reference: account.clone(),
                client_id: self.layout.client_id.clone(),
                names_credentials: self.layout.names_credentials,
                tenant_in_secret: self
                    .layout
                    .tenant_in_secret
                    .clone()
                    .map(IdSource::FromSecret),
                tenant: self.layout.tenant.clone(),
                first_wins: self.use_azure_sdk,
            })),
            _ => self.principal().map(SignInAs::Principal),
        }
    }

    /// The scope to fetch a token for while the store is validated: ESO signs in by workload
    /// identity then, and its SDK path and the other ways only when the vault is asked.
    pub(super) fn scope_to_check(&self) -> Option<String> {
        let signs_in = self.auth_type == AuthType::WorkloadIdentity && !self.use_azure_sdk;
        let resource = self.vault.cloud.vault_resource().filter(|_| signs_in)?;
        Some(format!("{resource}/.default"))
    }

    /// The service principal, where the block names all of it (ESO's page "Azure Key Vault").
    fn principal(&self) -> Result<Principal, Error> {
        let layout = &self.layout;
        let in_secret = || layout.tenant_in_secret.clone().map(IdSource::FromSecret);
        // the literal wins over the reference, which ESO ignores
        let tenant = layout.tenant.clone().or_else(in_secret).ok_or_else(|| {
            config(format!(
                "missing tenantID in store config; write {BLOCK}.tenantId"
            ))
        })?;
        if !layout.names_credentials {
            return Err(config(format!(
                "missing secretRef in provider config; write {BLOCK}.authSecretRef.clientId and .clientSecret or .clientCertificate"
            )));
        }
        let proof = match (&layout.client_secret, &layout.client_certificate) {
            (Some(secret), None) => Some(Proof::Secret(secret.clone())),
            (None, Some(certificate)) => Some(Proof::Certificate(certificate.clone())),
            (Some(_), Some(_)) if layout.client_id.is_some() => {
                return Err(config(
                    "both clientSecret and clientCredentials set; keep one of clientSecret and clientCertificate".to_owned(),
                ));
            }
            _ => None,
        };
        match (layout.client_id.clone(), proof) {
            (Some(client_id), Some(proof)) => Ok(Principal {
                cloud: self.vault.cloud.clone(),
                tenant,
                client_id,
                proof,
            }),
            _ => Err(config(format!(
                "missing accessKeyID/secretAccessKey in store config; write {BLOCK}.authSecretRef.clientId and .clientSecret or .clientCertificate"
            ))),
        }
    }
}

/// Both layouts, merged (ESO's page "Azure Key Vault").
#[derive(Clone, Debug)]
struct Layout {
    /// `tenantId`
    tenant: Option<IdSource>,
    /// `authSecretRef.tenantId`
    tenant_in_secret: Option<SecretKeySelector>,
    client_id: Option<IdSource>,
    client_secret: Option<SecretKeySelector>,
    client_certificate: Option<SecretKeySelector>,
    names_credentials: bool,
}

impl Layout {
    fn new(spec: &AzureKv) -> Result<Self, Error> {
        let refs = spec.auth_secret_ref.clone().unwrap_or_default();
        let names_credentials = spec.auth_secret_ref.is_some()
            || spec.client_id.is_some()
            || spec.client_secret.is_some()
            || spec.client_certificate.is_some();
        Ok(Self {
            tenant: tenant(spec.tenant_id.as_ref(), refs.tenant_id.is_some())?,
            tenant_in_secret: refs.tenant_id,
            client_id: either(
                "clientId",
                id("clientId", spec.client_id.as_ref())?,
                refs.client_id.map(IdSource::FromSecret),
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
        if let Some(IdSource::FromSecret(selector)) = &self.client_id {
            check_namespace("AuthSecretRef.ClientID", selector.namespace.as_deref(), own)?;
        }
        let secret = self.client_secret.as_ref();
        let namespace = secret.and_then(|selector| selector.namespace.as_deref());
        check_namespace("AuthSecretRef.ClientSecret", namespace, own)
    }
}

/// Text beside a reference is ESO's form; two references are one too many.
fn tenant(field: Option<&CredentialField>, is_in_secret: bool) -> Result<Option<IdSource>, Error> {
    let tenant = id("tenantId", field)?;
    if matches!(tenant, Some(IdSource::FromSecret(_))) && is_in_secret {
        return either("tenantId", Some(()), Some(())).map(|_| tenant);
    }
    Ok(tenant)
}

/// A top-level id: text that says something, or a reference.
fn id(name: &str, field: Option<&CredentialField>) -> Result<Option<IdSource>, Error> {
    let Some(field) = field else { return Ok(None) };
    let parsed = field.parse(&format!("{BLOCK}.{name}"));
    Ok(match parsed.map_err(|error| malformed(&error))? {
        Credential::Literal(text) => {
            let text = text.trim();
            (!text.is_empty()).then(|| IdSource::Literal(text.to_owned()))
        }
        Credential::FromSecret(selector) => Some(IdSource::FromSecret(selector)),
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

/// The cloud in force (ESO's page "Azure Key Vault").
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
    if let (false, Some(own)) = (is_allowed, cloud.behind_private_link(&host)) {
        return Err(config(format!(
            "{BLOCK}.vaultUrl: {address} is the name of a private endpoint, for which the vault has no certificate; write https://{own}, which resolves to the endpoint where its DNS zone is linked"
        )));
    }
    let is_vault = url.port().is_none() && cloud.is_vault_host(&host);
    if !is_allowed && !is_vault {
        let suffix = cloud.vault_suffix().map_or_else(
            || "keyVaultDNSSuffix".to_owned(),
            |suffix| format!("https://NAME.{suffix}"),
        );
        return Err(config(format!(
            "{BLOCK}.vaultUrl: {address} is not a vault of the cloud in force; write {suffix}, check environmentType, or allow it with --allow-vault-host={address}"
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

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
