//! Plays one fault in a namespace of its own, and says what a user sees of it.

use serde_json::{Value, json};

use super::fault::{Fault, Told};
use crate::support::cluster::{ObjectRef, array, text};
use crate::support::manifests::{external_secret, ready, replace, store_of};
use crate::support::operator::{Operator, Options};
use crate::support::scene::Scene;
use crate::support::settings;

const LIST: &str = "keyferry.io/allowed-keys";

/// What a user sees, without what differs from run to run.
pub(super) struct Seen {
    /// The ExternalSecret's `Ready` message.
    pub(super) external_secret: String,
    pub(super) store: Store,
}

/// What the store says.
pub(super) enum Store {
    /// There is none.
    Absent,
    /// It is ready and knows of no trouble.
    Content,
    /// A condition is false.
    Complains(Condition),
}

/// A condition that is false.
pub(super) struct Condition {
    pub(super) kind: &'static str,
    pub(super) reason: String,
    pub(super) message: String,
}

/// Plays the fault and ends the test where cause or remedy is not told.
pub(super) async fn play(fault: &Fault) -> Seen {
    let scene = Scene::new("fault").await;
    let operator = operator(&scene, fault);
    azure(&scene, fault);
    let store = cluster(&scene, fault).await;
    let words = [fault.cause, fault.remedy].map(|words| filled(&scene, words));
    let words = [words[0].as_str(), words[1].as_str()];

    let app = scene.object("ExternalSecret", "app");
    let seen = match fault.told {
        Told::Store => {
            let waits = ["is not ready", "its status says why"];
            let app = told(&scene, &app, "Ready", &waits).await;
            let seen = told(&scene, &store, "Ready", &words).await;
            repeated(&scene, &store, "InvalidProviderConfig", &words, &seen).await;
            (app, Store::Complains(seen))
        }
        others => {
            let app_says = told(&scene, &app, "Ready", &words).await;
            repeated(&scene, &app, "UpdateFailed", &words, &app_says).await;
            let store = match others {
                Told::Vault(reason) => {
                    let seen = told(&scene, &store, "Reachable", &words).await;
                    repeated(&scene, &store, "Unreachable", &words, &seen).await;
                    assert_eq!(seen.reason, reason);
                    Store::Complains(seen)
                }
                Told::Guard => Store::Complains(told(&scene, &store, "AllowedKeys", &words).await),
                _ => content(&scene, &store).await,
            };
            (app_says, store)
        }
    };
    if store_is_shared(fault) {
        scene.delete(&cluster_store(&scene)).await;
    }
    drop(operator);
    let (app, store) = seen;
    Seen {
        external_secret: settled(&scene, &app.message),
        store: match store {
            Store::Complains(condition) => Store::Complains(Condition {
                message: settled(&scene, &condition.message),
                ..condition
            }),
            other => other,
        },
    }
}

/// Waits until a condition is false and its message holds these words.
async fn told(
    scene: &Scene,
    object: &ObjectRef,
    kind: &'static str,
    words: &[&str; 2],
) -> Condition {
    let of = |found: Option<&Value>| {
        let conditions = found.map_or(&Value::Null, |it| &it["status"]["conditions"]);
        let says = |it: &&Value| {
            let message = text(&it["message"]);
            it["type"] == kind
                && it["status"] == "False"
                && words.iter().all(|word| message.contains(word))
        };
        array(conditions).find(says).cloned()
    };
    let what = format!("{kind}=False {words:?}");
    let found = scene.until(&what, object, |it| of(it).is_some()).await;
    let found = of(Some(&found)).unwrap_or_default();
    Condition {
        kind,
        reason: text(&found["reason"]).to_owned(),
        message: text(&found["message"]).to_owned(),
    }
}

/// Waits until an event holds these words, and nothing that the condition does not.
async fn repeated(
    scene: &Scene,
    object: &ObjectRef,
    reason: &str,
    words: &[&str; 2],
    condition: &Condition,
) {
    let event = scene.event(object, "Warning", reason, words).await;
    assert!(condition.message.ends_with(&event), "{event}");
}

/// The store where the fault is none of its own: no condition is false.
async fn content(scene: &Scene, store: &ObjectRef) -> Store {
    let Some(found) = scene.bed().cluster().get(store).await.unwrap() else {
        return Store::Absent;
    };
    assert_eq!(ready(&found)["status"], "True");
    let mut conditions = array(&found["status"]["conditions"]);
    assert!(conditions.all(|it| it["status"] == "True"), "{found}");
    Store::Content
}

/// An operator that has this namespace to itself.
fn operator(scene: &Scene, fault: &Fault) -> Option<Operator> {
    let own = fault.operator.as_ref()?;
    let class = format!("--controller-class={}", scene.namespace);
    let namespace = format!("--namespace={}", scene.namespace);
    let mut options = Options::flags(&[&class, &namespace]);
    let flags = own.flags.iter().map(|flag| filled(scene, flag));
    options.flags.extend(flags);
    let variables = own.environment.iter();
    let variables = variables.map(|(name, value)| ((*name).to_owned(), filled(scene, value)));
    options.environment.extend(variables);
    Some(Operator::start(&settings::operator(), scene.bed(), options).unwrap())
}

fn azure(scene: &Scene, fault: &Fault) {
    let (bed, namespace) = (scene.bed(), scene.namespace.as_str());
    bed.seed(namespace, fault.content.clone()).unwrap();
    if let Some(name) = fault.deleted {
        bed.azure().delete_secret(namespace, name);
    }
    scene.fault(&in_scene(scene, fault.vault.clone()));
    if let Some((host, fault)) = &fault.host {
        bed.fault(host, fault.clone()).unwrap();
    }
    bed.entra(&json!({azfake::TENANT: fault.applications}))
        .unwrap();
    if let Some(allowed) = fault.permissions {
        bed.azure()
            .permissions(azfake::CLIENT, namespace, Some(allowed));
    }
}

/// Applies all that is in the cluster and returns the store.
async fn cluster(scene: &Scene, fault: &Fault) -> ObjectRef {
    if !fault.credentials.is_null() {
        scene
            .apply(
                json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "creds"},
            "stringData": fault.credentials}),
            )
            .await;
    }
    for object in &fault.objects {
        scene.apply(object.clone()).await;
    }
    let mut spec = fault.external_secret.clone();
    let store = if store_is_shared(fault) {
        let reference = json!({"name": scene.namespace, "kind": "ClusterSecretStore"});
        replace(&mut spec, json!({"secretStoreRef": reference}));
        cluster_store(scene)
    } else {
        scene.object("SecretStore", "kv")
    };
    if !fault.store.is_null() {
        scene.apply(store_manifest(scene, fault)).await;
    }
    scene.apply(external_secret("app", spec)).await;
    store
}

fn store_is_shared(fault: &Fault) -> bool {
    fault.allowed_keys.is_some()
}

fn cluster_store(scene: &Scene) -> ObjectRef {
    ObjectRef {
        namespace: None,
        ..scene.object("ClusterSecretStore", &scene.namespace)
    }
}

fn store_manifest(scene: &Scene, fault: &Fault) -> Value {
    let mut block = scene.store(json!({}))["spec"]["provider"]["azurekv"].take();
    replace(&mut block, in_scene(scene, fault.store.clone()));
    if let Some(list) = &fault.allowed_keys {
        let references = block["authSecretRef"].as_object_mut().into_iter().flatten();
        for (_, reference) in references {
            reference["namespace"] = json!(scene.namespace);
        }
        let mut store = store_of(&json!({"azurekv": block}));
        store["kind"] = json!("ClusterSecretStore");
        store["metadata"] =
            json!({"name": scene.namespace, "annotations": {LIST: list.to_string()}});
        return store;
    }
    let mut store = store_of(&json!({"azurekv": block}));
    if fault.operator.is_some() {
        store["spec"]["controller"] = json!(scene.namespace);
    }
    store
}

/// What differs from run to run, and the placeholder that a fault has for it.
fn placeholders(scene: &Scene) -> [(&'static str, String); 3] {
    let url = scene.bed().plane().url().to_owned();
    let address = url.trim_start_matches("https://").to_owned();
    [
        ("${ISSUER}", url),
        ("${API}", address),
        ("${NS}", scene.namespace.clone()),
    ]
}

fn filled(scene: &Scene, text: &str) -> String {
    let fill = |text: String, (name, value): (&str, String)| text.replace(name, &value);
    placeholders(scene).into_iter().fold(text.to_owned(), fill)
}

fn in_scene(scene: &Scene, value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(filled(scene, &text)),
        Value::Object(members) => {
            let filled = members
                .into_iter()
                .map(|(name, value)| (name, in_scene(scene, value)));
            Value::Object(filled.collect())
        }
        other => other,
    }
}

/// The other way round, in words that a reader understands.
fn settled(scene: &Scene, text: &str) -> String {
    let names = ["https://ISSUER", "127.0.0.1:443", "my-vault"];
    let settle =
        |text: String, ((_, value), name): ((&str, String), &str)| text.replace(&value, name);
    // the vault has the namespace's name here, and only here
    let namespace = [
        (
            format!("namespace {:?}", scene.namespace),
            "namespace \"my-namespace\"",
        ),
        (format!(" {}/", scene.namespace), " my-namespace/"),
        (
            format!("serviceaccount:{}:", scene.namespace),
            "serviceaccount:my-namespace:",
        ),
        (
            format!("ClusterSecretStore {:?}", scene.namespace),
            "ClusterSecretStore \"my-store\"",
        ),
    ];
    let text = namespace
        .into_iter()
        .fold(text.to_owned(), |text, (value, name)| {
            text.replace(&value, name)
        });
    let text = placeholders(scene)
        .into_iter()
        .zip(names)
        .fold(text, settle);
    // where a long text is cut depends on the length of the namespace's name
    match text.split_once(" DecisionReason") {
        Some((told, rest)) => match rest.split_once('…') {
            Some((_, rest)) => format!("{told} DecisionReason…{rest}"),
            None => text,
        },
        None => text,
    }
}
