//! HOWTO, section 8: a new value in the vault, a forced refresh, what changed by it and what it cost.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::Value;
use tokio::time::sleep;

use super::{EXTERNAL_SECRET, KEY, Moment, Scenario, TARGET, WORKLOAD};

const ARRIVES_WITHIN: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);

impl Scenario<'_> {
    /// Sets the new value and returns when the Secret was refreshed.
    pub(super) async fn rotate(&mut self, value: &str, before: &Moment) -> Result<()> {
        self.screen.part("HOWTO 8: rotation");
        self.set_vault_secret(value);
        self.evidence.note("value rotated in the vault");
        self.screen
            .step("The refresh interval is 1h; an annotation forces a refresh now");
        self.show(&format!(
            "kubectl annotate externalsecret {EXTERNAL_SECRET} -n {WORKLOAD} force-sync=$(date +%s) --overwrite"
        ))
        .await?;
        let start = Instant::now();
        // the status follows the Secret, so it tells that the refresh is over
        while synced(&self.external_secret().await?) == synced(&before.external_secret) {
            if start.elapsed() > ARRIVES_WITHIN {
                bail!("the forced refresh is not done after {ARRIVES_WITHIN:?}");
            }
            sleep(POLL).await;
        }
        self.evidence.note("refresh done");
        self.screen.step(&format!(
            "The refresh is done, seen {:.1} s after it was asked for",
            start.elapsed().as_secs_f64()
        ));
        Ok(())
    }

    pub(super) fn compare(&mut self, before: &Moment, after: &Moment) {
        let screen = self.screen;
        let (old, new) = (&before.secret, &after.secret);
        let in_vault = self.vault_value();
        let held = new.value(KEY);
        let generation = |moment: &Moment| moment.external_secret["metadata"]["generation"].clone();
        screen.step("Before and after");
        let checks = [
            screen.check(
                old.resource_version() != new.resource_version(),
                &change(
                    "resourceVersion",
                    old.resource_version(),
                    new.resource_version(),
                ),
            ),
            screen.check(
                old.data_hash() != new.data_hash(),
                &change("data-hash", old.data_hash(), new.data_hash()),
            ),
            screen.check(
                held.is_some() && held == in_vault.as_deref().map(str::as_bytes),
                "the Secret's value equals the vault's new one",
            ),
            screen.check(
                generation(before) == generation(after),
                &format!(
                    "the ExternalSecret's spec did not change: generation {}",
                    generation(after)
                ),
            ),
        ];
        let is_wired = screen.check(
            before.workload != after.workload,
            "a container that starts now gets the new value",
        );
        screen.output(&format!(
            "A running pod keeps the old value until it is restarted: \
             kubectl rollout restart deployment/{WORKLOAD} -n {WORKLOAD}"
        ));
        let evidence = &mut self.evidence;
        evidence.verified(
            is_wired,
            format!("Secret `{TARGET}` exists; Deployment `{WORKLOAD}` takes `{KEY}` from it"),
        );
        evidence.open(
            "The application runs with the secret (not verified: this control plane has no kubelet)",
        );
        evidence.verified(
            checks.iter().all(|holds| *holds),
            "Rotation in the vault updated the Secret without a change of manifests",
        );
    }

    /// What the operator asked of Azure, in all and since a mark of azfake.
    pub(super) fn count_requests(&mut self, mark: u64) -> Result<()> {
        let control = self.stage.azure().control();
        let counters = control.counters();
        let (_, since) = control.requests_since(mark, "");
        let since: Vec<&str> = since.iter().map(|request| request.op.as_str()).collect();
        let screen = self.screen;
        screen.step("The operator's requests to Azure");
        screen.output(&format!("vault: {}", list(&counters.ops)));
        screen.output(&format!("sign-in: {}", list(&counters.entra)));
        screen.output(&format!("since the rotation: {}", since.join(", ")));
        screen.check(
            counters.refused.is_empty(),
            "the operator called no other host",
        );
        self.evidence.save(
            "requests.json",
            "every request to vault and sign-in, counted",
            &format!("{}\n", serde_json::to_string_pretty(&counters)?),
        );
        Ok(())
    }
}

fn synced(external_secret: &Value) -> &Value {
    &external_secret["status"]["syncedResourceVersion"]
}

fn change(what: &str, old: &str, new: &str) -> String {
    format!("{what} changed: {old} -> {new}")
}

fn list(counts: &BTreeMap<String, u64>) -> String {
    let parts: Vec<String> = counts
        .iter()
        .map(|(what, number)| format!("{what} {number}"))
        .collect();
    parts.join(", ")
}
