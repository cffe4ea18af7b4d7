//! A values.yaml as people have it for ESO's chart, `extraArgs` among it: it installs, and the operator works
//! with the flags that come of it.

use serde_json::Value;

use super::helm::{CHART, Major, NAMESPACE, Stage};
use crate::support::run;
use crate::support::scene::eventually;

#[test]
fn values_of_eso_with_flags_install_and_the_operator_works_with_them() {
    run(async {
        let mut stage = Stage::start().await?;
        let values = format!("{CHART}/ci/values-of-eso.yaml");
        let release = ["external-secrets", CHART, "--namespace", NAMESPACE];
        let install = [&["install"], &release[..], &["--values", &values]].concat();
        stage.helm(Major::Third, &install).await?.success()?;
        let mut operator = stage.operate("external-secrets").await?;
        eventually("/readyz", async || {
            (operator.probe("/readyz").await.ok()? == 200).then_some(())
        })
        .await;
        let log = operator.log()?;
        let lines = log.lines().map(serde_json::from_str::<Value>);
        let lines: Vec<Value> = lines.collect::<Result<_, _>>()?;
        let flags: Vec<_> = lines
            .iter()
            .filter_map(|line| line["flag"].as_str())
            .collect();
        let expected = [
            "zap-time-encoding",
            "enable-secrets-caching",
            "enable-http2",
            "vault-token-cache-size",
        ];
        assert_eq!(flags, expected, "{log}");
        operator.stop().await?;
        anyhow::Ok(())
    })
    .unwrap();
}
