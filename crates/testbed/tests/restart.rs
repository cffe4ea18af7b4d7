//! What becomes of a control plane whose parts are killed, paused and started again.

use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, Client, ResourceExt as _};
use testbed::{Component, ControlPlane, Options};
use tokio::time::timeout;

async fn read(client: Client) -> kube::Result<ConfigMap> {
    Api::namespaced(client, "default").get("kept").await
}

#[tokio::test]
async fn a_restart_keeps_data_port_and_credentials() {
    let began = Instant::now();
    let plane = ControlPlane::start(Options::default()).await.unwrap();
    assert!(
        began.elapsed() < Duration::from_mins(1),
        "started in {:?}",
        began.elapsed()
    );
    plane
        .apply_yaml("{apiVersion: v1, kind: ConfigMap, metadata: {name: kept}, data: {a: b}}")
        .await
        .unwrap();
    let before = read(plane.admin_client()).await.unwrap();
    let pid = plane.pid(Component::ApiServer).unwrap();

    plane.kill_api_server().unwrap();
    assert!(plane.pid(Component::ApiServer).is_err());
    assert!(read(plane.admin_client()).await.is_err());
    plane.start_api_server().await.unwrap();
    assert!(
        plane
            .start_api_server()
            .await
            .unwrap_err()
            .to_string()
            .contains("runs already")
    );

    let after = read(plane.admin_client()).await.unwrap();
    assert_eq!((after.uid(), after.data), (before.uid(), before.data));
    assert_ne!(plane.pid(Component::ApiServer).unwrap(), pid);

    plane.pause(Component::ApiServer).unwrap();
    assert!(
        timeout(Duration::from_millis(300), read(plane.admin_client()))
            .await
            .is_err(),
        "answers though stopped"
    );
    plane.resume(Component::ApiServer).unwrap();
    assert!(
        timeout(Duration::from_secs(30), read(plane.admin_client()))
            .await
            .unwrap()
            .is_ok()
    );

    let state = plane.state().to_owned();
    let pid = plane.pid(Component::Etcd).unwrap();
    drop(plane);
    assert!(!state.exists(), "temporary state stays");
    assert!(
        !std::path::Path::new(&format!("/proc/{pid}")).exists(),
        "etcd outlives its plane"
    );
}

#[tokio::test]
async fn a_component_that_cannot_start_shows_its_log() {
    let directory = tempfile::tempdir().unwrap();
    let options = Options {
        state: Some(directory.path().to_owned()),
        api_server_args: vec!["--no-such-flag".into()],
        ..Options::default()
    };
    let error = ControlPlane::start(options.clone())
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.contains("kube-apiserver ended") && error.contains("unknown flag: --no-such-flag"),
        "{error}"
    );
    let error = ControlPlane::start(options)
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("is not empty"), "{error}");
}
