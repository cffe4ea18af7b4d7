//! The program of testbed/gitops: Argo CD's and Flux's own code, asked about what the operator wrote.

#![expect(
    clippy::unwrap_used,
    reason = "clippy's exception for tests does not reach their helpers"
)]

mod actions;
mod diff;
mod health;
mod repository;
mod sync;

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::sync::OnceCell;
use tokio::time::timeout;

use crate::support::scene::Scene;

/// More than the program gives a sync.
const WITHIN: Duration = Duration::from_mins(2);
static PROGRAM: OnceCell<PathBuf> = OnceCell::const_new();

/// The program, built if need be.
async fn program() -> &'static PathBuf {
    let build = async || {
        let build = || testbed::assets::gitops(&testbed::assets::to_stderr);
        tokio::task::spawn_blocking(build).await.unwrap().unwrap()
    };
    PROGRAM.get_or_init(build).await
}

/// Runs a command of the program on this scene's cluster, with an object as its input; returns its answer.
async fn gitops(scene: &Scene, arguments: &[&str], object: &Value) -> Value {
    let mut command = Command::new(program().await);
    command
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", scene.bed().state())
        .env("KUBECONFIG", scene.bed().plane().admin_kubeconfig())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    // sync and diff end without reading
    let _ = input.write_all(object.to_string().as_bytes()).await;
    drop(input);
    let output = timeout(WITHIN, child.wait_with_output()).await;
    let output = output.unwrap().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "gitops {arguments:?}: {told}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Argo CD's health of an object: status and message.
async fn health(scene: &Scene, object: &Value) -> (String, String) {
    verdict(gitops(scene, &["health"], object).await)
}

fn verdict(answer: Value) -> (String, String) {
    #[derive(serde::Deserialize)]
    struct Verdict {
        status: String,
        message: String,
    }
    let told: Verdict = serde_json::from_value(answer).unwrap();
    (told.status, told.message)
}
