//! A change wakes exactly the objects concerned, however many others there are: reconciles are counted
//! while something changes for a few of thousands.

use std::time::{Duration, Instant};

use futures::{StreamExt as _, TryStreamExt as _};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::support::bed::Bed;
use crate::support::cluster::{ObjectRef, text};
use crate::support::manifests::{credentials, external_secret, replace};
use crate::support::operator::{Operator, Options};
use crate::support::{run, say, settings};

/// ExternalSecrets, unless `KEYFERRY_SCALE` says another number.
const OBJECTS: usize = 400;
/// Writes of ours at the same time.
const AT_ONCE: usize = 16;
const LIMIT: Duration = Duration::from_mins(10);
const POLL: Duration = Duration::from_millis(200);

struct Scene {
    bed: Bed,
    operator: Operator,
    namespace: String,
}

impl Scene {
    async fn apply(&self, object: Value) -> anyhow::Result<()> {
        let applied = self.bed.cluster().apply(&object, Some(&self.namespace));
        Ok(applied.await.map(drop)?)
    }

    async fn patch(&self, kind: &str, name: &str, patch: Value) -> anyhow::Result<()> {
        let object = ObjectRef {
            kind: kind.to_owned(),
            namespace: Some(self.namespace.clone()),
            name: name.to_owned(),
        };
        self.bed.cluster().patch(&object, &patch).await?;
        Ok(())
    }

    /// Reconciles so far, and how many objects were synced at least once.
    async fn reconciles(&self) -> anyhow::Result<(u64, usize)> {
        let metrics = self.operator.metrics().await?;
        let counts: Vec<u64> = metrics
            .lines()
            .filter(|line| line.starts_with("externalsecret_sync_calls_total{"))
            .filter_map(|line| line.rsplit(' ').next()?.parse().ok())
            .collect();
        Ok((counts.iter().sum(), counts.len()))
    }

    /// Waits until there were as many reconciles as expected, and shows by one more that nothing else
    /// waited.
    async fn reconciled_exactly(&self, before: u64, expected: u64) -> anyhow::Result<()> {
        self.until(before + expected).await?;
        let mark = json!({"metadata": {"annotations": {"fence": format!("{before}")}}});
        self.patch("ExternalSecret", "fence", mark).await?;
        self.until(before + expected + 1).await?;
        let (now, _) = self.reconciles().await?;
        anyhow::ensure!(
            now == before + expected + 1,
            "{} reconciles instead of {expected}",
            now - before - 1
        );
        Ok(())
    }

    async fn until(&self, count: u64) -> anyhow::Result<()> {
        let end = Instant::now() + LIMIT;
        while self.reconciles().await?.0 < count {
            anyhow::ensure!(Instant::now() < end, "fewer than {count} reconciles");
            sleep(POLL).await;
        }
        Ok(())
    }

    /// Waits until every object is ready.
    async fn all_ready(&self, objects: usize) -> anyhow::Result<()> {
        let end = Instant::now() + LIMIT;
        loop {
            let metrics = self.operator.metrics().await?;
            let is_ready = |line: &&str| {
                line.starts_with("externalsecret_status_condition{")
                    && line.contains("condition=\"Ready\"")
                    && line.contains("status=\"True\"")
                    && line.ends_with(" 1")
            };
            if metrics.lines().filter(is_ready).count() >= objects {
                return Ok(());
            }
            anyhow::ensure!(
                Instant::now() < end,
                "not all are ready: {}",
                self.operator.log_tail()
            );
            sleep(POLL).await;
        }
    }
}

/// Fake store `name`, whose only value is `x: value`.
fn store(name: &str, value: &str) -> Value {
    let data = json!([{"key": "x", "value": value}]);
    json!({"apiVersion": "external-secrets.io/v1", "kind": "SecretStore",
        "metadata": {"name": name}, "spec": {"provider": {"fake": {"data": data}}}})
}

fn reader(name: &str, store: &str, key: &str, more: Value) -> Value {
    let mut object = external_secret(name, json!({}));
    let data = json!([{"secretKey": "x", "remoteRef": {"key": key}}]);
    object["spec"]["data"] = data;
    object["spec"]["secretStoreRef"]["name"] = json!(store);
    replace(&mut object["spec"], more);
    object
}

/// The objects: 100 read from `few`, 50 render ConfigMap `texts`, 20 read from the vault `kv`, the
/// others read from `many`.
fn objects(count: usize) -> Vec<Value> {
    let template = json!({"target": {"template": {"templateFrom": [
        {"configMap": {"name": "texts", "items": [{"key": "t"}]}}]}}});
    let one = |index: usize| match index {
        0..100 => reader(&format!("few-{index}"), "few", "x", json!({})),
        100..150 => reader(&format!("text-{index}"), "many", "x", template.clone()),
        150..170 => reader(&format!("vault-{index}"), "kv", "password", json!({})),
        _ => reader(&format!("many-{index}"), "many", "x", json!({})),
    };
    (0..count)
        .map(one)
        .chain([reader("fence", "many", "x", json!({}))])
        .collect()
}

async fn start(count: usize) -> anyhow::Result<Scene> {
    let bed = Bed::start().await?;
    let namespace = bed.namespace("scale").await?;
    bed.azure().set_secret(&namespace, "password", "first");
    let operator = Operator::start(&settings::operator(), &bed, Options::default())?;
    let scene = Scene {
        bed,
        operator,
        namespace,
    };
    scene.apply(credentials(azfake::CLIENT_SECRET)).await?;
    let key = |key: &str| json!({"name": "creds", "key": key});
    let block = json!({
        "tenantId": azfake::TENANT,
        "vaultUrl": format!("https://{}.vault.azure.net", scene.namespace),
        "authSecretRef": {"clientId": key("id"), "clientSecret": key("secret")},
    });
    let vault = json!({"apiVersion": "external-secrets.io/v1", "kind": "SecretStore",
        "metadata": {"name": "kv"}, "spec": {"provider": {"azurekv": block}}});
    for object in [store("few", "1"), store("many", "1"), vault] {
        scene.apply(object).await?;
    }
    scene.apply(texts("{{ .x }}")).await?;
    let all = objects(count);
    let ready = all.len();
    let applied = futures::stream::iter(all).map(|object| scene.apply(object));
    applied
        .buffer_unordered(AT_ONCE)
        .try_collect::<()>()
        .await?;
    scene.all_ready(ready).await?;
    Ok(scene)
}

fn texts(template: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "texts"},
        "data": {"t": template}})
}

#[test]
fn a_change_wakes_those_concerned_and_nobody_else() -> anyhow::Result<()> {
    let count = settings::variable("KEYFERRY_SCALE").and_then(|count| count.parse().ok());
    let count: usize = count.unwrap_or(OBJECTS);
    run(async {
        let began = Instant::now();
        let scene = start(count).await?;
        say(&format!("scale: {count} ready after {:?}", began.elapsed()));
        let before = async || anyhow::Ok(scene.reconciles().await?.0);

        let (so_far, known) = scene.reconciles().await?;
        anyhow::ensure!(known == count + 1, "{known} of {count} objects are counted");
        scene.reconciled_exactly(so_far, 0).await?;

        let mark = before().await?;
        scene.apply(store("few", "2")).await?;
        scene.reconciled_exactly(mark, 100).await?;

        let mark = before().await?;
        scene.apply(texts("{{ .x }}!")).await?;
        scene.reconciled_exactly(mark, 50).await?;

        let mark = before().await?;
        let rotated = json!({"metadata": {"labels": {"rotated": "yes"}}});
        scene.patch("Secret", "creds", rotated).await?;
        scene.reconciled_exactly(mark, 20).await?;

        let mark = before().await?;
        let drifted = json!({"stringData": {"x": "by hand"}});
        scene.patch("Secret", "many-300", drifted).await?;
        scene.reconciled_exactly(mark, 1).await?;
        let target = ObjectRef {
            kind: "Secret".to_owned(),
            namespace: Some(scene.namespace.clone()),
            name: "many-300".to_owned(),
        };
        let secret = scene.bed.cluster().get(&target).await?.unwrap_or_default();
        assert_eq!(text(&secret["data"]["x"]), "MQ==");
        Ok(())
    })
}
