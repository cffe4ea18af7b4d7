//! The HOWTO, step by step, as a user would go through it: kubectl's own commands, the manifests of
//! examples/howto, and what is to be seen after each step. Starts and stops nothing.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use azfake::{App, Content};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::SecretKeySelector;
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;
use tokio::time::sleep;

use super::evidence::Evidence;
use super::screen::Screen;
use super::sensitive::{guid, redacted};
use super::stage::{NAMESPACE, Stage, command_line, root};
use super::view::SecretView;

/// The name for the HOWTO's placeholder.
pub(super) const VAULT: &str = "kv-hybridops";
pub(super) const REMOTE: &str = "netbox-db-password";
pub(super) const EXTERNAL_SECRET: &str = "netbox-db-password";
pub(super) const WORKLOAD: &str = "netbox";
const PLACEHOLDER: &str = "<YOUR_KEYVAULT_NAME>";
const STORE: &str = "akv-hybridops";
const TARGET: &str = "netbox-db-credentials";
const KEY: &str = "DB_PASSWORD";
const STORE_FILE: &str = "examples/howto/clustersecretstore_akv-hybridops.yaml";
const EXTERNAL_SECRET_FILE: &str = "examples/howto/externalsecret-netbox-db-password.yaml";
const DEPLOYMENT_FILE: &str = "examples/howto/deployment-netbox.yaml";
const ARRIVES_WITHIN: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);

/// The secret values that the run made up.
pub(super) struct Values {
    pub(super) first: String,
    pub(super) second: String,
    pub(super) client_secret: String,
}

/// What there is to compare before and after the rotation.
struct Moment {
    secret: SecretView,
    external_secret: Value,
    workload: String,
}

/// The scenario on its stage.
pub(super) struct Scenario<'a> {
    pub(super) stage: &'a Stage,
    pub(super) screen: &'a Screen<'a>,
    pub(super) evidence: Evidence<'a>,
}

impl Scenario<'_> {
    /// Goes through the whole HOWTO. What does not come to pass at all is an error; what comes out
    /// wrong is a failed check.
    pub(super) async fn play(&mut self, values: &Values) -> Result<()> {
        self.create_vault_secret(values).await?;
        self.configure_store(values).await?;
        self.declare().await?;
        self.wire_workload().await?;
        let before = self.look("before rotation").await?;
        let mark = self.stage.azure().control().mark();
        self.rotate(&values.second, &before).await?;
        let after = self.look("after rotation").await?;
        self.compare(&before, &after);
        self.count_requests(mark)?;
        self.keep_evidence(&before, &after).await
    }

    /// HOWTO, section 3.
    async fn create_vault_secret(&mut self, values: &Values) -> Result<()> {
        self.screen.part("HOWTO 3: a secret in Azure Key Vault");
        self.set_vault_secret(&values.first);
        self.evidence.note("value set in the vault");
        let held = self.vault_value();
        let holds = self.screen.check(
            held.as_ref() == Some(&values.first),
            "the vault has the secret, enabled",
        );
        self.evidence.verified(
            holds,
            format!("Secret `{REMOTE}` created in vault `{VAULT}`"),
        );
        Ok(())
    }

    /// `az keyvault secret set`, done through azfake's control.
    fn set_vault_secret(&self, value: &str) {
        let value_shown = redacted(value.len());
        self.screen.command(&format!(
            "az keyvault secret set --vault-name \"{VAULT}\" --name \"{REMOTE}\" --value \"{value_shown}\""
        ));
        let id = self
            .stage
            .azure()
            .control()
            .set_secret(VAULT, REMOTE, value);
        self.screen.output(&format!(
            "https://{VAULT}.vault.azure.net/secrets/{REMOTE}/{id}"
        ));
    }

    /// The newest value in the vault, if it may be read.
    fn vault_value(&self) -> Option<String> {
        let secret = self
            .stage
            .azure()
            .control()
            .dump(VAULT)
            .secrets
            .remove(REMOTE)?;
        (secret.enabled && !secret.deleted).then_some(secret.value)
    }

    /// HOWTO, section 4.
    async fn configure_store(&mut self, values: &Values) -> Result<()> {
        let (stage, screen) = (self.stage, self.screen);
        screen.part("HOWTO 4: the operator's access to the vault");
        let (tenant, client) = (guid()?, guid()?);
        let control = stage.azure().control();
        control.seed(
            VAULT,
            Content {
                tenant: Some(tenant.clone()),
                ..Content::default()
            },
        )?;
        control.entra(
            &tenant,
            &client,
            Some(App::with_secret(&values.client_secret)),
        );
        control.permissions(&client, VAULT, Some(&["get", "list"]));
        screen.step("Azure knows a service principal that may get and list this vault's secrets");
        let literal = |key: &str, value: &str| format!("--from-literal={key}={value}");
        let (id, secret) = (
            literal("client-id", &client),
            literal("client-secret", &values.client_secret),
        );
        let tenant = literal("tenant-id", &tenant);
        let credentials = [
            "create",
            "secret",
            "generic",
            "akv-sp-credentials",
            "-n",
            NAMESPACE,
            &id,
            &secret,
            &tenant,
        ];
        stage.kubectl(screen, &credentials).await?;
        self.apply_store().await?;
        let store = format!("clustersecretstore/{STORE}");
        stage
            .kubectl(
                screen,
                &["wait", "--for=condition=Ready", &store, "--timeout=60s"],
            )
            .await?;
        self.evidence.note("store ready");
        stage
            .kubectl(screen, &["get", "clustersecretstore"])
            .await?;
        let holds = screen.check(
            stage.is_operator_running(),
            "the operator runs and the store is Ready",
        );
        self.evidence.verified(
            holds,
            format!("The operator runs; ClusterSecretStore `{STORE}` is Ready"),
        );
        Ok(())
    }

    /// The manifest as it stands, but for the vault's name.
    async fn apply_store(&self) -> Result<()> {
        let text = std::fs::read_to_string(root().join(STORE_FILE))
            .with_context(|| format!("read {STORE_FILE}"))?;
        self.screen.command(&format!(
            "sed 's/{PLACEHOLDER}/{VAULT}/' {STORE_FILE} | kubectl apply -f -"
        ));
        let plane = self.stage.plane();
        let manifest = text.replace(PLACEHOLDER, VAULT);
        let output = plane
            .kubectl_as(plane.admin_kubeconfig(), ["apply", "-f", "-"], &manifest)
            .await?;
        self.screen.output(
            &output
                .success()
                .with_context(|| format!("the cluster refuses {STORE_FILE}"))?,
        );
        Ok(())
    }

    /// HOWTO, sections 5 and 6.
    async fn declare(&mut self) -> Result<()> {
        let (stage, screen) = (self.stage, self.screen);
        screen.part("HOWTO 5 and 6: an ExternalSecret, and the Secret it makes");
        stage
            .kubectl(screen, &["create", "namespace", WORKLOAD])
            .await?;
        stage
            .kubectl(screen, &["apply", "-f", EXTERNAL_SECRET_FILE])
            .await?;
        let object = format!("externalsecret/{EXTERNAL_SECRET}");
        stage
            .kubectl(
                screen,
                &[
                    "wait",
                    "--for=condition=Ready",
                    &object,
                    "-n",
                    WORKLOAD,
                    "--timeout=60s",
                ],
            )
            .await?;
        self.evidence.note("Secret in the cluster");
        stage
            .kubectl(screen, &["get", "externalsecret", "-n", WORKLOAD])
            .await?;
        let describe = [
            "describe",
            "externalsecret",
            EXTERNAL_SECRET,
            "-n",
            WORKLOAD,
        ];
        screen.command(&format!(
            "{} | sed -n '/^Events:/,$p'",
            command_line(&describe)
        ));
        screen.output(events_part(&stage.ask(&describe).await?));
        let manifest = self.external_secret().await?;
        let source = &manifest["spec"]["data"][0];
        let is_as_told = source["remoteRef"]["key"] == REMOTE
            && source["secretKey"] == KEY
            && manifest["spec"]["target"]["name"] == TARGET;
        self.evidence.verified(
            is_as_told,
            format!(
                "`{EXTERNAL_SECRET_FILE}` refers to the vault's `{REMOTE}` and to Secret `{TARGET}`"
            ),
        );
        Ok(())
    }

    /// HOWTO, section 7.
    async fn wire_workload(&mut self) -> Result<()> {
        self.screen.part("HOWTO 7: the workload");
        self.stage
            .kubectl(self.screen, &["apply", "-f", DEPLOYMENT_FILE])
            .await?;
        Ok(())
    }

    /// Secret and workload as they are now, on the screen and in the evidence.
    async fn look(&mut self, when: &'static str) -> Result<Moment> {
        let (stage, screen) = (self.stage, self.screen);
        let secret = self.secret().await?;
        screen.step(&format!("Secret {WORKLOAD}/{TARGET}, {when}"));
        screen.output(&secret.summary(screen.sensitive()));
        let workload = self.workload_view(&secret).await?;
        screen.step(&format!(
            "What a container of Deployment {WORKLOAD} gets when it starts now"
        ));
        screen.output(&workload);
        let folder = when.replace(' ', "-");
        let mut status = String::new();
        for args in [
            vec!["get", "externalsecret", "-n", WORKLOAD],
            vec!["get", "secret", TARGET, "-n", WORKLOAD],
            vec![
                "describe",
                "externalsecret",
                EXTERNAL_SECRET,
                "-n",
                WORKLOAD,
            ],
        ] {
            status += &format!("$ {}\n{}\n", command_line(&args), stage.ask(&args).await?);
        }
        self.evidence
            .save(&format!("{folder}/kubectl.txt"), "kubectl's view", &status)?;
        self.evidence.save(
            &format!("{folder}/secret.yaml"),
            "the Secret, redacted",
            &secret.redacted_yaml()?,
        )?;
        self.evidence.save(
            &format!("{folder}/workload.txt"),
            "what the container's variable resolves to",
            &workload,
        )?;
        Ok(Moment {
            secret,
            external_secret: self.external_secret().await?,
            workload,
        })
    }

    async fn secret(&self) -> Result<SecretView> {
        SecretView::parse(
            &self
                .stage
                .ask(&["get", "secret", TARGET, "-n", WORKLOAD, "-o", "json"])
                .await?,
        )
    }

    async fn external_secret(&self) -> Result<Value> {
        let json = self
            .stage
            .ask(&[
                "get",
                "externalsecret",
                EXTERNAL_SECRET,
                "-n",
                WORKLOAD,
                "-o",
                "json",
            ])
            .await?;
        serde_json::from_str(&json).context("kubectl's answer is no JSON")
    }

    /// The variables of the Deployment that come from Secrets, resolved as a kubelet would.
    async fn workload_view(&self, secret: &SecretView) -> Result<String> {
        let json = self
            .stage
            .ask(&["get", "deployment", WORKLOAD, "-n", WORKLOAD, "-o", "json"])
            .await?;
        let deployment: Deployment =
            serde_json::from_str(&json).context("kubectl's answer is no Deployment")?;
        let mut lines = Vec::new();
        for (variable, source) in variables(&deployment) {
            let value = secret.value(&source.key).filter(|_| source.name == TARGET);
            let value = value.with_context(|| {
                format!("{variable} refers to {} of {}", source.key, source.name)
            })?;
            let shown = (
                redacted(value.len()),
                self.screen.sensitive().fingerprint(value),
            );
            lines.push(format!(
                "{variable} <- Secret {}, key {}: {}, fingerprint {}",
                source.name, source.key, shown.0, shown.1
            ));
        }
        if lines.is_empty() {
            bail!("Deployment {WORKLOAD} has no variable from a Secret");
        }
        Ok(lines.join("\n"))
    }

    /// HOWTO, section 8.
    async fn rotate(&mut self, value: &str, before: &Moment) -> Result<()> {
        self.screen.part("HOWTO 8: rotation");
        self.set_vault_secret(value);
        self.evidence.note("value rotated in the vault");
        self.screen
            .output("The refresh interval is 1h; a refresh now is forced by an annotation:");
        let stamp = format!("force-sync={}", Timestamp::now().as_second());
        let force = [
            "annotate",
            "externalsecret",
            EXTERNAL_SECRET,
            "-n",
            WORKLOAD,
            &stamp,
            "--overwrite",
        ];
        self.stage.kubectl(self.screen, &force).await?;
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
            "The refresh was done {:.1} s after it was asked for",
            start.elapsed().as_secs_f64()
        ));
        Ok(())
    }

    fn compare(&mut self, before: &Moment, after: &Moment) {
        let screen = self.screen;
        let (old, new) = (&before.secret, &after.secret);
        let in_vault = self.vault_value();
        let held = new.value(KEY);
        let generation = |moment: &Moment| moment.external_secret["metadata"]["generation"].clone();
        let checks = [
            screen.check(
                old.resource_version() != new.resource_version(),
                "the Secret's resourceVersion changed",
            ),
            screen.check(old.data_hash() != new.data_hash(), "its data-hash changed"),
            screen.check(
                held.is_some() && held == in_vault.as_deref().map(str::as_bytes),
                "its value equals the vault's",
            ),
            screen.check(
                generation(before) == generation(after),
                "the ExternalSecret's spec is as it was applied",
            ),
        ];
        let is_wired = screen.check(
            before.workload != after.workload,
            "a container that starts now gets the new value",
        );
        screen.output("A container that runs keeps the old value: variables are read when it starts. To restart it:");
        screen.output(&command_line(&[
            "rollout",
            "restart",
            &format!("deployment/{WORKLOAD}"),
            "-n",
            WORKLOAD,
        ]));
        let evidence = &mut self.evidence;
        evidence.verified(
            is_wired,
            format!("Secret `{TARGET}` exists; Deployment `{WORKLOAD}` takes `{KEY}` from it"),
        );
        evidence.open("The application runs with the secret (not verified: this control plane has no kubelet)");
        evidence.verified(
            checks.iter().all(|holds| *holds),
            "Rotation in the vault updated the Secret without a change of manifests",
        );
    }

    fn count_requests(&mut self, mark: u64) -> Result<()> {
        let control = self.stage.azure().control();
        let counters = control.counters();
        let (_, since) = control.requests_since(mark, "");
        let since: Vec<&str> = since.iter().map(|request| request.op.as_str()).collect();
        let count = |map: &std::collections::BTreeMap<String, u64>| {
            map.iter()
                .map(|(op, number)| format!("{op} {number}"))
                .collect::<Vec<_>>()
                .join(", ")
        };
        self.screen.step("Requests to Azure");
        self.screen
            .output(&format!("vault: {}", count(&counters.ops)));
        self.screen
            .output(&format!("sign-in: {}", count(&counters.entra)));
        self.screen
            .output(&format!("since the rotation: {}", since.join(", ")));
        self.screen.check(
            counters.refused.is_empty(),
            "the operator called no other host",
        );
        self.evidence.save(
            "requests.json",
            "every request to vault and sign-in, counted",
            &serde_json::to_string_pretty(&counters)?,
        )
    }

    async fn keep_evidence(&mut self, before: &Moment, after: &Moment) -> Result<()> {
        let (stage, screen) = (self.stage, self.screen);
        screen.part("HOWTO 6.3 and 8.4: evidence");
        for (file, what, args) in [
            (
                "clustersecretstore.yaml",
                "the store and its status",
                vec!["get", "clustersecretstore", STORE, "-o", "yaml"],
            ),
            (
                "events.txt",
                "events of the namespace",
                vec!["get", "events", "-n", WORKLOAD, "--sort-by=.lastTimestamp"],
            ),
        ] {
            let text = format!("# {}\n{}", command_line(&args), stage.ask(&args).await?);
            self.evidence.save(file, what, &text)?;
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
        self.evidence.summarise(&facts.join("\n"))?;
        let leaks = self.evidence.purge()?;
        screen.check(
            leaks.is_empty(),
            &format!("no secret value in the evidence {}", leaks.join("; ")),
        );
        let leaks = screen.sensitive().found_in(&stage.operator_log()?);
        screen.check(
            leaks.is_empty(),
            &format!("no secret value in the operator's log {}", leaks.join("; ")),
        );
        screen.step(&format!("Evidence: {}", self.evidence.folder().display()));
        Ok(())
    }
}

fn synced(external_secret: &Value) -> &Value {
    &external_secret["status"]["syncedResourceVersion"]
}

/// From the heading `Events:` on.
fn events_part(described: &str) -> &str {
    described
        .find("\nEvents:")
        .map_or("", |at| described[at..].trim())
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
