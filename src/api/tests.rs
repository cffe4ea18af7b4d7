//! Decoding and encoding of the wire types: what is kept, what is defaulted, what an odd object does.

use serde_json::{Value, json};

use super::azure_kv::{AuthType, AzureKv, Credential, CredentialField, EnvironmentType};
use super::external_secret::{
    CreationPolicy, DecodingStrategy, DeletionPolicy, ExternalSecret, ExternalSecretStatus,
    RefreshPolicy,
};
use super::secret_store::{
    Backend, ClusterSecretStore, ProviderError, SecretStore, SecretStoreSpec, StoreInterval,
    StoreKind, StoreProvider,
};
use super::{crds, external_secret};

fn external_secret(spec: &Value) -> ExternalSecret {
    serde_json::from_value(json!({"metadata": {"name": "app"}, "spec": spec})).unwrap()
}

fn provider(value: Value) -> StoreProvider {
    serde_json::from_value(value).unwrap()
}

#[test]
fn absent_fields_mean_what_they_mean_in_eso() {
    let object = external_secret(&json!({
        "secretStoreRef": {"name": "kv"},
        "data": [{"secretKey": "A", "remoteRef": {"key": "a"}}],
    }));
    let spec = &object.spec;
    assert_eq!(object.target_name(), "app");
    assert_eq!(spec.target.creation_policy, CreationPolicy::Owner);
    assert_eq!(spec.target.deletion_policy, DeletionPolicy::Retain);
    assert_eq!(spec.refresh_policy(), RefreshPolicy::Periodic);
    assert_eq!(spec.refresh_interval.0, "1h0m0s");
    assert_eq!(
        spec.secret_store_ref.as_ref().unwrap().kind(),
        StoreKind::SecretStore
    );
    assert_eq!(
        spec.data[0].remote_ref.decoding_strategy(),
        DecodingStrategy::None
    );

    let azure: AzureKv = serde_json::from_value(json!({"vaultUrl": "https://v"})).unwrap();
    assert_eq!(azure.auth_type, AuthType::ServicePrincipal);
    assert_eq!(azure.environment_type, EnvironmentType::PublicCloud);
    assert!(!azure.use_azure_sdk);
}

#[test]
fn a_full_spec_comes_back_unchanged() {
    let spec = json!({
        "secretStoreRef": {"name": "kv", "kind": "ClusterSecretStore"},
        "target": {
            "name": "out", "creationPolicy": "CreateOrMerge", "deletionPolicy": "Merge", "immutable": false,
            "manifest": {"apiVersion": "v1", "kind": "ConfigMap"},
            "template": {
                "type": "Opaque", "engineVersion": "v2", "mergePolicy": "Merge",
                "metadata": {"annotations": {"a": "{{ .A }}"}, "labels": {}, "finalizers": ["x/y"]},
                "data": {"A": "{{ .A }}"},
                "templateFrom": [
                    {"configMap": {"name": "c", "items": [{"key": "k", "templateAs": "KeysAndValues"}]}, "target": "spec.x"},
                    {"literal": "a: b", "valuesDecodingStrategy": "Base64URL"},
                ],
            },
        },
        "refreshPolicy": "OnChange",
        "refreshInterval": "90m",
        "syncWindows": {"kind": "deny", "windows": [{"schedule": "@daily", "duration": "2h"}]},
        "data": [{
            "secretKey": "A",
            "remoteRef": {
                "key": "a", "property": "p", "version": "1", "metadataPolicy": "Fetch", "conversionStrategy": "Unicode",
                "decodingStrategy": "Auto", "nullBytePolicy": "Fail",
            },
            "sourceRef": {"generatorRef": {"kind": "UUID", "name": "u"}},
        }],
        "dataFrom": [
            {"find": {"path": "p", "name": {"regexp": ".*"}, "tags": {}}, "rewrite": [{"regexp": {"source": "a", "target": "b"}}]},
            {"extract": {"key": "b"}, "rewrite": [{"transform": {"template": "t"}}, {"merge": {"strategy": "JSON", "into": "j", "priority": ["b"]}}]},
            {"sourceRef": {"storeRef": {"name": "s"}}},
        ],
    });
    let object = external_secret(&spec);
    assert_eq!(serde_json::to_value(&object.spec).unwrap(), spec);
}

#[test]
fn odd_texts_and_fields_do_not_stop_decoding() {
    let object = external_secret(&json!({
        "refreshInterval": "1d",
        "refreshPolicy": "Sometimes",
        "aFieldOfTomorrow": {"x": 1},
        "target": {"creationPolicy": "owner", "template": {"engineVersion": "v1"}},
        "secretStoreRef": {"name": "kv", "kind": "VaultStore"},
    }));
    let target = &object.spec.target;
    assert_eq!(
        target.creation_policy,
        CreationPolicy::Unknown("owner".into())
    );
    assert_eq!(target.creation_policy.to_string(), "owner");
    assert_eq!(
        object.spec.refresh_policy(),
        RefreshPolicy::Unknown("Sometimes".into())
    );
    assert!(object.spec.refresh_interval.parse().is_err());
    assert!(object.spec.data.is_empty());
}

#[test]
fn a_status_says_null_and_an_empty_name_until_there_is_more() {
    let wire = json!({"refreshTime": null, "binding": {"name": ""}});
    let status: ExternalSecretStatus = serde_json::from_value(wire.clone()).unwrap();
    assert_eq!(status, ExternalSecretStatus::default());
    assert_eq!(serde_json::to_value(&status).unwrap(), wire);

    let wire = json!({
        "refreshTime": "2026-01-02T03:04:05Z",
        "syncedResourceVersion": "1-abc",
        "binding": {"name": "app"},
        "conditions": [{
            "type": "Ready", "status": "True", "reason": "SecretSynced", "message": "secret synced",
            "lastTransitionTime": "2026-01-02T03:04:05Z",
        }],
    });
    let status: ExternalSecretStatus = serde_json::from_value(wire.clone()).unwrap();
    assert!(status.conditions[0].is_true());
    assert_eq!(serde_json::to_value(&status).unwrap(), wire);
}

#[test]
fn a_provider_block_harms_only_its_own_store() {
    let fake = provider(json!({"fake": {"data": [{"key": "a", "value": "b"}]}}));
    assert!(matches!(fake.backend(), Ok(Backend::Fake(_))));

    let other = provider(json!({"vault": {"server": "https://v", "auth": {"x": [1, null]}}}));
    assert!(matches!(other.backend(), Ok(Backend::Unknown { name }) if name == "vault"));
    assert_eq!(
        serde_json::to_value(&other).unwrap()["vault"]["auth"]["x"],
        json!([1, null])
    );

    for (block, want) in [
        (json!({}), 0),
        (json!({"azurekv": null}), 0),
        (
            json!({"azurekv": {"vaultUrl": ""}, "fake": {"data": []}}),
            2,
        ),
    ] {
        let error = provider(block).backend().unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("secret stores must only have exactly one backend specified, found {want}")
        );
    }
    let malformed = provider(json!({"azurekv": {"vaultUrl": 7}}))
        .backend()
        .unwrap_err();
    assert_eq!(malformed.to_string(), "decode spec.provider.azurekv");
    assert!(matches!(malformed, ProviderError::Malformed { name, .. } if name == "azurekv"));
}

#[test]
fn both_kinds_of_store_have_one_spec() {
    let spec = json!({
        "controller": "c",
        "provider": {"azurekv": {"vaultUrl": "https://v", "tenantId": {"valueFrom": {}}}},
        "retrySettings": {"maxRetries": 3, "retryInterval": "10s"},
        "refreshInterval": 30,
        "conditions": [{"namespaceSelector": {"matchLabels": {"a": "b"}}, "namespaces": ["n"], "namespaceRegexes": ["^x"]}],
    });
    let wire = |kind: &str| json!({"apiVersion": "external-secrets.io/v1", "kind": kind, "metadata": {"name": "kv"}, "spec": spec});
    let cluster: ClusterSecretStore = serde_json::from_value(wire("ClusterSecretStore")).unwrap();
    let namespaced: SecretStore = serde_json::from_value(wire("SecretStore")).unwrap();
    assert_eq!(cluster.spec, namespaced.spec);
    assert_eq!(
        serde_json::to_value(&cluster).unwrap(),
        wire("ClusterSecretStore")
    );
    assert_eq!(
        serde_json::to_value(&namespaced).unwrap(),
        wire("SecretStore")
    );
}

#[test]
fn a_store_interval_is_seconds_or_a_duration() {
    let parse = |value: Value| {
        serde_json::from_value::<StoreInterval>(value)
            .unwrap()
            .parse()
    };
    assert_eq!(parse(json!(0)).unwrap(), None);
    assert_eq!(parse(json!("0")).unwrap(), None);
    assert_eq!(parse(json!(90)).unwrap().unwrap().as_secs(), 90);
    assert_eq!(parse(json!("1h30m")).unwrap().unwrap().as_secs(), 5400);
    for (value, want) in [
        (
            json!(-1),
            "invalid refreshInterval -1: must not be negative",
        ),
        (
            json!("-5m"),
            "invalid refreshInterval \"-5m\": must not be negative",
        ),
        (json!("soon"), "invalid refreshInterval \"soon\""),
        (json!(1.5), "invalid refreshInterval \"1.5\""),
    ] {
        assert_eq!(parse(value).unwrap_err().to_string(), want);
    }
    let spec: SecretStoreSpec = serde_json::from_value(json!({"provider": {}})).unwrap();
    assert_eq!(spec.refresh_interval, None);
}

#[test]
fn a_credential_field_is_text_or_a_reference() {
    let parse = |value: Value| CredentialField(value).parse("f");
    assert_eq!(parse(json!("id")), Ok(Credential::Literal("id".into())));
    let Ok(Credential::FromSecret(selector)) =
        parse(json!({"valueFrom": {"secretKeyRef": {"name": "n", "key": "k"}}}))
    else {
        panic!("a reference")
    };
    assert_eq!(
        (
            selector.name.as_str(),
            selector.namespace,
            selector.key.as_str()
        ),
        ("n", None, "k")
    );
    for (value, want) in [
        (json!(7), "f: must be an object"),
        (json!({}), "f.valueFrom: is missing"),
        (json!({"secretKeyRef": {}}), "f.secretKeyRef: unknown field"),
        (
            json!({"valueFrom": {"configMapKeyRef": {}}}),
            "f.valueFrom.configMapKeyRef: unknown field",
        ),
        (
            json!({"valueFrom": {"secretKeyRef": []}}),
            "f.valueFrom.secretKeyRef: must be an object",
        ),
        (
            json!({"valueFrom": {"secretKeyRef": {"key": "k"}}}),
            "f.valueFrom.secretKeyRef.name: is missing",
        ),
        (
            json!({"valueFrom": {"secretKeyRef": {"name": "n", "key": ""}}}),
            "f.valueFrom.secretKeyRef.key: must be a non-empty string",
        ),
        (
            json!({"valueFrom": {"secretKeyRef": {"name": "n", "key": "k", "optional": true}}}),
            "f.valueFrom.secretKeyRef.optional: unknown field",
        ),
    ] {
        let error = parse(value).unwrap_err().to_string();
        assert!(error.starts_with(want), "{error}");
        assert!(
            error.ends_with("write f: {valueFrom: {secretKeyRef: {name: NAME, key: KEY}}}"),
            "{error}"
        );
    }
}

#[test]
fn a_secret_written_into_the_store_is_neither_taken_nor_shown() {
    let field = CredentialField(json!("hunter2"));
    let error = field
        .parse_reference("spec.provider.azurekv.clientSecret")
        .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("spec.provider.azurekv.clientSecret: must not be written")
    );
    assert!(!format!("{error:?} {error} {field:?}").contains("hunter2"));
    let store = StoreProvider(
        json!({"azurekv": {"vaultUrl": "https://v", "clientSecret": "hunter2"}})
            .as_object()
            .unwrap()
            .clone(),
    );
    assert!(!format!("{store:?}").contains("hunter2"));
    let Ok(Backend::AzureKv(azure)) = store.backend() else {
        panic!("an azurekv block")
    };
    assert!(!format!("{azure:?}").contains("hunter2"));
}

#[test]
fn the_definitions_are_small_and_free_of_what_the_derive_adds() {
    assert!(crds::bundle_yaml().unwrap().len() < 120_000);
    for crd in crds::all() {
        let name = crd.metadata.name.clone().unwrap();
        let value = serde_json::to_value(&crd).unwrap();
        let mut nullable = Vec::new();
        let mut defaults = Vec::new();
        for version in value["spec"]["versions"].as_array().unwrap() {
            walk(
                &version["schema"]["openAPIV3Schema"],
                "",
                &mut |path, node| {
                    assert!(node.get("title").is_none(), "{name} {path}");
                    if node.get("nullable").is_some() {
                        nullable.push(path.to_owned());
                    }
                    if let Some(default) = node.get("default") {
                        assert!(
                            !path.contains("[]"),
                            "{name}: default in a list item: {path}"
                        );
                        defaults.push(format!("{path}={default}"));
                    }
                },
            );
        }
        defaults.sort();
        defaults.dedup();
        if name == "externalsecrets.external-secrets.io" {
            assert_eq!(nullable, [".status.refreshTime"; 2]);
            assert_eq!(
                defaults,
                [
                    r#".spec.refreshInterval="1h0m0s""#,
                    r#".spec.target.creationPolicy="Owner""#,
                    r#".spec.target.deletionPolicy="Retain""#,
                    r#".spec.target.template.engineVersion="v2""#,
                    r#".spec.target.template.mergePolicy="Replace""#,
                    r#".spec.target={"creationPolicy":"Owner","deletionPolicy":"Retain"}"#,
                    r#".status.binding.name="""#,
                ]
            );
        } else {
            assert!(nullable.is_empty());
            assert_eq!(
                defaults,
                [
                    r#".spec.provider.azurekv.authType="ServicePrincipal""#,
                    r#".spec.provider.azurekv.environmentType="PublicCloud""#,
                    ".spec.provider.azurekv.useAzureSDK=false",
                ]
            );
        }
    }
}

/// Every field of v1 explains itself: `kubectl explain` has something to say.
#[test]
fn every_field_is_described() {
    for crd in crds::all() {
        let value = serde_json::to_value(&crd).unwrap();
        walk(
            &value["spec"]["versions"][0]["schema"]["openAPIV3Schema"],
            "",
            &mut |path, node| {
                let is_field = !path.ends_with("[]") && !path.ends_with("{}");
                let is_selector = path.contains("namespaceSelector.");
                let is_bare = node.get("description").is_none() && is_field && !is_selector;
                assert!(!is_bare, "{path}");
                assert!(
                    !node["description"].to_string().contains("spec: "),
                    "{path}"
                );
            },
        );
    }
}

fn walk(node: &Value, path: &str, visit: &mut dyn FnMut(&str, &Value)) {
    visit(path, node);
    for (name, property) in node["properties"].as_object().into_iter().flatten() {
        walk(property, &format!("{path}.{name}"), visit);
    }
    for (member, mark) in [("items", "[]"), ("additionalProperties", "{}")] {
        if node[member].is_object() {
            walk(&node[member], &format!("{path}{mark}"), visit);
        }
    }
}

#[test]
fn open_enumerations_list_what_they_know() {
    assert_eq!(
        external_secret::RefreshPolicy::VALUES,
        ["Periodic", "CreatedOnce", "OnChange"]
    );
    for text in CreationPolicy::VALUES {
        assert!(!matches!(
            CreationPolicy::from((*text).to_owned()),
            CreationPolicy::Unknown(_)
        ));
    }
}
