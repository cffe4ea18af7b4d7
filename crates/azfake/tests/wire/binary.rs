//! The binary, started as the golden runner starts it.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::support::{client, send};

#[tokio::test]
async fn the_binary_says_where_it_is_and_stops_when_told() {
    let state = tempfile::tempdir().unwrap();
    let file = |name: &str| state.path().join(name);
    std::fs::write(file("seed.yaml"), "kv:\n  secrets:\n    db: {value: x}\n").unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_azfake"))
        .args(["-sa-issuer", "https://127.0.0.1:1", "--real-clock"])
        .arg("-ca-out")
        .arg(file("ca.pem"))
        .arg("-info")
        .arg(file("info.json"))
        .arg("--seed")
        .arg(file("seed.yaml"))
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut said = Vec::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        let last = line.starts_with("export SSL_CERT_FILE=");
        said.push(line);
        if last {
            break;
        }
    }
    let info: serde_json::Value =
        serde_json::from_slice(&std::fs::read(file("info.json")).unwrap()).unwrap();
    let proxy = info["proxy"].as_str().unwrap();
    assert!(
        said.contains(&format!("export HTTPS_PROXY={proxy}")),
        "{said:?}"
    );
    let ca = std::fs::read_to_string(file("ca.pem")).unwrap();
    let http = client(proxy, &ca).build().unwrap();
    let answer = send(http.get("https://kv.vault.azure.net/secrets/db?api-version=7.6"))
        .await
        .unwrap();
    assert_eq!(answer.status, 401);
    let dump = send(
        reqwest::Client::builder()
            .no_proxy()
            .build()
            .unwrap()
            .get(format!("{}/dump", info["control"].as_str().unwrap())),
    );
    assert_eq!(
        dump.await.unwrap().json()["kv"]["secrets"]["db"]["value"],
        "x"
    );
    let told = Command::new("kill")
        .arg(child.id().unwrap().to_string())
        .status()
        .await
        .unwrap();
    assert!(told.success() && child.wait().await.unwrap().success());
}
