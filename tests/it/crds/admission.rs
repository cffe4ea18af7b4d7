//! What ESO's webhook refuses the API server refuses by itself, in words that help; what it accepts stays accepted
//! (ESO's admission webhook).

use serde_json::{Value, json};

use super::{bed, create, external_secret, refusal, run, store};

fn entry(key: &str) -> Value {
    json!({"secretKey": key, "remoteRef": {"key": "a"}})
}

/// An ExternalSecret with one entry and this besides.
fn with(more: &Value) -> Value {
    let mut spec = json!({"data": [entry("A")]});
    for (name, value) in more.as_object().into_iter().flatten() {
        spec[name] = value.clone();
    }
    external_secret(spec)
}

fn template(template: &Value) -> Value {
    with(&json!({"target": {"template": template}}))
}

/// A store with this azurekv block.
fn azure(more: &Value) -> Value {
    let mut block = json!({"vaultUrl": "https://v.vault.azure.net"});
    for (name, value) in more.as_object().into_iter().flatten() {
        block[name] = value.clone();
    }
    store(&json!({"provider": {"azurekv": block}}))
}

fn store_with(name: &str, value: &Value) -> Value {
    let mut object = azure(&json!({}));
    object["spec"][name] = value.clone();
    object
}

async fn assert_refused(cases: &[(Value, &str)]) {
    let namespace = bed().await.namespace("refused").await.unwrap();
    for (object, want) in cases {
        let got = refusal(object, &namespace).await.unwrap();
        let got = got.unwrap_or_else(|| panic!("accepted: {}", object["spec"]));
        assert!(got.contains(want), "{}: {got}", object["spec"]);
    }
}

async fn assert_accepted(objects: &[Value]) {
    let namespace = bed().await.namespace("accepted").await.unwrap();
    for object in objects {
        assert_eq!(
            refusal(object, &namespace).await.unwrap(),
            None,
            "{}",
            object["spec"]
        );
    }
}

#[test]
fn policies_that_contradict_each_other_are_refused() {
    let target = |creation: &str, deletion: &str| {
        with(&json!({"target": {"creationPolicy": creation, "deletionPolicy": deletion}}))
    };
    run(async {
        let delete =
            "deletionPolicy=Delete must not be used when the controller doesn't own the secret";
        assert_refused(&[
            (target("Merge", "Delete"), delete),
            (target("None", "Delete"), delete),
            (target("CreateOrMerge", "Delete"), delete),
            (
                target("None", "Merge"),
                "deletionPolicy=Merge must not be used with creationPolicy=None",
            ),
            (target("owner", "Retain"), "supported values: \"Owner\""),
        ])
        .await;
        assert_accepted(&[
            target("Orphan", "Delete"),
            target("Owner", "Delete"),
            target("Merge", "Merge"),
        ])
        .await;
    });
}

#[test]
fn something_must_be_asked_for_and_each_key_once() {
    let data_from = |entry: Value| external_secret(json!({"dataFrom": [entry]}));
    let twice = json!([entry("A"), entry("B"), entry("A")]);
    let many: Vec<Value> = (0..3000).map(|i| entry(&format!("KEY{i}"))).collect();
    run(async {
        let both = "extract, find, or generatorRef cannot be set at the same time";
        let neither = "either extract, find, or sourceRef must be set to dataFrom";
        let generator = json!({"generatorRef": {"kind": "UUID", "name": "u"}});
        assert_refused(&[
            (
                external_secret(json!({})),
                "either data or dataFrom should be specified",
            ),
            (
                external_secret(json!({"data": []})),
                "either data or dataFrom should be specified",
            ),
            (
                data_from(json!({"extract": {"key": "a"}, "find": {}})),
                both,
            ),
            (
                data_from(json!({"extract": {"key": "a"}, "sourceRef": generator})),
                both,
            ),
            (data_from(json!({"find": {}, "sourceRef": generator})), both),
            (data_from(json!({})), neither),
            (
                data_from(json!({"rewrite": [{"transform": {"template": "x"}}]})),
                neither,
            ),
            (data_from(json!({"sourceRef": {}})), "at least 1 properties"),
            (
                data_from(json!({"extract": {"key": "a"}, "rewrite": [{}]})),
                "at least 1 properties",
            ),
            (
                external_secret(json!({"data": twice})),
                "key A already exists",
            ),
            (
                external_secret(json!({"data": twice})),
                "duplicate secretKey found",
            ),
        ])
        .await;
        assert_accepted(&[
            external_secret(json!({"data": twice, "target": {"deletionPolicy": "Delete"}})),
            external_secret(json!({"data": many})),
            data_from(json!({"sourceRef": {"storeRef": {"name": "s"}}})),
            data_from(json!({"extract": {"key": "a"}, "sourceRef": {"storeRef": {"name": "s"}}})),
            data_from(json!({"sourceRef": generator})),
        ])
        .await;
    });
}

#[test]
fn templates_cannot_make_tokens_or_write_elsewhere() {
    let from = |target: &str| json!([{"literal": "a: b", "target": target}]);
    let account = "kubernetes.io/service-account-token";
    let elsewhere = |api_version: &str, kind: &str| {
        with(&json!({"target": {
            "manifest": {"apiVersion": api_version, "kind": kind}, "template": {"templateFrom": from("spec.x")},
        }}))
    };
    run(async {
        let wrong_target = "templateFrom target must be one of";
        assert_refused(&[
            (template(&json!({"type": "bootstrap.kubernetes.io/token"})), "is not allowed"),
            (
                template(&json!({"type": account, "metadata": {"annotations": {"kubernetes.io/service-account.name": "x"}}})),
                "with annotation \"kubernetes.io/service-account.name\" is not allowed",
            ),
            (
                template(&json!({"type": account, "templateFrom": from("annotations")})),
                "with templateFrom target=\"Annotations\" is not allowed",
            ),
            (template(&json!({"templateFrom": from("spec.x")})), wrong_target),
            (elsewhere("v1", "Secret"), wrong_target),
            (template(&json!({"engineVersion": "v1"})), "supported values: \"v2\""),
        ])
        .await;
        assert_accepted(&[
            template(&json!({"type": account, "templateFrom": from("Labels")})),
            template(&json!({"templateFrom": from("DATA")})),
            elsewhere("v1", "ConfigMap"),
        ])
        .await;
    });
}

#[test]
fn a_duration_is_one_that_go_reads() {
    let interval = |text: &str| with(&json!({"refreshInterval": text}));
    let window = |schedule: &str, duration: &str| {
        with(
            &json!({"syncWindows": {"kind": "allow", "windows": [{"schedule": schedule, "duration": duration}]}}),
        )
    };
    run(async {
        let help = "must be a duration such as";
        let refused: Vec<_> = ["1d", "1h 30m", "300", "", "soon", "9999999h", ".s", "1H"]
            .map(|text| (interval(text), help))
            .into_iter()
            .chain([
                (window("0 1 * * *", "2d"), help),
                (window("0 1", "2h"), "should match"),
            ])
            .collect();
        assert_refused(&refused).await;
        let accepted: Vec<_> = [
            "1h0m0s", "0", "0s", "-5m", "+1h", "1.5h", ".5s", "1.s", "1h1h", "1µs", "1μs", "100ns",
        ]
        .map(interval)
        .into_iter()
        .chain([window("0 1 * * *", "2h"), window("@daily", "30m")])
        .collect();
        assert_accepted(&accepted).await;
    });
}

#[test]
fn a_store_has_one_backend_that_can_work() {
    run(async {
        let custom = json!({"activeDirectoryEndpoint": "https://login.example.com"});
        let interval = "must be seconds or a duration such as";
        assert_refused(&[
            (store(&json!({"provider": {}})), "at least 1 properties"),
            (store(&json!({"provider": {"fake": {"data": []}, "vault": {}}})), "at most 1 item"),
            (store(&json!({"provider": {"azurekv": {}}})), "vaultUrl: Required value"),
            (store(&json!({"provider": {"fake": {"data": [{"key": "a", "value": ""}]}}})), "at least one value must be set"),
            (store(&json!({"provider": {"fake": {"data": [{"key": "", "value": "b"}]}}})), "key must be set"),
            (azure(&json!({"customCloudConfig": custom})), "CustomCloudConfig requires UseAzureSDK"),
            (
                azure(&json!({"useAzureSDK": true, "customCloudConfig": {"activeDirectoryEndpoint": ""}})),
                "activeDirectoryEndpoint is required in CustomCloudConfig",
            ),
            (azure(&json!({"environmentType": "AzureStackCloud"})), "CustomCloudConfig is required"),
            (azure(&json!({"authType": "Password"})), "supported values: \"ServicePrincipal\""),
            (azure(&json!({"vaultURL": "x"})), "unknown field"),
            (store_with("refreshInterval", &json!(-1)), interval),
            (store_with("refreshInterval", &json!("-5m")), interval),
            (store_with("refreshInterval", &json!("300")), interval),
            (store_with("refreshInterval", &json!(1.5)), "refreshInterval"),
            (store_with("conditions", &json!([{"namespaceRegexes": ["a("]}])), "missing closing )"),
        ])
        .await;
        let reference = json!({"valueFrom": {"secretKeyRef": {"name": "n", "key": "k"}}});
        assert_accepted(&[
            azure(&json!({"useAzureSDK": true, "customCloudConfig": custom, "environmentType": "AzureStackCloud"})),
            azure(&json!({"tenantId": "t"})),
            azure(&json!({"tenantId": reference, "clientId": reference, "clientSecret": reference})),
            store_with("refreshInterval", &json!(0)),
            store_with("refreshInterval", &json!("1h30m")),
            store_with("conditions", &json!([{"namespaceRegexes": ["^team-.*$"], "namespaces": ["a"]}])),
        ])
        .await;
    });
}

/// A tool that compares what it wrote with what is there sees ESO's defaults at the top and none inside a list.
#[test]
fn defaults_are_esos_and_none_is_inside_a_list() {
    run(async {
        let namespace = bed().await.namespace("defaults").await.unwrap();
        let spec = json!({
            "secretStoreRef": {"name": "kv"},
            "data": [{"secretKey": "A", "remoteRef": {"key": "a"}, "sourceRef": {"generatorRef": {"kind": "UUID", "name": "u"}}}],
            "dataFrom": [{"extract": {"key": "a"}, "rewrite": [{"merge": {}}]}, {"find": {"name": {"regexp": "."}}}],
            "target": {"template": {"templateFrom": [{"configMap": {"name": "c", "items": [{"key": "k"}]}}]}},
        });
        let made = create(&external_secret(spec.clone()), &namespace, "&dryRun=All")
            .await
            .unwrap()
            .unwrap();
        let mut want = spec;
        want["refreshInterval"] = json!("1h0m0s");
        want["target"]["creationPolicy"] = json!("Owner");
        want["target"]["deletionPolicy"] = json!("Retain");
        want["target"]["template"]["engineVersion"] = json!("v2");
        want["target"]["template"]["mergePolicy"] = json!("Replace");
        assert_eq!(made["spec"], want);
    });
}
