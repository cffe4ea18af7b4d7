//! `spec.provider.azurekv` (ESO's API reference, `AzureKVProvider`). Knows the wire, not what it means to sign in: the adapter normalises
//! the two credential layouts; here each field is only read into a typed form.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::meta::{SecretKeySelector, open_enum};
use super::schema;

/// Azure Key Vault.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = schema::rules(AZURE_RULES)))]
pub struct AzureKv {
    /// URL of the vault, e.g. https://NAME.vault.azure.net
    pub vault_url: String,
    /// How the operator signs in: ServicePrincipal, ManagedIdentity or WorkloadIdentity.
    #[serde(default)]
    pub auth_type: AuthType,
    /// Entra tenant: its id or domain as text, or {valueFrom: {secretKeyRef: {name, namespace, key}}}.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::any")]
    pub tenant_id: Option<CredentialField>,
    /// Client id of a service principal: text or {valueFrom: {secretKeyRef}}. Portable form: authSecretRef.clientId.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::any")]
    pub client_id: Option<CredentialField>,
    /// Client secret as {valueFrom: {secretKeyRef}}. Portable form: authSecretRef.clientSecret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::any")]
    pub client_secret: Option<CredentialField>,
    /// Client certificate as {valueFrom: {secretKeyRef}}. Portable form: authSecretRef.clientCertificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::any")]
    pub client_certificate: Option<CredentialField>,
    /// Azure cloud that the vault is in.
    #[serde(default)]
    pub environment_type: EnvironmentType,
    /// Secrets with the credentials. On a SecretStore they must be in the store's own namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_secret_ref: Option<AuthSecretRef>,
    /// WorkloadIdentity: ServiceAccount whose token is exchanged; the operator's own if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account_ref: Option<ServiceAccountRef>,
    /// ManagedIdentity: client id of a user-assigned identity; the system-assigned one if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_id: Option<String>,
    /// Accepted for compatibility; customCloudConfig asks for true.
    #[serde(rename = "useAzureSDK", default)]
    pub use_azure_sdk: bool,
    /// Endpoints of a cloud of one's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_cloud_config: Option<CustomCloudConfig>,
}

// That a SecretStore's selectors name no other namespace cannot be said here: CEL sees its own subtree and the object's name,
// not its namespace. The store's status says it.
const AZURE_RULES: &[(&str, &str)] = &[
    (
        "!has(self.customCloudConfig) || self.useAzureSDK",
        "CustomCloudConfig requires UseAzureSDK to be set to true - the legacy SDK does not support custom clouds",
    ),
    (
        "!has(self.customCloudConfig) || size(self.customCloudConfig.activeDirectoryEndpoint) > 0",
        "activeDirectoryEndpoint is required in CustomCloudConfig",
    ),
    (
        "self.environmentType != 'AzureStackCloud' || has(self.customCloudConfig)",
        "CustomCloudConfig is required when EnvironmentType is AzureStackCloud",
    ),
];

open_enum! {
    /// How the operator signs in.
    AuthType { ServicePrincipal = "ServicePrincipal", ManagedIdentity = "ManagedIdentity", WorkloadIdentity = "WorkloadIdentity" }
}
open_enum! {
    /// Azure cloud.
    EnvironmentType {
        PublicCloud = "PublicCloud",
        UsGovernmentCloud = "USGovernmentCloud",
        ChinaCloud = "ChinaCloud",
        GermanCloud = "GermanCloud",
        AzureStackCloud = "AzureStackCloud",
    }
}

/// Credentials in Secrets, ESO's layout.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuthSecretRef {
    /// Client id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<SecretKeySelector>,
    /// Tenant id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<SecretKeySelector>,
    /// Client secret; not together with clientCertificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<SecretKeySelector>,
    /// Client certificate and key (PEM or PKCS#12).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<SecretKeySelector>,
}

/// A ServiceAccount and what its token is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceAccountRef {
    /// Name of the ServiceAccount.
    #[schemars(schema_with = "schema::dns_subdomain")]
    pub name: String,
    /// Its namespace; as with Secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::namespace")]
    pub namespace: Option<String>,
    /// Audiences beside the built-in one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub audiences: Vec<String>,
}

/// Endpoints of a cloud of one's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CustomCloudConfig {
    /// Where tokens come from.
    pub active_directory_endpoint: String,
    /// Accepted for compatibility.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_manager_endpoint: Option<String>,
    /// Accepted for compatibility.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_vault_endpoint: Option<String>,
    /// AzureStackCloud: DNS suffix of its vaults.
    #[serde(
        rename = "keyVaultDNSSuffix",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub key_vault_dns_suffix: Option<String>,
}

/// A field that is text or a reference to a Secret, as it came; [`Self::parse`] reads it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CredentialField(pub Value);

/// What a [`CredentialField`] says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// The value itself (an id; never a secret).
    Literal(String),
    /// Where the value is kept.
    FromSecret(SecretKeySelector),
}

/// Why a [`CredentialField`] says nothing. No text of the field is repeated: it might be a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// A field that may not be there, is not there, or has the wrong type.
    #[error(
        "{path}: {problem}; write {path_of_field}: {{valueFrom: {{secretKeyRef: {{name: NAME, key: KEY}}}}}}"
    )]
    Malformed {
        /// Where the fault is.
        path: String,
        /// What is wrong there.
        problem: String,
        /// The field as a whole.
        path_of_field: String,
    },
    /// A secret written into the store itself.
    #[error(
        "{0}: must not be written into the store; keep it in a Secret and write {0}: {{valueFrom: {{secretKeyRef: {{name: NAME, key: KEY}}}}}}"
    )]
    Literal(String),
}

// A client secret that someone wrote as plain text must not reach a log.
impl std::fmt::Debug for CredentialField {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CredentialField(..)")
    }
}

impl CredentialField {
    /// Text or reference; for ids. `path` names the field in errors, e.g. `spec.provider.azurekv.tenantId`.
    pub fn parse(&self, path: &str) -> Result<Credential, CredentialError> {
        match &self.0 {
            Value::String(text) => Ok(Credential::Literal(text.clone())),
            other => reference(other, path).map(Credential::FromSecret),
        }
    }

    /// Reference only; for secrets and certificates.
    pub fn parse_reference(&self, path: &str) -> Result<SecretKeySelector, CredentialError> {
        match &self.0 {
            Value::String(_) => Err(CredentialError::Literal(path.to_owned())),
            other => reference(other, path),
        }
    }
}

/// `{valueFrom: {secretKeyRef: {name, namespace?, key}}}` and nothing else.
fn reference(value: &Value, field: &str) -> Result<SecretKeySelector, CredentialError> {
    let path_from = format!("{field}.valueFrom");
    let path_ref = format!("{path_from}.secretKeyRef");
    let wrapper = only_member(value, field, "valueFrom", field)?;
    let selector = only_member(wrapper, &path_from, "secretKeyRef", field)?;
    let members = selector
        .as_object()
        .ok_or_else(|| malformed(&path_ref, "must be an object", field))?;
    if let Some(odd) = members
        .keys()
        .find(|k| !["name", "namespace", "key"].contains(&k.as_str()))
    {
        return Err(malformed(
            &format!("{path_ref}.{odd}"),
            "unknown field",
            field,
        ));
    }
    let text = |member: &str| match members.get(member) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text.clone())),
        Some(_) => Err(malformed(
            &format!("{path_ref}.{member}"),
            "must be a non-empty string",
            field,
        )),
    };
    let required = |member: &str| {
        text(member)?.ok_or_else(|| malformed(&format!("{path_ref}.{member}"), "is missing", field))
    };
    Ok(SecretKeySelector {
        name: required("name")?,
        namespace: text("namespace")?,
        key: required("key")?,
    })
}

fn only_member<'v>(
    value: &'v Value,
    path: &str,
    name: &str,
    field: &str,
) -> Result<&'v Value, CredentialError> {
    let members = value
        .as_object()
        .ok_or_else(|| malformed(path, "must be an object", field))?;
    if let Some(odd) = members.keys().find(|k| *k != name) {
        return Err(malformed(&format!("{path}.{odd}"), "unknown field", field));
    }
    members
        .get(name)
        .ok_or_else(|| malformed(&format!("{path}.{name}"), "is missing", field))
}

fn malformed(path: &str, problem: &str, field: &str) -> CredentialError {
    CredentialError::Malformed {
        path: path.to_owned(),
        problem: problem.to_owned(),
        path_of_field: field.to_owned(),
    }
}
