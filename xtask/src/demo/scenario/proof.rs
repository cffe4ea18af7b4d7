//! HOWTO, sections 6.3 and 8.4: the evidence folder, and the search for secret values in all that
//! the run leaves.

use anyhow::Result;

use super::{Moment, STORE, Scenario, WORKLOAD};

impl Scenario<'_> {
    pub(super) async fn keep_evidence(&mut self, before: &Moment, after: &Moment) -> Result<()> {
        let screen = self.screen;
        screen.part("HOWTO 6.3 and 8.4: evidence");
        for (file, what, line) in [
            (
                "clustersecretstore.yaml",
                "the store and its status",
                format!("kubectl get clustersecretstore {STORE} -o yaml"),
            ),
            (
                "events.txt",
                "events of the namespace",
                format!("kubectl get events -n {WORKLOAD} --sort-by=.lastTimestamp"),
            ),
        ] {
            let text = format!("# {line}\n{}", self.ask(&line).await?);
            self.evidence.save(file, what, &text);
        }
        let facts = [("before", before), ("after", after)].map(|(when, moment)| {
            format!(
                "{when}:\n\n```\n{}\n{}\n```\n",
                moment.secret.summary(screen.sensitive()),
                moment.workload
            )
        });
        self.evidence
            .verified(true, "Redacted proof stored in this folder");
        self.evidence.write(&format!(
            "{}\nA running pod keeps the old value until it is restarted.",
            facts.join("\n")
        ))?;
        let leaks = self.evidence.purge()?;
        screen.step(&format!("Written to {}", self.evidence.folder().display()));
        self.check_clean("no secret value in the evidence", &leaks);
        let leaks = screen.sensitive().found_in(&self.stage.operator_log()?);
        self.check_clean("no secret value in the operator's log", &leaks);
        Ok(())
    }

    fn check_clean(&self, text: &str, leaks: &[impl AsRef<str>]) {
        let found: Vec<&str> = leaks.iter().map(AsRef::as_ref).collect();
        let text = if found.is_empty() {
            text.to_owned()
        } else {
            format!("{text}, but: {}", found.join("; "))
        };
        self.screen.check(found.is_empty(), &text);
    }
}
