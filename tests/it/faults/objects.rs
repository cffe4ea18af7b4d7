//! Faults of what an ExternalSecret reads: absent, disabled, or not written as the vault has it.

use serde_json::json;

use super::fault::{Fault, Told};

const ABSENT: &str = "create or recover it in the vault";
const OLD: &str = "0123456789abcdef0123456789abcdef";

/// What the vault does not give out.
pub(super) fn vaults() -> Vec<Fault> {
    vec![
        Fault::new(
            "The vault has no such secret",
            Told::ExternalSecret,
            "Secret does not exist: \"absent\"",
            ABSENT,
        )
        .reads(&json!({"key": "absent"})),
        Fault::new(
            "The secret has no such version",
            Told::ExternalSecret,
            "Secret does not exist: \"password\"",
            "correct remoteRef",
        )
        .reads(&json!({"key": "password", "version": OLD})),
        Fault::new(
            "The secret was deleted and not purged",
            Told::ExternalSecret,
            "Secret does not exist: \"password\"",
            ABSENT,
        )
        .deleted("password"),
        Fault::new(
            "The vault has no such key",
            Told::ExternalSecret,
            "Secret does not exist: \"key/password\"",
            ABSENT,
        )
        .reads(&json!({"key": "key/password"})),
        Fault::new(
            "The secret, or the version asked for, is disabled",
            Told::ExternalSecret,
            "Operation get is not allowed on a disabled secret",
            "enable the secret, or this version of it, in the vault",
        )
        .content(json!({"secrets": {"password": {"value": "first", "enabled": false}}})),
        Fault::new(
            "The value has no such property",
            Told::ExternalSecret,
            "property db.user does not exist in key password",
            "check remoteRef.property, and that the value is JSON",
        )
        .reads(&json!({"key": "password", "property": "db.user"})),
    ]
}

/// What is not asked for, because it cannot be.
pub(super) fn references() -> Vec<Fault> {
    let find = json!({"data": null, "dataFrom": [{"find": {"name": {"regexp": "app-("}}}]});
    let extract = json!({"data": null, "dataFrom": [{"extract": {"key": "key/signing"}}]});
    vec![
        Fault::new(
            "The key is no name that Key Vault allows",
            Told::ExternalSecret,
            "\"db_password\" is not a name that Key Vault allows",
            "write 1 to 127 letters, digits and hyphens",
        )
        .reads(&json!({"key": "db_password"})),
        Fault::new(
            "The key begins with a kind that there is not",
            Told::ExternalSecret,
            "remoteRef.key begins with \"secrets\"",
            "write NAME, secret/NAME, key/NAME or cert/NAME",
        )
        .reads(&json!({"key": "secrets/password"})),
        Fault::new(
            "The version is none",
            Told::ExternalSecret,
            "remoteRef.version: \"v-1\" is not a version id",
            "write the 32 characters that end the object's identifier, or nothing for the latest",
        )
        .reads(&json!({"key": "password", "version": "v-1"})),
        Fault::new(
            "dataFrom.extract reads a key",
            Told::ExternalSecret,
            "cannot get use dataFrom to get key secret",
            "read \"key/signing\" under spec.data",
        )
        .external_secret(extract),
        Fault::new(
            "dataFrom.find has no regular expression",
            Told::ExternalSecret,
            "dataFrom.find.name.regexp",
            "write a regular expression (RE2)",
        )
        .external_secret(find),
    ]
}
