//! What is to be seen at one moment: the Secret, the ExternalSecret, and the variables that a
//! container gets from the Secret. Changes nothing.

use anyhow::{Context as _, Result, bail};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::SecretKeySelector;
use serde_json::Value;

use super::super::sensitive::redacted;
use super::super::view::SecretView;
use super::{EXTERNAL_SECRET, Scenario, TARGET, WORKLOAD};

/// What there is to compare before and after the rotation.
pub(super) struct Moment {
    pub(super) secret: SecretView,
    pub(super) external_secret: Value,
    /// The container's variables, a line each.
    pub(super) workload: String,
}

impl Scenario<'_> {
    /// Secret and workload as they are now, on the screen and in the evidence.
    pub(super) async fn look(&mut self, when: &'static str) -> Result<Moment> {
        let screen = self.screen;
        let secret = self.secret().await?;
        screen.step(&format!("Secret {WORKLOAD}/{TARGET}, {when}"));
        screen.output(&secret.summary(screen.sensitive()));
        let workload = self.workload_view(&secret).await?;
        screen.step(&format!(
            "What a container of Deployment {WORKLOAD} gets when it starts now"
        ));
        screen.output(&workload);
        let folder = when.replace(' ', "-");
        let mut said = String::new();
        for line in [
            format!("kubectl get externalsecret -n {WORKLOAD}"),
            format!("kubectl get secret {TARGET} -n {WORKLOAD}"),
            format!("kubectl describe externalsecret {EXTERNAL_SECRET} -n {WORKLOAD}"),
        ] {
            said.extend(["$ ", &line, "\n", &self.ask(&line).await?, "\n"]);
        }
        self.evidence
            .save(&format!("{folder}/kubectl.txt"), "kubectl's view", &said);
        self.evidence.save(
            &format!("{folder}/secret.yaml"),
            "the Secret, redacted",
            &secret.redacted_yaml()?,
        );
        self.evidence.save(
            &format!("{folder}/workload.txt"),
            "what the container's variable resolves to",
            &format!("{workload}\n"),
        );
        Ok(Moment {
            secret,
            external_secret: self.external_secret().await?,
            workload,
        })
    }

    pub(super) async fn secret(&self) -> Result<SecretView> {
        let line = format!("kubectl get secret {TARGET} -n {WORKLOAD} -o json");
        SecretView::parse(&self.ask(&line).await?)
    }

    pub(super) async fn external_secret(&self) -> Result<Value> {
        let line = format!("kubectl get externalsecret {EXTERNAL_SECRET} -n {WORKLOAD} -o json");
        serde_json::from_str(&self.ask(&line).await?).context("kubectl's answer is no JSON")
    }

    /// The variables of the Deployment that come from Secrets, resolved as a kubelet would.
    async fn workload_view(&self, secret: &SecretView) -> Result<String> {
        let line = format!("kubectl get deployment {WORKLOAD} -n {WORKLOAD} -o json");
        let deployment: Deployment = serde_json::from_str(&self.ask(&line).await?)
            .context("kubectl's answer is no Deployment")?;
        let mut lines = Vec::new();
        for (variable, source) in variables(&deployment) {
            let (name, key) = (&source.name, &source.key);
            let value = secret.value(key).filter(|_| name == TARGET);
            let value = value.with_context(|| format!("{variable} refers to {key} of {name}"))?;
            lines.push(format!(
                "{variable} <- Secret {name}, key {key}: {}, fingerprint {}",
                redacted(value.len()),
                self.screen.sensitive().fingerprint(value)
            ));
        }
        if lines.is_empty() {
            bail!("Deployment {WORKLOAD} has no variable from a Secret");
        }
        Ok(lines.join("\n"))
    }
}

/// The variables of a Deployment's containers that come from Secrets.
fn variables(deployment: &Deployment) -> impl Iterator<Item = (&str, &SecretKeySelector)> {
    let pod = deployment
        .spec
        .iter()
        .filter_map(|spec| spec.template.spec.as_ref());
    let variables = pod
        .flat_map(|pod| &pod.containers)
        .flat_map(|container| container.env.iter().flatten());
    variables.filter_map(|variable| {
        let source = variable.value_from.as_ref()?.secret_key_ref.as_ref()?;
        Some((variable.name.as_str(), source))
    })
}
