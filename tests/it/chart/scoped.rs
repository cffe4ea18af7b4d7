//! The operator of one namespace: a Role there is all the rights that it needs and has.

use serde_json::json;

use super::helm::{CHART, Major, NAMESPACE, Stage, object, restricted};
use crate::support::manifests::{credentials, external_secret, store_of, value};
use crate::support::run;
use crate::support::settings::repository;

#[test]
fn a_scoped_release_serves_its_namespace_by_a_role_and_no_other() {
    let test = async {
        let mut stage = Stage::start().await?;
        let bed = &stage.bed;
        for namespace in ["team-a", "team-b"] {
            bed.cluster().apply(&restricted(namespace), None).await?;
        }
        let kinds = std::fs::read_to_string(repository().join("crds/bundle.yaml"))?;
        bed.install(&kinds).await?;
        let values = format!("--values={CHART}/ci/one-namespace.yaml");
        let install = [
            "install",
            "keyferry",
            CHART,
            "--namespace",
            NAMESPACE,
            &values,
        ];
        stage.helm(Major::Third, &install).await?.success()?;
        let cluster_wide = stage.bed.cluster().list("ClusterRoleBinding", None).await?;
        let ours = cluster_wide
            .iter()
            .filter(|it| it.to_string().contains("keyferry"));
        assert_eq!(ours.count(), 0);

        let operator = stage.operate("keyferry").await?;
        let bed = &stage.bed;
        bed.azure().set_secret("kv-scoped", "password", "first");
        let key = |key: &str| json!({"name": "creds", "key": key});
        let provider = json!({"azurekv": {"tenantId": azfake::TENANT, "vaultUrl": "https://kv-scoped.vault.azure.net",
            "authSecretRef": {"clientId": key("id"), "clientSecret": key("secret")}}});
        for namespace in ["team-b", "team-a"] {
            for object in [
                credentials(azfake::CLIENT_SECRET),
                store_of(&provider),
                external_secret("app", json!({})),
            ] {
                bed.cluster().apply(&object, Some(namespace)).await?;
            }
        }
        bed.wait_ready(&object("ExternalSecret", Some("team-a"), "app"), "True")
            .await?;
        let made = bed
            .cluster()
            .get(&object("Secret", Some("team-a"), "app"))
            .await?;
        assert_eq!(value(&made.unwrap(), "PASSWORD"), "first");
        let other = bed
            .cluster()
            .get(&object("ExternalSecret", Some("team-b"), "app"))
            .await?;
        assert!(other.unwrap()["status"].is_null());
        assert_eq!(operator.probe("/readyz").await?, 200);
        let refused = operator
            .log()?
            .lines()
            .filter(|line| line.contains("orbidden"))
            .count();
        assert_eq!(refused, 0, "{}", operator.log_tail());
        anyhow::Ok(())
    };
    run(test).unwrap();
}
