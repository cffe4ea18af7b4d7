//! The control plane against its promises: RBAC, garbage collection, namespaces, tokens, restarts.
//! One plane serves all tests; each works in a namespace of its own.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test fail as the test does"
)]

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::future::Future;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret};
use kube::api::{DeleteParams, ListParams, PostParams};
use kube::{Api, Client, ResourceExt as _};
use serde_json::{Value, json};
use testbed::{AuditFilter, Component, ControlPlane, Options};
use tokio::sync::OnceCell;
use tokio::time::sleep;

const HOUR: Duration = Duration::from_hours(1);

/// A CRD given at start: the garbage collector knows its kind from the beginning.
const WIDGETS: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.test.invalid}
spec:
  group: test.invalid
  scope: Namespaced
  names: {kind: Widget, plural: widgets}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
---
apiVersion: test.invalid/v1
kind: Widget
metadata: {name: first, namespace: default}
";

async fn plane() -> &'static ControlPlane {
    static PLANE: OnceCell<ControlPlane> = OnceCell::const_new();
    let options = Options {
        audit: true,
        manifests: vec![WIDGETS.to_owned()],
        ..Options::default()
    };
    PLANE
        .get_or_init(|| async { ControlPlane::start(options).await.unwrap() })
        .await
}

async fn namespace(plane: &ControlPlane, name: &str) {
    plane
        .apply_yaml(&format!(
            "{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}}}}}"
        ))
        .await
        .unwrap();
}

fn config_map(name: &str, owner: &Value) -> ConfigMap {
    serde_json::from_value(json!({"metadata": {"name": name, "ownerReferences": owner}})).unwrap()
}

/// Asks until the answer is `Some`, at most half a minute.
async fn until<T, E: Debug, F: Future<Output = Result<Option<T>, E>>>(
    what: &str,
    mut ask: impl FnMut() -> F,
) -> T {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(found) = ask().await.unwrap() {
            return found;
        }
        assert!(Instant::now() < end, "waited in vain for {what}");
        sleep(Duration::from_millis(50)).await;
    }
}

async fn is_gone<K>(api: &Api<K>, name: &str) -> kube::Result<Option<()>>
where
    K: Clone + serde::de::DeserializeOwned + Debug,
{
    Ok(api.get_opt(name).await?.is_none().then_some(()))
}

async fn list_secrets(client: Client, namespace: &str) -> kube::Result<usize> {
    let secrets: Api<Secret> = Api::namespaced(client, namespace);
    Ok(secrets.list(&ListParams::default()).await?.items.len())
}

#[tokio::test]
async fn rbac_denies_a_service_account_until_it_has_a_role() {
    let plane = plane().await;
    let kubeconfig = plane
        .service_account_kubeconfig("rbac", "worker", HOUR)
        .await
        .unwrap();
    let client = plane.client_from(&kubeconfig).await.unwrap();
    let denied = list_secrets(client.clone(), "rbac")
        .await
        .unwrap_err()
        .to_string();
    assert!(
        denied.contains("system:serviceaccount:rbac:worker") && denied.contains("cannot list"),
        "{denied}"
    );
    let binding = "
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: worker, namespace: rbac}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: admin}
subjects: [{kind: ServiceAccount, name: worker, namespace: rbac}]
";
    plane.apply_yaml(binding).await.unwrap();
    let allowed = || async { Ok::<_, ()>(list_secrets(client.clone(), "rbac").await.ok()) };
    assert_eq!(until("the role to count", allowed).await, 0);
    assert!(
        list_secrets(client, "default").await.is_err(),
        "the role ends with its namespace"
    );
}

#[tokio::test]
async fn a_user_certificate_carries_name_and_groups() {
    let plane = plane().await;
    let kubeconfig = plane
        .client_certificate_kubeconfig("alice", &["devs", "ops"])
        .unwrap();
    let output = plane
        .kubectl_as(&kubeconfig, ["auth", "whoami", "-o", "json"], "")
        .await
        .unwrap();
    let answer: Value = serde_json::from_str(&output.success().unwrap()).unwrap();
    let user = &answer["status"]["userInfo"];
    assert_eq!(user["username"], "alice");
    let groups: BTreeSet<&str> = user["groups"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(
        groups,
        BTreeSet::from(["devs", "ops", "system:authenticated"])
    );
    let denied = plane
        .kubectl_as(&kubeconfig, ["get", "secrets"], "")
        .await
        .unwrap();
    assert_eq!(denied.code, 1);
    assert!(
        denied
            .stderr
            .contains(r#"secrets is forbidden: User "alice""#),
        "{}",
        denied.stderr
    );
}

#[tokio::test]
async fn what_an_owner_owns_goes_with_it() {
    let plane = plane().await;
    namespace(plane, "gc").await;
    let maps: Api<ConfigMap> = Api::namespaced(plane.admin_client(), "gc");
    let owner = maps
        .create(&PostParams::default(), &config_map("owner", &json!([])))
        .await
        .unwrap();
    let reference =
        json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner.uid()}]);
    maps.create(&PostParams::default(), &config_map("owned", &reference))
        .await
        .unwrap();
    maps.create(&PostParams::default(), &config_map("free", &json!([])))
        .await
        .unwrap();
    maps.delete("owner", &DeleteParams::default())
        .await
        .unwrap();
    until("the garbage collector", || is_gone(&maps, "owned")).await;
    assert!(maps.get_opt("free").await.unwrap().is_some());
}

#[tokio::test]
async fn a_custom_owner_given_at_start_is_known_to_the_garbage_collector() {
    let plane = plane().await;
    let output = plane
        .kubectl(["get", "widget", "first", "-o", "jsonpath={.metadata.uid}"])
        .await
        .unwrap();
    let uid = output.success().unwrap();
    let maps: Api<ConfigMap> = Api::namespaced(plane.admin_client(), "default");
    let reference =
        json!([{"apiVersion": "test.invalid/v1", "kind": "Widget", "name": "first", "uid": uid}]);
    maps.create(&PostParams::default(), &config_map("of-widget", &reference))
        .await
        .unwrap();
    plane
        .kubectl(["delete", "widget", "first"])
        .await
        .unwrap()
        .success()
        .unwrap();
    until("the garbage collector", || is_gone(&maps, "of-widget")).await;
}

#[tokio::test]
async fn a_namespace_goes_with_its_content() {
    let plane = plane().await;
    let namespaces: Api<Namespace> = Api::all(plane.admin_client());
    namespace(plane, "short-lived").await;
    let maps: Api<ConfigMap> = Api::namespaced(plane.admin_client(), "short-lived");
    maps.create(&PostParams::default(), &config_map("content", &json!([])))
        .await
        .unwrap();
    namespaces
        .delete("short-lived", &DeleteParams::default())
        .await
        .unwrap();
    until("the namespace to go", || {
        is_gone(&namespaces, "short-lived")
    })
    .await;
    assert!(
        maps.list(&ListParams::default())
            .await
            .unwrap()
            .items
            .is_empty()
    );
}

fn decoded(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn a_token_can_be_verified_with_the_issuers_published_keys() {
    let plane = plane().await;
    plane
        .service_account_kubeconfig("tokens", "federated", HOUR)
        .await
        .unwrap();
    let audience = "api://AzureADTokenExchange";
    let token = plane
        .service_account_token("tokens", "federated", &[audience], HOUR)
        .await
        .unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (header, claims) = signed
        .split_once('.')
        .map(|(h, c)| (decoded(h), decoded(c)))
        .unwrap();
    assert_eq!(claims["iss"], plane.issuer());
    assert_eq!(claims["aud"], json!([audience]));
    assert_eq!(claims["sub"], "system:serviceaccount:tokens:federated");
    assert_eq!(header["alg"], "RS256");

    let anonymous = anonymous(plane);
    let discovery = get(&anonymous, "/.well-known/openid-configuration").await;
    assert_eq!(discovery["issuer"], plane.issuer());
    assert_eq!(
        discovery["jwks_uri"],
        format!("{}/openid/v1/jwks", plane.issuer())
    );
    let keys = get(&anonymous, "/openid/v1/jwks").await;
    let key = keys["keys"]
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["kid"] == header["kid"])
        .unwrap();
    let part = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
    let public = ring::signature::RsaPublicKeyComponents {
        n: part("n"),
        e: part("e"),
    };
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let scheme = &ring::signature::RSA_PKCS1_2048_8192_SHA256;
    public
        .verify(scheme, signed.as_bytes(), &signature)
        .unwrap();
    assert!(public.verify(scheme, b"another text", &signature).is_err());
}

/// A client that trusts the server and shows no credentials.
fn anonymous(plane: &ControlPlane) -> Client {
    let mut config = kube::Config::new(plane.url().parse().unwrap());
    let pem = plane
        .ca_pem()
        .lines()
        .filter(|line| !line.starts_with("---"))
        .collect::<String>();
    config.root_cert = Some(vec![
        base64::engine::general_purpose::STANDARD
            .decode(pem)
            .unwrap(),
    ]);
    Client::try_from(config).unwrap()
}

async fn get(client: &Client, path: &str) -> Value {
    client
        .request(http::Request::get(path).body(Vec::new()).unwrap())
        .await
        .unwrap()
}

#[tokio::test]
async fn the_audit_log_counts_requests() {
    let plane = plane().await;
    let kubeconfig = plane.client_certificate_kubeconfig("counted", &[]).unwrap();
    let client = plane.client_from(&kubeconfig).await.unwrap();
    for _ in 0..3 {
        assert!(list_secrets(client.clone(), "default").await.is_err());
    }
    let filter = AuditFilter {
        verb: Some("list"),
        resource: Some("secrets"),
        user: Some("counted"),
    };
    let counted = || async { anyhow::Ok((plane.audit_count(filter)? == 3).then_some(())) };
    until("three entries", counted).await;
    let other = AuditFilter {
        verb: Some("get"),
        ..filter
    };
    assert_eq!(plane.audit_count(other).unwrap(), 0);
    let event = plane
        .audit_events()
        .unwrap()
        .into_iter()
        .find(|event| filter.matches(event))
        .unwrap();
    assert_eq!((event.code, event.namespace.as_str()), (403, "default"));
}

#[tokio::test]
async fn figures_are_told() {
    let plane = plane().await;
    assert!(
        plane
            .metrics()
            .await
            .unwrap()
            .contains("apiserver_request_total")
    );
    let usage = plane.usage(Component::ApiServer).unwrap();
    assert!(
        usage.cpu > Duration::ZERO && usage.peak_resident > 50_000_000,
        "{usage:?}"
    );
    let version = plane
        .kubectl(["version", "-o", "json"])
        .await
        .unwrap()
        .success()
        .unwrap();
    let version: Value = serde_json::from_str(&version).unwrap();
    assert_eq!(
        version["serverVersion"]["gitVersion"],
        version["clientVersion"]["gitVersion"]
    );
}

#[tokio::test]
async fn a_refused_object_is_named() {
    let plane = plane().await;
    let error = plane
        .apply_yaml("{apiVersion: v1, kind: ConfigMap, metadata: {name: Bad_Name}}")
        .await
        .unwrap_err();
    assert!(
        format!("{error:#}").contains("apply ConfigMap Bad_Name: "),
        "{error:#}"
    );
    let error = plane
        .apply_yaml("{apiVersion: v1, kind: Nonsense, metadata: {name: a}}")
        .await
        .unwrap_err();
    assert!(
        format!("{error:#}").contains("v1 Nonsense is not served"),
        "{error:#}"
    );
}
