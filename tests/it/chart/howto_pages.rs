//! docs/install.md, docs/howto and docs/rke2.md: their commands, run as they stand there, one page after the other. What needs
//! Azure is done by azfake's controls in their place.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::helm::{Major, Stage};
use crate::golden::documents;
use crate::support::manifests::value;
use crate::support::pages;
use crate::support::run;

const VAULT: &str = "kv-howto-pages";
const REMOTE: &str = "netbox-db-password";
const VALUES: [&str; 2] = ["first password", "second password"];

#[test]
fn the_commands_of_the_howto_lead_to_a_rotated_secret_and_to_evidence_without_values() {
    run(play()).unwrap();
}

#[test]
fn the_manifest_for_rke2_holds_the_chart() {
    run(async {
        let stage = Stage::start().await?;
        let place = stage.place(Major::Third)?;
        for script in pages::commands("docs/rke2.md") {
            stage.shell(&place, &script).await?;
        }
        let manifest = std::fs::read_to_string(place.join("build/keyferry.yaml"))?;
        let spec = documents(&manifest)?.remove(0)["spec"].take();
        let chart = place.join("chart.tgz");
        std::fs::write(
            &chart,
            STANDARD.decode(spec["chartContent"].as_str().unwrap())?,
        )?;
        let values = place.join("values.yaml");
        std::fs::write(&values, spec["valuesContent"].as_str().unwrap())?;
        let [chart, values] = [chart, values].map(|path| path.display().to_string());
        let arguments = ["template", "keyferry", &chart, "--values", &values];
        let rendered = stage.helm(Major::Third, &arguments).await?.success()?;
        let rendered = documents(&rendered)?;
        let of = |kind: &str| rendered.iter().find(|it| it["kind"] == kind);
        let pod = &of("Deployment").unwrap()["spec"]["template"]["spec"];
        let image = pod["containers"][0]["image"].as_str().unwrap();
        assert!(
            image.starts_with("registry.example.com/keyferry:"),
            "{image}"
        );
        assert!(of("NetworkPolicy").is_some());
        anyhow::Ok(())
    })
    .unwrap();
}

async fn play() -> anyhow::Result<()> {
    let mut stage = Stage::empty().await?;
    let place = stage.place(Major::Third)?;
    for script in pages::commands("docs/install.md") {
        stage.shell(&place, &script).await?;
    }
    let mut operator = stage.operate("keyferry").await?;

    stage.bed.azure().set_secret(VAULT, REMOTE, VALUES[0]);
    let told = read(&stage, &place, pages::commands("docs/howto/store.md")).await?;
    shows(&told, "docs/howto/store.md");
    let told = read(
        &stage,
        &place,
        pages::commands("docs/howto/external-secret.md"),
    )
    .await?;
    shows(&told, "docs/howto/external-secret.md");
    for words in ["Created", "DB_PASSWORD:  14 bytes", "data-hash"] {
        assert!(told.contains(words), "{words}: {told}");
    }
    let told = read(&stage, &place, pages::commands("docs/howto/workload.md")).await?;
    assert!(
        told.contains(r#""secretKeyRef":{"key":"DB_PASSWORD","name":"netbox-db-credentials"}"#),
        "{told}"
    );

    stage.bed.azure().set_secret(VAULT, REMOTE, VALUES[1]);
    let told = read(&stage, &place, pages::commands("docs/howto/rotation.md")).await?;
    assert!(told.contains(&format!("secrets/{REMOTE}")), "{told}");
    let secret = stage.howto_synced(VALUES[1]).await?;
    assert_eq!(value(&secret, "DB_PASSWORD"), VALUES[1]);

    let told = read(&stage, &place, pages::commands("docs/howto/evidence.md")).await?;
    assert!(
        told.contains("no value in docs/proof/secrets/eso-akv-netbox-"),
        "{told}"
    );
    let files = evidence(&place)?;
    assert_eq!(files.len(), 6, "{files:?}");
    for (name, text) in files {
        assert!(!text.is_empty(), "{name}");
        for value in VALUES {
            assert!(
                !text.contains(value) && !text.contains(&STANDARD.encode(value)),
                "{name}"
            );
        }
    }
    operator.stop().await?;
    Ok(())
}

/// Runs the blocks of a page in one shell with the variables that the HOWTO asks for; returns all that they printed.
async fn read(stage: &Stage, place: &Path, blocks: Vec<String>) -> anyhow::Result<String> {
    let variables = format!(
        "set -eu\nexport VAULT={VAULT} TENANT_ID={} CLIENT_ID={} CLIENT_SECRET={}\n",
        azfake::TENANT,
        azfake::CLIENT,
        azfake::CLIENT_SECRET
    );
    let script = variables + &blocks.concat();
    stage.shell(place, &script).await
}

/// What a page shows is what was printed, but for times.
fn shows(told: &str, page: &str) {
    let columns = |line: &str| -> Vec<String> {
        let words = line.split_whitespace();
        words
            .map(|word| match word.strip_suffix('s') {
                Some(count) if count.parse::<u32>().is_ok() => "TIME".to_owned(),
                _ => word.to_owned(),
            })
            .collect()
    };
    let printed: Vec<_> = told.lines().map(columns).collect();
    let shown = pages::blocks(page, "text").concat();
    assert!(!shown.is_empty(), "{page}");
    for line in shown.lines() {
        assert!(
            printed.contains(&columns(line)),
            "{line} is not in:\n{told}"
        );
    }
}

/// Name and text of each file of the evidence.
fn evidence(place: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for folder in std::fs::read_dir(place.join("docs/proof/secrets"))? {
        for file in std::fs::read_dir(folder?.path())? {
            let file = file?;
            files.push((
                file.file_name().display().to_string(),
                std::fs::read_to_string(file.path())?,
            ));
        }
    }
    Ok(files)
}
