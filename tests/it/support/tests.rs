//! The harness itself: what it promises to the tests that use it.

use std::time::Duration;

use super::bed::Bed;
use super::cluster::ObjectRef;
use super::operator::{Operator, Options};
use super::{run, settings};

#[test]
fn the_harness_runs_the_operator_as_its_service_account() {
    run(async {
        let bed = Bed::start().await.unwrap();
        let mut operator = Operator::start(&settings::operator(), &bed, Options::golden()).unwrap();
        operator.warm_up(&bed).await.unwrap();
        assert_eq!(operator.probe("/readyz").await.unwrap(), 200);
        assert!(
            operator
                .metrics()
                .await
                .unwrap()
                .contains("controller_runtime_reconcile_total")
        );
        assert!(operator.usage().unwrap().resident > 0);
        assert!(!operator.log().unwrap().is_empty());

        let store = apply_store(&bed).await.unwrap();
        let store = bed.wait_ready(&store, "False").await.unwrap();
        assert_eq!(
            store["status"]["conditions"][0]["reason"],
            "InvalidProviderConfig"
        );

        assert!(!operator.kill().unwrap().success());
        assert!(operator.ended().unwrap().is_some());
        operator.restart().unwrap();
        operator.warm_up(&bed).await.unwrap();
        assert!(
            operator.stop().await.unwrap().success(),
            "{}",
            operator.log_tail()
        );
    });
}

/// A store without credentials in a namespace of its own.
async fn apply_store(bed: &Bed) -> anyhow::Result<ObjectRef> {
    let namespace = bed.namespace("store").await?;
    let store = "apiVersion: external-secrets.io/v1\nkind: SecretStore\nmetadata: {name: kv}\n\
                 spec: {provider: {azurekv: {vaultUrl: 'https://kv.vault.azure.net'}}}";
    bed.apply(&namespace, store).await?;
    Ok(ObjectRef {
        kind: "SecretStore".into(),
        namespace: Some(namespace),
        name: "kv".into(),
    })
}

#[test]
fn waiting_in_vain_tells_what_happened_to_the_object() {
    run(async {
        let bed = Bed::start().await.unwrap();
        let object = apply_store(&bed).await.unwrap();
        let limit = Duration::from_millis(300);
        let seen = bed
            .wait_for("there", &object, limit, |o| o.is_some())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(seen["metadata"]["name"], "kv");
        let error = bed
            .wait_for("gone", &object, limit, |o| o.is_none())
            .await
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("gone: SecretStore/kv not so within 300ms\n  +0.0 s version"),
            "{error}"
        );
        bed.cluster().delete(&object).await.unwrap();
        assert!(
            bed.wait_for("gone", &object, Duration::from_secs(5), |o| o.is_none())
                .await
                .unwrap()
                .is_none()
        );
    });
}

#[test]
fn the_operators_role_ends_where_its_work_does() {
    run(async {
        let bed = Bed::start().await.unwrap();
        let account = "--as=system:serviceaccount:external-secrets:keyferry";
        for (verb, resource, allowed) in [
            ("create", "secrets", true),
            ("patch", "externalsecrets.external-secrets.io", true),
            ("delete", "externalsecrets.external-secrets.io", false),
            ("patch", "secretstores.external-secrets.io", false),
            ("delete", "namespaces", false),
            ("create", "pods", false),
        ] {
            let answer = bed
                .plane()
                .kubectl(["auth", "can-i", verb, resource, "--all-namespaces", account])
                .await
                .unwrap();
            assert_eq!(
                answer.stdout.trim(),
                if allowed { "yes" } else { "no" },
                "{verb} {resource}"
            );
        }
    });
}
