//! Faults of rights: what the vault forbids, and what the operator does not even ask for.

use serde_json::json;

use super::fault::{Fault, Told};

/// The vault knows the identity and says no.
pub(super) fn vaults() -> Vec<Fault> {
    let caller = format!(
        "appid={};oid=44444444-4444-4444-4444-444444444444;iss=https://sts.windows.net/{}/",
        azfake::CLIENT,
        azfake::TENANT
    );
    let vault = "${NS};location=westeurope";
    vec![
        Fault::new(
            "The identity has no role on the vault (RBAC)",
            Told::Vault("AccessDenied"),
            "access denied (ForbiddenByRbac) to secret \"password\"",
            "grant the identity the role Key Vault Secrets User on the vault",
        )
        .permissions(&[]),
        Fault::new(
            "The identity is in no access policy of the vault",
            Told::Vault("AccessDenied"),
            "access denied (ForbiddenByPolicy) to secret \"password\"",
            "give the identity the secret permission Get in the vault's access policies",
        )
        .vault(json!({"status": 403, "innerCode": "ForbiddenByPolicy", "message": format!(
            "The user, group or application '{caller}' does not have secrets get permission on key vault '{vault}'."
        )})),
        Fault::new(
            "The identity may get secrets but not list them, which dataFrom.find does",
            Told::Vault("AccessDenied"),
            "access denied (ForbiddenByRbac) to the list of secrets",
            "grant the identity the role Key Vault Secrets User on the vault",
        )
        .external_secret(json!({"data": null, "dataFrom": [{"find": {"name": {"regexp": "."}}}]}))
        .permissions(&["get"]),
        Fault::new(
            "The vault's firewall does not know the cluster's address",
            Told::Vault("FirewallDenied"),
            "Client address is not authorized",
            "allow the cluster's outgoing address in the vault's firewall, or use a private endpoint",
        )
        .vault(json!({"status": 403, "innerCode": "ForbiddenByFirewall", "message": format!(
            "Client address is not authorized and caller is not a trusted service.\r\nClient address: 203.0.113.7\r\nCaller: {caller}\r\nVault: {vault}"
        )})),
        Fault::new(
            "The vault has public network access disabled",
            Told::Vault("FirewallDenied"),
            "Public network access is disabled",
            "reach the vault by an approved private endpoint",
        )
        .vault(json!({"status": 403, "innerCode": "ForbiddenByConnection", "message": format!(
            "Public network access is disabled and request is not from a trusted service nor via an approved private link.\r\nCaller: {caller}\r\nVault: {vault}"
        )})),
    ]
}

/// The operator refuses before anybody is asked.
pub(super) fn stores() -> Vec<Fault> {
    vec![
        Fault::new(
            "vaultUrl is the name of a private endpoint",
            Told::Store,
            "${NS}.privatelink.vaultcore.azure.net is the name of a private endpoint",
            "write https://${NS}.vault.azure.net",
        )
        .store(json!({"vaultUrl": "https://${NS}.privatelink.vaultcore.azure.net"})),
        Fault::new(
            "vaultUrl is no vault of the cloud, to which alone tokens go",
            Told::Store,
            "${NS}.vault.azure.cn is not a vault of the cloud in force",
            "check environmentType",
        )
        .store(json!({"vaultUrl": "https://${NS}.vault.azure.cn"})),
        Fault::new(
            "The store does not exist",
            Told::ExternalSecret,
            "SecretStore.external-secrets.io \"kv\" not found",
            "create it, or correct secretStoreRef",
        )
        .store(json!(null)),
        Fault::new(
            "keyferry.io/allowed-keys does not give the key to the namespace",
            Told::ExternalSecret,
            "it is not among the keys of this namespace",
            "read another key, or ask whoever owns the store",
        )
        .allowed_keys(json!([{"namespaceSelector": {}, "keys": ["team-a-*"]}])),
        Fault::new(
            "keyferry.io/allowed-keys cannot be read",
            Told::Guard,
            "annotation keyferry.io/allowed-keys: missing field `namespaceSelector`",
            "write a JSON list such as",
        )
        .allowed_keys(json!([{"keys": ["team-a-*"]}])),
    ]
}
