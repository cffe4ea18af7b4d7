//! Stores that cannot work as written, and what becomes of those who read from them. Each fault is
//! told in the store's status or, where only the vault can know, in its consumers'.

mod allowed_keys;
mod blocks;
mod certificates;
mod credentials;
mod federation;
mod machine;
mod network;
mod newcomers;
mod reachable;
mod switches;

use serde_json::Value;

use crate::support::scene::Scene;

/// Applies a store that cannot work over one that a synced ExternalSecret reads from: the store and
/// its consumer say so, the target stays, and all is well again once the store is.
async fn assert_told_and_mended(scene: &Scene, broken: Value, words: &[&str]) {
    let store = scene.object("SecretStore", "kv");
    let app = scene.object("ExternalSecret", "app");
    let target = scene.secret("app").await;
    scene.apply(broken).await;
    scene.fails(&store, "InvalidStore", words).await;
    scene.force("app").await;
    let waits = [
        "spec.data[0]",
        "key: password",
        "SecretStore \"kv\" is not ready",
        "its status says why",
    ];
    scene.fails(&app, "StoreNotReady", &waits).await;
    scene.assert_untouched(&target).await;
    scene.put("password", "second");
    scene.apply(scene.store(serde_json::json!({}))).await;
    scene.ready(&store).await;
    scene.holds("app", "PASSWORD", "second").await;
    scene.ready(&app).await;
}
