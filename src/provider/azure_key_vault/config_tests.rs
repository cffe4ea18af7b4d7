//! Tests of `config`: layouts, texts, clouds, vault URLs.

use serde_json::{Value, json};

use super::*;

const OWN: &str = "team";

fn namespaced() -> Scope {
    Scope::Namespaced(OWN.to_owned())
}

fn unbound() -> Scope {
    Scope::Cluster { consumer: None }
}

fn block(extra: &Value) -> AzureKv {
    let mut block = json!({"vaultUrl": "https://kv.vault.azure.net"});
    for (name, value) in extra.as_object().unwrap() {
        block[name] = value.clone();
    }
    serde_json::from_value(block).unwrap()
}

fn parse(extra: &Value) -> Result<Config, Error> {
    Config::parse(&block(extra), &namespaced(), &[])
}

fn principal(extra: &Value) -> Result<Principal, Error> {
    let config = parse(extra)?;
    config.refuse_unknown()?;
    config.principal()
}

fn in_secret(key: &str) -> Value {
    json!({"valueFrom": {"secretKeyRef": {"name": "sp", "key": key}}})
}

fn selector(key: &str) -> SecretKeySelector {
    SecretKeySelector {
        name: "sp".to_owned(),
        namespace: None,
        key: key.to_owned(),
    }
}

fn refs() -> Value {
    json!({"clientId": {"name": "sp", "key": "id"}, "clientSecret": {"name": "sp", "key": "secret"}})
}

#[test]
fn both_layouts_give_the_same_principal() {
    let want = Principal {
        cloud: Cloud::public(),
        tenant: IdSource::FromSecret(selector("tenant")),
        client_id: IdSource::FromSecret(selector("id")),
        proof: Proof::Secret(selector("secret")),
    };
    let howto = json!({
        "tenantId": in_secret("tenant"), "clientId": in_secret("id"), "clientSecret": in_secret("secret"),
    });
    let mut eso = refs();
    eso["tenantId"] = json!({"name": "sp", "key": "tenant"});
    assert_eq!(principal(&howto).unwrap(), want);
    assert_eq!(principal(&json!({"authSecretRef": eso})).unwrap(), want);
    // the literal wins over the reference, and is trimmed
    let literal = principal(&json!({"tenantId": " t\n", "authSecretRef": eso})).unwrap();
    assert_eq!(literal.tenant, IdSource::Literal("t".to_owned()));
    let mixed = json!({"tenantId": "t", "clientId": "app", "clientSecret": in_secret("secret")});
    let client_id = principal(&mixed).unwrap().client_id;
    assert_eq!(client_id, IdSource::Literal("app".to_owned()));
}

#[test]
fn what_is_missing_or_double_is_named() {
    let mut both = refs();
    both["clientCertificate"] = json!({"name": "sp", "key": "pem"});
    let mut with_tenant = refs();
    with_tenant["tenantId"] = json!({"name": "sp", "key": "tenant"});
    let cases = [
        (
            json!({"authSecretRef": refs()}),
            "missing tenantID in store config",
        ),
        (
            json!({"tenantId": "  ", "authSecretRef": refs()}),
            "missing tenantID in store config",
        ),
        (
            json!({"tenantId": "t"}),
            "missing secretRef in provider config",
        ),
        (
            json!({"tenantId": "t", "authSecretRef": {}}),
            "missing accessKeyID/secretAccessKey in store config",
        ),
        (
            json!({"tenantId": "t", "authSecretRef": both}),
            "both clientSecret and clientCredentials set",
        ),
        (
            json!({"tenantId": "t", "clientId": "x", "authSecretRef": refs()}),
            "azurekv.clientId and spec.provider.azurekv.authSecretRef.clientId are both set",
        ),
        (
            json!({"tenantId": in_secret("tenant"), "authSecretRef": with_tenant}),
            "tenantId and spec.provider.azurekv.authSecretRef.tenantId are both set",
        ),
        (
            json!({"tenantId": "t", "clientSecret": "hunter2"}),
            "azurekv.clientSecret: must not be written into the store",
        ),
        (
            json!({"tenantId": {"valueFrom": {"configMapKeyRef": {}}}}),
            "azurekv.tenantId.valueFrom.configMapKeyRef: unknown field",
        ),
    ];
    refuses(&cases);
}

#[test]
fn an_unknown_auth_type_is_named() {
    refuses(&[(
        json!({"authType": "Password"}),
        "no valid authType was specified",
    )]);
}

#[test]
fn the_auth_type_says_who_signs_in() {
    let of = |extra: &Value| parse(extra).unwrap().sign_in_as().unwrap();
    let machine = |id: &str| of(&json!({"authType": "ManagedIdentity", "identityId": id}));
    assert_eq!(machine(""), SignInAs::Managed(None));
    let client = UserAssigned::ClientId("app".to_owned());
    assert_eq!(machine("app"), SignInAs::Managed(Some(client)));
    let workload = json!({"authType": "WorkloadIdentity"});
    assert_eq!(of(&workload), SignInAs::Mounted(Cloud::public()));
    let mut account = json!({
        "authType": "WorkloadIdentity", "tenantId": "t", "serviceAccountRef": {"name": "wi"},
        "authSecretRef": {"tenantId": {"name": "sp", "key": "tenant"}},
    });
    let SignInAs::Account(found) = of(&account) else {
        panic!("not an account");
    };
    assert_eq!(found.tenant, Some(IdSource::Literal("t".to_owned())));
    assert_eq!(
        found.tenant_in_secret,
        Some(IdSource::FromSecret(selector("tenant")))
    );
    assert!(found.names_credentials && !found.first_wins);
    // only ESO's usual way signs in while the store is validated
    let scope = |extra: &Value| parse(extra).unwrap().scope_to_check();
    let checked = scope(&account);
    assert_eq!(checked.as_deref(), Some("https://vault.azure.net/.default"));
    account["useAzureSDK"] = json!(true);
    assert_eq!(scope(&account), None);
    assert_eq!(scope(&json!({"authType": "ManagedIdentity"})), None);
    let certificate = json!({"tenantId": "t", "authSecretRef": {
        "clientId": {"name": "sp", "key": "id"}, "clientCertificate": {"name": "sp", "key": "pem"},
    }});
    let proof = principal(&certificate).unwrap().proof;
    assert_eq!(proof, Proof::Certificate(selector("pem")));
}

#[test]
fn hosts_that_are_no_vaults_are_told_with_what_to_write() {
    refuses(&[
        (
            json!({"vaultUrl": "https://kv.privatelink.vaultcore.azure.net"}),
            "is the name of a private endpoint, for which the vault has no certificate; write https://kv.vault.azure.net",
        ),
        (
            json!({"vaultUrl": "https://kv.privatelink.vaultcore.azure.cn", "environmentType": "ChinaCloud"}),
            "write https://kv.vault.azure.cn",
        ),
        (
            json!({"vaultUrl": "https://kv.vault.azure.cn:8443"}),
            "write https://NAME.vault.azure.net, check environmentType, or allow it with --allow-vault-host=kv.vault.azure.cn:8443",
        ),
    ]);
    let url = "https://kv.privatelink.vaultcore.azure.net";
    let allowed = ["kv.privatelink.vaultcore.azure.net".to_owned()];
    let block = block(&json!({"vaultUrl": url}));
    assert!(Config::parse(&block, &namespaced(), &allowed).is_ok());
}

/// Each block is refused with these words, and without what it holds.
fn refuses(cases: &[(Value, &str)]) {
    for (extra, want) in cases {
        let error = principal(extra).unwrap_err();
        assert!(matches!(error, Error::Config { .. }), "{error}");
        assert!(error.to_string().contains(want), "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

#[test]
fn a_namespaced_store_names_no_other_namespace() {
    let other = |member: &str| {
        let mut refs = refs();
        refs[member]["namespace"] = json!("elsewhere");
        json!({"tenantId": "t", "authSecretRef": refs})
    };
    let account = json!({"serviceAccountRef": {"name": "sa", "namespace": "elsewhere"}});
    let cases = [
        (
            other("clientId"),
            "invalid AuthSecretRef.ClientID: namespace should either",
        ),
        (
            other("clientSecret"),
            "invalid AuthSecretRef.ClientSecret: namespace should either",
        ),
        (
            account,
            "invalid ServiceAccountRef: namespace should either",
        ),
    ];
    for (extra, want) in cases {
        let error = parse(&extra).unwrap_err().to_string();
        assert!(error.starts_with(want), "{error}");
        assert!(Config::parse(&block(&extra), &unbound(), &[]).is_ok());
    }
    let mut own = refs();
    own["clientId"]["namespace"] = json!(OWN);
    assert!(parse(&json!({"authSecretRef": own})).is_ok());
}

#[test]
fn credentials_of_the_consumer_wait_for_one() {
    let mut bound = refs();
    for member in ["clientId", "clientSecret"] {
        bound[member]["namespace"] = json!("external-secrets");
    }
    let config = |refs: &Value| {
        Config::parse(
            &block(&json!({"tenantId": "t", "authSecretRef": refs})),
            &unbound(),
            &[],
        )
        .unwrap()
    };
    let consumer = Scope::Cluster {
        consumer: Some(OWN.to_owned()),
    };
    assert!(!config(&bound).is_referent(&unbound()));
    assert!(config(&refs()).is_referent(&unbound()));
    assert!(!config(&refs()).is_referent(&consumer));
    assert!(!config(&refs()).is_referent(&namespaced()));
    bound["clientSecret"]
        .as_object_mut()
        .unwrap()
        .remove("namespace");
    assert!(config(&bound).is_referent(&unbound()));
}

#[test]
fn clouds_and_their_texts() {
    let custom = |endpoint: &str| json!({"activeDirectoryEndpoint": endpoint});
    let refused = [
        (
            json!({"customCloudConfig": custom("https://adfs.local")}),
            "CustomCloudConfig requires UseAzureSDK to be set to true",
        ),
        (
            json!({"useAzureSDK": true, "customCloudConfig": custom("")}),
            "activeDirectoryEndpoint is required in CustomCloudConfig",
        ),
        (
            json!({"useAzureSDK": true, "customCloudConfig": custom("http://adfs.local")}),
            "activeDirectoryEndpoint is not https://HOST",
        ),
        (
            json!({"environmentType": "AzureStackCloud"}),
            "CustomCloudConfig is required when EnvironmentType is AzureStackCloud",
        ),
        (
            json!({"environmentType": "GermanCloud", "useAzureSDK": true}),
            "failed to get cloud configuration: Azure Germany",
        ),
        (
            json!({"environmentType": "Moon"}),
            "environmentType is unknown",
        ),
        (
            json!({"environmentType": "ChinaCloud"}),
            "https://NAME.vault.azure.cn",
        ),
    ];
    for (extra, want) in refused {
        let error = parse(&extra).unwrap_err().to_string();
        assert!(error.contains(want), "{error}");
    }
    let other_sign_in =
        json!({"useAzureSDK": true, "customCloudConfig": custom("https://login.example/")});
    let cloud = parse(&other_sign_in).unwrap().vault.cloud;
    assert_eq!(cloud.authority(), "https://login.example");
    assert_eq!(cloud.vault_suffix(), Some("vault.azure.net"));
    let stack = json!({
        "environmentType": "AzureStackCloud", "useAzureSDK": true, "vaultUrl": "https://kv.vault.local.example",
        "customCloudConfig": {
            "activeDirectoryEndpoint": "https://adfs.local.example", "keyVaultDNSSuffix": "vault.local.example",
        },
    });
    assert_eq!(parse(&stack).unwrap().vault.host, "kv.vault.local.example");
    let german =
        json!({"environmentType": "GermanCloud", "vaultUrl": "https://kv.vault.microsoftazure.de"});
    assert!(parse(&german).is_ok());
}

#[test]
fn a_token_of_the_cluster_goes_to_no_sign_in_host_that_a_store_brings_along() {
    let judge = |auth_type: &str, host: &str, allowed: &[String]| {
        let cloud = json!({"activeDirectoryEndpoint": format!("https://{host}")});
        let store = json!({"authType": auth_type, "useAzureSDK": true, "customCloudConfig": cloud});
        parse(&store).unwrap().refuse_foreign_authority(allowed)
    };
    let (known, foreign) = ("login.partner.microsoftonline.cn", "login.evil.example");
    assert!(judge("WorkloadIdentity", known, &[]).is_ok());
    assert!(judge("WorkloadIdentity", foreign, &[foreign.to_owned()]).is_ok());
    assert!(judge("ServicePrincipal", foreign, &[]).is_ok());
    let error = judge("WorkloadIdentity", foreign, &[])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains(foreign) && error.contains("--allow-vault-host"),
        "{error}"
    );
}

#[test]
fn tokens_go_to_vaults_only() {
    let url = |url: &str, allowed: &[&str]| {
        let allowed: Vec<String> = allowed.iter().map(ToString::to_string).collect();
        let spec = block(&json!({"vaultUrl": url}));
        Config::parse(&spec, &namespaced(), &allowed).map(|config| config.vault.url)
    };
    for text in [
        "https://kv.vault.azure.net",
        "https://KV.vault.azure.net/",
        " https://kv.vault.azure.net:443/\n",
    ] {
        assert_eq!(url(text, &[]).unwrap(), "https://kv.vault.azure.net/");
    }
    for text in [
        "",
        "http://kv.vault.azure.net",
        "kv.vault.azure.net",
        "https://kv.vault.azure.net/secrets/a",
        "https://evil.example",
        "https://kv.vault.azure.net.evil.example",
        "https://kv.vault.azure.net:8443",
        "https://kv.vault.azure.net@evil.example",
        "https://127.0.0.1",
        "https://[::1]",
        "https://vault.azure.net",
        "https://kv.vault.azure.cn",
    ] {
        let error = url(text, &["other.example"]).unwrap_err();
        assert!(matches!(error, Error::Config { .. }), "{text}");
        assert!(
            error.to_string().contains("spec.provider.azurekv.vaultUrl"),
            "{error}"
        );
    }
    assert!(url("https://alias.example", &["alias.example"]).is_ok());
    assert!(url("https://alias.example:8443", &["alias.example:8443"]).is_ok());
    assert!(url("https://alias.example:8443", &["alias.example"]).is_err());
}
