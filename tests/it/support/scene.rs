//! One test's corner of a control plane that many tests share: a namespace, a vault of the same
//! name and the running operator. It says what an object should come to; it knows no case.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy's exception for tests does not reach their helpers"
)]

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use azfake::LoggedRequest;
use serde_json::{Value, json};
use testbed::AuditEvent;
use tokio::sync::OnceCell;
use tokio::time::{Instant, sleep};

use super::bed::{Bed, Kind};
use super::cluster::{ObjectRef, text};
use super::manifests::{credentials, external_secret, ready, replace, store_of, value};
use super::operator::{self, Operator, Options, SYNC_CALLS, counter};
use super::settings;

/// So long something that should happen at once may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);

/// Control plane and operator of all scenes. It logs all it can: no line may hold a secret.
struct Shared {
    bed: Bed,
    operator: Operator,
}

static SHARED: OnceCell<Shared> = OnceCell::const_new();
static GENERIC: OnceCell<Shared> = OnceCell::const_new();

async fn start(flags: &[&str], manifests: &[&str]) -> Shared {
    let bed = Bed::start_as(Kind::Audited).await.unwrap();
    for manifest in manifests {
        bed.install(manifest).await.unwrap();
    }
    let mut options = Options::flags(flags);
    options.flags.push("--loglevel=trace".to_owned());
    let mut operator = Operator::start(&settings::operator(), &bed, options).unwrap();
    operator.warm_up(&bed).await.unwrap();
    Shared { bed, operator }
}

/// A namespace and a vault of one test. Its methods end the test where they do not succeed.
pub(crate) struct Scene {
    shared: &'static Shared,
    /// The namespace, and the label of the vault.
    pub(crate) namespace: String,
    marks: AtomicU32,
}

impl Scene {
    /// An empty namespace and an empty vault.
    pub(crate) async fn new(prefix: &str) -> Self {
        Self::on(SHARED.get_or_init(|| start(&[], &[])).await, prefix).await
    }

    /// Beside an operator that may write targets of other kinds: ConfigMaps, and the kinds and rights
    /// in `manifest` (of the first caller).
    pub(crate) async fn with_generic_targets(prefix: &str, manifest: &str) -> Self {
        let flags = ["--unsafe-allow-generic-targets"];
        let rights =
            std::fs::read_to_string(settings::repository().join("deploy/generic-targets.yaml"));
        let rights = rights.unwrap();
        let manifests = [rights.as_str(), manifest];
        let start = || start(&flags, &manifests);
        let scene = Self::on(GENERIC.get_or_init(start).await, prefix).await;
        scene.make_store().await;
        scene
    }

    async fn on(shared: &'static Shared, prefix: &str) -> Self {
        Self {
            shared,
            namespace: shared.bed.namespace(prefix).await.unwrap(),
            marks: AtomicU32::new(0),
        }
    }

    /// Credentials and a store `kv` that is ready; the vault holds `password: first`.
    pub(crate) async fn with_store(prefix: &str) -> Self {
        let scene = Self::new(prefix).await;
        scene.make_store().await;
        scene
    }

    async fn make_store(&self) {
        self.put("password", "first");
        self.apply(credentials(azfake::CLIENT_SECRET)).await;
        self.apply(self.store(json!({}))).await;
        self.ready(&self.object("SecretStore", "kv")).await;
    }

    /// ExternalSecret `app` besides, in sync: Secret `app` holds `PASSWORD: first`.
    pub(crate) async fn synced(prefix: &str) -> Self {
        let scene = Self::with_store(prefix).await;
        scene.apply(external_secret("app", json!({}))).await;
        scene.ready(&scene.object("ExternalSecret", "app")).await;
        assert_eq!(value(&scene.secret("app").await, "PASSWORD"), "first");
        scene
    }

    /// The bed below.
    pub(crate) fn bed(&self) -> &'static Bed {
        &self.shared.bed
    }

    /// The operator that serves all scenes.
    pub(crate) fn operator(&self) -> &'static Operator {
        &self.shared.operator
    }

    /// The vault's URL.
    pub(crate) fn vault_url(&self) -> String {
        format!("https://{}.vault.azure.net", self.namespace)
    }

    /// SecretStore `kv` of this vault; `more` replaces members of the provider block, null leaves
    /// one out.
    pub(crate) fn store(&self, more: Value) -> Value {
        let mut block = json!({
            "tenantId": azfake::TENANT,
            "vaultUrl": self.vault_url(),
            "authSecretRef": {
                "clientId": {"name": "creds", "key": "id"},
                "clientSecret": {"name": "creds", "key": "secret"},
            },
        });
        replace(&mut block, more);
        store_of(&json!({"azurekv": block}))
    }

    /// An object of this namespace.
    pub(crate) fn object(&self, kind: &str, name: &str) -> ObjectRef {
        ObjectRef {
            kind: kind.to_owned(),
            namespace: Some(self.namespace.clone()),
            name: name.to_owned(),
        }
    }

    /// Gives a secret of the vault a new value.
    pub(crate) fn put(&self, name: &str, value: &str) {
        self.bed().azure().set_secret(&self.namespace, name, value);
    }

    /// Sets the fault of the vault; null clears it.
    pub(crate) fn fault(&self, fault: &Value) {
        self.bed().fault(&self.namespace, fault.clone()).unwrap();
    }

    /// The client secrets that an application has from now on.
    pub(crate) fn register(&self, client: &str, secrets: &[&str]) {
        let tenants = json!({azfake::TENANT: {client: {"secrets": secrets}}});
        self.bed().entra(&tenants).unwrap();
    }

    /// Server-side apply.
    pub(crate) async fn apply(&self, object: Value) -> Value {
        let applied = self
            .bed()
            .cluster()
            .apply(&object, Some(&self.namespace))
            .await;
        applied.unwrap()
    }

    /// Server-side apply that the API server must refuse; returns its words.
    pub(crate) async fn refused(&self, object: Value) -> String {
        let applied = self
            .bed()
            .cluster()
            .apply(&object, Some(&self.namespace))
            .await;
        let error = applied.expect_err("the API server refuses it");
        assert!(matches!(error.status(), Some(400 | 422)), "{error}");
        error.message()
    }

    /// A merge patch.
    pub(crate) async fn patch(&self, object: &ObjectRef, patch: Value) {
        self.bed().cluster().patch(object, &patch).await.unwrap();
    }

    /// Puts a status as ESO would.
    pub(crate) async fn set_status(&self, object: &ObjectRef, status: Value) {
        let cluster = self.bed().cluster();
        let mut present = cluster.get(object).await.unwrap().unwrap_or_default();
        present["status"] = status;
        let written = cluster.write("PUT", &present, "/status", "external-secrets");
        written.await.unwrap();
    }

    /// Asks an ExternalSecret for a refresh by an annotation that it did not have before.
    pub(crate) async fn force(&self, name: &str) {
        let mark = self.marks.fetch_add(1, Ordering::Relaxed).to_string();
        let patch = json!({"metadata": {"annotations": {"force-sync": mark}}});
        self.patch(&self.object("ExternalSecret", name), patch)
            .await;
    }

    /// Deletes in the background.
    pub(crate) async fn delete(&self, object: &ObjectRef) {
        self.bed().cluster().delete(object).await.unwrap();
    }

    /// Waits until this holds of the object (or of its absence) and returns it.
    pub(crate) async fn until(
        &self,
        what: &str,
        object: &ObjectRef,
        holds: impl Fn(Option<&Value>) -> bool,
    ) -> Value {
        let found = self.bed().wait_for(what, object, LIMIT, holds).await;
        found.unwrap().unwrap_or_default()
    }

    /// Waits until the object is ready and returns it.
    pub(crate) async fn ready(&self, object: &ObjectRef) -> Value {
        let is_ready = |o: Option<&Value>| o.is_some_and(|o| ready(o)["status"] == "True");
        self.until("Ready=True", object, is_ready).await
    }

    /// Waits until the object's condition and an event about it say so: the condition begins with
    /// `category`, both hold all `words`. Returns the object.
    pub(crate) async fn fails(&self, object: &ObjectRef, category: &str, words: &[&str]) -> Value {
        let (reason, event) = match object.kind.as_str() {
            "ExternalSecret" => ("SecretSyncedError", "UpdateFailed"),
            _ => ("InvalidProviderConfig", "InvalidProviderConfig"),
        };
        let category = format!("{category}: ");
        let is_told = |message: &str| words.iter().all(|word| message.contains(word));
        let has_failed = |o: Option<&Value>| {
            let condition = o.map(ready).unwrap_or_default();
            let message = text(&condition["message"]);
            condition["status"] == "False"
                && condition["reason"] == reason
                && message.starts_with(&category)
                && is_told(message)
        };
        let what = format!("Ready=False {category}{words:?}");
        let found = self.until(&what, object, has_failed).await;
        self.event(object, "Warning", event, words).await;
        found
    }

    /// Waits for an event about the object that holds all `words`; returns its message.
    pub(crate) async fn event(
        &self,
        object: &ObjectRef,
        kind: &str,
        reason: &str,
        words: &[&str],
    ) -> String {
        let namespace = object.namespace.as_deref().unwrap_or("default");
        eventually(
            &format!("{kind} {reason} {words:?} on {object}"),
            async || {
                let events = self.bed().cluster().events(namespace).await.unwrap();
                let fits = |event: &&Value| {
                    event["type"] == kind
                        && event["reason"] == reason
                        && event["involvedObject"]["kind"] == object.kind.as_str()
                        && event["involvedObject"]["name"] == object.name.as_str()
                        && words
                            .iter()
                            .all(|word| text(&event["message"]).contains(word))
                };
                let found = events.iter().find(fits);
                found.map(|event| text(&event["message"]).to_owned())
            },
        )
        .await
    }

    /// A Secret of this namespace.
    pub(crate) async fn secret(&self, name: &str) -> Value {
        let found = self.bed().cluster().get(&self.object("Secret", name)).await;
        found.unwrap().unwrap_or_else(|| panic!("no Secret {name}"))
    }

    /// Waits until a Secret has this value under this key and returns it.
    pub(crate) async fn holds(&self, name: &str, key: &str, want: &str) -> Value {
        let what = format!("{key}: {want}");
        let has = |o: Option<&Value>| o.is_some_and(|o| value(o, key) == want);
        self.until(&what, &self.object("Secret", name), has).await
    }

    /// The Secret is as it was: not written at all.
    pub(crate) async fn assert_untouched(&self, before: &Value) {
        let now = self.secret(text(&before["metadata"]["name"])).await;
        assert_eq!(now, *before, "the target was written");
    }

    /// What the vault was asked since `mark`, without the challenges that open a connection.
    pub(crate) fn asked_since(&self, mark: u64) -> Vec<LoggedRequest> {
        let host = format!("{}.", self.namespace);
        let mut asked = self.bed().azure().requests_since(mark, &host).1;
        asked.retain(|request| request.status != 401);
        asked
    }

    /// What the operator asked the API server in this namespace.
    pub(crate) fn api_calls(&self, verb: &str, resource: &str) -> Vec<AuditEvent> {
        let mut events = self.bed().plane().audit_events().unwrap();
        let filter = testbed::AuditFilter {
            verb: Some(verb),
            resource: Some(resource),
            user: Some(operator::USER),
        };
        events.retain(|event| event.namespace == self.namespace && filter.matches(event));
        events
    }

    /// All that is told of this namespace, by where: the log and the metrics of all others too.
    pub(crate) async fn told(&self) -> Vec<(&'static str, String)> {
        let cluster = self.bed().cluster();
        let mut statuses = Vec::new();
        for kind in ["ExternalSecret", "SecretStore"] {
            let objects = cluster.list(kind, Some(&self.namespace)).await.unwrap();
            statuses.extend(objects.into_iter().map(|object| object["status"].clone()));
        }
        let events = cluster.events(&self.namespace).await.unwrap();
        vec![
            ("the log", self.operator().log().unwrap()),
            ("the metrics", self.operator().metrics().await.unwrap()),
            ("an event", Value::from(events).to_string()),
            ("a status", Value::from(statuses).to_string()),
        ]
    }

    /// A counter of one ExternalSecret of this namespace.
    pub(crate) async fn counter(&self, family: &str, name: &str) -> u64 {
        let metrics = self.operator().metrics().await.unwrap();
        counter(&metrics, family, &self.namespace, name)
    }

    /// Waits until an ExternalSecret has failed at least so often.
    pub(crate) async fn failed_times(&self, name: &str, times: u64) {
        eventually(&format!("{times} failures of {name}"), async || {
            let failures = self.counter("externalsecret_sync_calls_error", name).await;
            (failures >= times).then_some(())
        })
        .await;
    }

    /// Waits until a reconcile that began after this call has ended.
    pub(crate) async fn reconciled(&self, name: &str) {
        let calls = async || self.counter(SYNC_CALLS, name).await;
        // a second one begins only when the first has ended
        for _ in 0..2 {
            let before = calls().await;
            self.force(name).await;
            eventually("a reconcile", async || {
                (calls().await > before).then_some(())
            })
            .await;
        }
    }
}

/// Polls until there is something; ends the test where it does not come.
pub(crate) async fn eventually<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(start.elapsed() < LIMIT, "not within {LIMIT:?}: {what}");
        sleep(POLL).await;
    }
}
