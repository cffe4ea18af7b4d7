//! Tests of the vault's contents.

use super::*;

fn vault() -> Vault {
    Vault::new("g-az-version--kv-main", crate::TENANT, Clock::Golden)
}

#[test]
fn version_ids_are_those_of_the_golden_cases() {
    assert_eq!(
        vault().version_id("secrets", "Many", 0),
        "b93784e620ec3b82c441d8a74e35dbb8"
    );
}

#[test]
fn seeds_upsert_change_delete_and_revive() {
    let mut vault = vault();
    vault.seed("db", Some(SecretContent::value("a")));
    vault.seed("DB", Some(SecretContent::value("b")));
    assert_eq!(
        vault.get("db", "").unwrap().1.attributes.created,
        EPOCH + 60
    );
    vault.seed(
        "db",
        Some(SecretContent {
            enabled: Some(false),
            ..SecretContent::default()
        }),
    );
    let (secret, version) = vault.get("db", "").unwrap();
    assert_eq!(
        (secret.versions.len(), version.attributes.enabled),
        (2, false)
    );
    assert_eq!(version.attributes.updated, EPOCH + 61);
    vault.seed("db", None);
    assert!(vault.get("db", "").is_err());
    vault.seed("db", Some(SecretContent::value("c")));
    assert_eq!(vault.get("db", "").unwrap().1.value, "c");
    assert!(vault.secrets().all(|secret| !secret.written));
}

#[test]
fn ids_are_not_used_twice() {
    let mut vault = vault();
    let first = vault
        .set("x", "1".into(), Change::default())
        .unwrap()
        .latest()
        .id
        .clone();
    vault.delete("x").unwrap();
    assert!(matches!(
        vault.set("x", "2".into(), Change::default()),
        Err(Refusal::Deleted { .. })
    ));
    vault.purge("x").unwrap();
    let second = vault
        .set("x", "2".into(), Change::default())
        .unwrap()
        .latest()
        .id
        .clone();
    assert_ne!(first, second);
}

#[test]
fn pages_go_on_where_they_ended() {
    let mut vault = vault();
    for number in 0..7 {
        vault.seed(&format!("s-{number}"), Some(SecretContent::value("v")));
    }
    vault.seed("s-2", None);
    let (items, next) = vault.page(false, "", 3);
    assert_eq!((items.len(), next), (3, Some("s-4")));
    let (items, next) = vault.page(false, "s-4", 3);
    assert_eq!((items.len(), next), (3, None));
    assert_eq!(vault.page(true, "", 25).0.len(), 1);
}
