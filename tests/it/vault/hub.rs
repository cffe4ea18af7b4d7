//! What many who read from one vault cost it together, and that they share nothing where they act as
//! different identities.

use std::sync::Arc;

use azfake::{Fault, TENANT};
use futures::future::join_all;
use keyferry::api::external_secret::RemoteRef;
use keyferry::provider::{Error, ObjectRef, SecretsClient};
use serde_json::json;

use super::{Credentials, Vault, connect};
use crate::support::run;

const OTHER: &str = "44444444-4444-4444-4444-444444444444";
const OTHER_SECRET: &str = "other-client-secret";

fn fault(value: serde_json::Value) -> Fault {
    serde_json::from_value(value).unwrap()
}

async fn read(client: &Arc<dyn SecretsClient>, key: &str) -> Result<Option<Vec<u8>>, Error> {
    let remote_ref: RemoteRef = serde_json::from_value(json!({"key": key})).unwrap();
    let remote_ref = ObjectRef::from(&remote_ref);
    let found = client.get(&remote_ref).await?;
    Ok(found.value.map(|value| value.expose().to_vec()))
}

#[test]
fn many_stores_of_one_identity_share_token_client_and_reads_on_their_way() {
    run(async {
        let vault = Vault::start(json!({"secrets": {"db": {"value": "x"}}})).await;
        // signs in, and is challenged once
        read(&vault.client, "db").await.unwrap();
        let (reads, tokens) = (vault.requests("secrets.get"), vault.requests("token"));
        vault
            .azure
            .control()
            .fault("kv", Some(fault(json!({"latencyMs": 1000}))));
        let mut stores = Vec::new();
        for _ in 0..20 {
            stores.push(connect(&vault.hub, Credentials::default()).await);
        }
        let answers = join_all(stores.iter().map(|store| read(store, "db"))).await;
        for answer in answers {
            assert_eq!(answer.unwrap().as_deref(), Some(&b"x"[..]));
        }
        assert_eq!(vault.requests("secrets.get") - reads, 1);
        assert_eq!(vault.requests("token"), tokens);
        // what came is kept for nobody
        vault.azure.control().fault("kv", None);
        vault.azure.control().set_secret("kv", "db", "y");
        let again = read(&vault.client, "db").await.unwrap();
        assert_eq!(again.as_deref(), Some(&b"y"[..]));
    });
}

#[test]
fn an_identity_never_gets_what_another_was_answered() {
    run(async {
        let vault = Vault::start(json!({"secrets": {"db": {"value": "x"}}})).await;
        let control = vault.azure.control();
        let app = serde_json::from_value(json!({"secrets": [OTHER_SECRET]})).unwrap();
        control.entra(TENANT, OTHER, Some(app));
        control.permissions(OTHER, "kv", Some(&["list"]));
        let other = Credentials {
            client: OTHER,
            secret: OTHER_SECRET,
        };
        let denied = connect(&vault.hub, other).await;
        control.fault("kv", Some(fault(json!({"latencyMs": 500}))));
        for _ in 0..3 {
            let both = join_all([read(&vault.client, "db"), read(&denied, "db")]).await;
            let [allowed, refused] = <[_; 2]>::try_from(both).unwrap();
            assert_eq!(allowed.unwrap().as_deref(), Some(&b"x"[..]));
            assert!(matches!(refused, Err(Error::Denied { .. })), "{refused:?}");
        }
    });
}

#[test]
fn while_a_vault_throttles_one_probe_asks_for_all() {
    run(async {
        let names: Vec<String> = (0..40).map(|index| format!("s{index}")).collect();
        let secrets: serde_json::Map<_, _> = names
            .iter()
            .map(|name| (name.clone(), json!({"value": "x"})))
            .collect();
        let vault = Vault::start(json!({"secrets": secrets})).await;
        let control = vault.azure.control();
        read(&vault.client, "s0").await.unwrap();
        control.fault("kv", Some(fault(json!({"status": 429, "retryAfter": 30}))));
        let mark = control.mark();
        let first = read(&vault.client, "s0").await.unwrap_err();
        assert!(matches!(first, Error::Throttled { .. }), "{first}");
        let refused = join_all(names.iter().map(|name| read(&vault.client, name))).await;
        let mut pauses: Vec<_> = refused
            .into_iter()
            .map(|answer| match answer.unwrap_err() {
                Error::Throttled { after, host } => {
                    assert_eq!(host, "kv.vault.azure.net");
                    after.unwrap()
                }
                other => panic!("{other}"),
            })
            .collect();
        // nobody asked, and they do not come back all at once
        assert_eq!(control.requests_since(mark, "kv.").1.len(), 1);
        pauses.sort();
        pauses.dedup();
        assert_eq!(pauses.len(), names.len());
        assert!(
            pauses
                .iter()
                .all(|pause| (28..32).contains(&pause.as_secs())),
            "{pauses:?}"
        );
    });
}
