//! v1 and v1beta1 have one schema, so an object passes through either without loss.

use serde_json::{Value, json};

use super::{bed, create, external_secret, path, run, store};

/// Every field that stock v1beta1 lacks, and values it refuses.
fn only_in_v1() -> Value {
    external_secret(json!({
        "refreshInterval": "1h0m0s",
        "syncWindows": {"kind": "deny", "windows": [{"schedule": "@daily", "duration": "2h"}]},
        "target": {
            "creationPolicy": "CreateOrMerge", "deletionPolicy": "Retain",
            "manifest": {"apiVersion": "v1", "kind": "ConfigMap"},
            "template": {
                "engineVersion": "v2", "mergePolicy": "Replace", "metadata": {"finalizers": ["example.com/x"]},
                "templateFrom": [{"literal": "a: b", "target": "spec.x", "valuesDecodingStrategy": "Auto"}],
            },
        },
        "data": [{"secretKey": "A", "remoteRef": {"key": "a", "nullBytePolicy": "Fail"}}],
        "dataFrom": [
            {"extract": {"key": "a", "nullBytePolicy": "Ignore"}, "rewrite": [{"merge": {"into": "x", "strategy": "JSON"}}]},
            {"sourceRef": {"generatorRef": {"kind": "MFA", "name": "m"}}},
        ],
    }))
}

fn as_version(object: &Value, version: &str) -> Value {
    let mut object = object.clone();
    object["apiVersion"] = json!(format!("external-secrets.io/{version}"));
    object
}

/// Creates through one version, reads and writes back through v1beta1, reads through v1.
async fn assert_kept(object: &Value, created_as: &str) {
    let bed = bed().await;
    let namespace = bed.namespace("versions").await.unwrap();
    let [v1, beta] = ["v1", "v1beta1"].map(|version| as_version(object, version));
    let name = object["metadata"]["name"].as_str().unwrap();
    let [v1_path, beta_path] = [
        format!("{}/{name}", path(&v1, &namespace).await.unwrap()),
        format!("{}/{name}", path(&beta, &namespace).await.unwrap()),
    ];
    create(&as_version(object, created_as), &namespace, "")
        .await
        .unwrap()
        .unwrap();

    let mut read = bed
        .cluster()
        .request("GET", &beta_path, None)
        .await
        .unwrap();
    assert_eq!(read["apiVersion"], "external-secrets.io/v1beta1");
    assert_eq!(read["spec"], object["spec"]);
    read["metadata"]["labels"] = json!({"edited": "through-v1beta1"});
    bed.cluster()
        .request("PUT", &beta_path, Some((&read, "application/json")))
        .await
        .unwrap();

    let read = bed.cluster().request("GET", &v1_path, None).await.unwrap();
    assert_eq!(read["apiVersion"], "external-secrets.io/v1");
    assert_eq!(read["spec"], object["spec"]);
    assert_eq!(
        read["metadata"]["generation"], 1,
        "writing it back changed the spec"
    );
}

#[test]
fn an_external_secret_passes_through_both_versions() {
    run(async {
        assert_kept(&only_in_v1(), "v1").await;
        assert_kept(&only_in_v1(), "v1beta1").await;
    });
}

#[test]
fn a_store_passes_through_both_versions() {
    let reference =
        json!({"valueFrom": {"secretKeyRef": {"name": "n", "namespace": "m", "key": "k"}}});
    run(async {
        let azure = store(&json!({
            "refreshInterval": "10m",
            "provider": {"azurekv": {
                "vaultUrl": "https://v.vault.azure.net/", "authType": "ServicePrincipal", "environmentType": "AzureStackCloud",
                "tenantId": reference, "clientId": reference, "clientSecret": reference, "useAzureSDK": true,
                "customCloudConfig": {"activeDirectoryEndpoint": "https://login.example.com", "keyVaultDNSSuffix": "v.example.com"},
            }},
        }));
        assert_kept(&azure, "v1").await;
        assert_kept(&azure, "v1beta1").await;
        let fake = store(
            &json!({"provider": {"fake": {"data": [{"key": "a", "value": "b"}], "validationResult": 1}}}),
        );
        assert_kept(&fake, "v1beta1").await;
        let foreign = store(
            &json!({"provider": {"vault": {"server": "https://v", "auth": {"token": {"list": [1, {"a": "b"}]}}}}}),
        );
        assert_kept(&foreign, "v1").await;
    });
}

#[test]
fn both_versions_are_served_and_v1_is_stored() {
    run(async {
        for plural in ["externalsecrets", "secretstores", "clustersecretstores"] {
            let path = format!(
                "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{plural}.external-secrets.io"
            );
            let definition = bed()
                .await
                .cluster()
                .request("GET", &path, None)
                .await
                .unwrap();
            assert_eq!(definition["status"]["storedVersions"], json!(["v1"]));
            let versions: Vec<_> = definition["spec"]["versions"]
                .as_array()
                .unwrap()
                .iter()
                .map(|v| {
                    (
                        v["name"].as_str().unwrap(),
                        v["served"] == true,
                        v["deprecated"] == true,
                    )
                })
                .collect();
            assert_eq!(versions, [("v1", true, false), ("v1beta1", true, true)]);
        }
    });
}
