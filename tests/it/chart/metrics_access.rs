//! /metrics for those alone who may `get` it, as the API server says; with the rights that the chart
//! brings for that, each of which is used.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use reqwest::Client;
use serde_json::json;

use super::helm::{CHART, Major, NAMESPACE, Stage};
use crate::support::cluster::{array, text};
use crate::support::operator::USER;
use crate::support::run;
use crate::support::scene::eventually;

const READERS: &str = "monitoring";

#[test]
fn metrics_are_for_accounts_that_may_get_them() {
    run(async {
        let mut stage = Stage::start().await?;
        let install = [
            "install",
            "keyferry",
            CHART,
            "--namespace",
            NAMESPACE,
            "--set=metrics.listen.secure.enabled=true,metrics.listen.auth.enabled=true",
            "--set=metrics.listen.auth.readers[0].name=prometheus",
            "--set=metrics.listen.auth.readers[0].namespace=monitoring",
        ];
        stage.helm(Major::Third, &install).await?.success()?;
        let token = stage.token("prometheus").await?;
        let stranger = stage.token("stranger").await?;
        let mut operator = stage.operate("keyferry").await?;
        let port = operator.metrics_port();
        eventually("/metrics", async || ask(port, None).await.ok()).await;
        assert_eq!(ask(port, None).await?, (401, "Unauthorized".to_owned()));
        assert_eq!(ask(port, Some("x.y.z")).await?.0, 401);
        let (status, said) = ask(port, Some(&stranger)).await?;
        let user = format!("system:serviceaccount:{READERS}:stranger");
        assert_eq!(
            (status, said),
            (403, format!("Authorization denied for user {user}"))
        );
        let (status, metrics) = ask(port, Some(&token)).await?;
        assert_eq!(status, 200);
        assert!(
            metrics.contains("controller_runtime_reconcile_total"),
            "{metrics}"
        );
        answers_are_remembered(&stage, port, &token, &stranger).await?;
        stage.each_right_is_used().await?;
        let log = operator.log()?;
        assert!(!log.contains(&token) && !log.contains(&stranger));
        operator.stop().await?;
        anyhow::Ok(())
    })
    .unwrap();
}

/// Further scrapes ask the API server anew only once what it said is old.
async fn answers_are_remembered(
    stage: &Stage,
    port: u16,
    token: &str,
    stranger: &str,
) -> anyhow::Result<()> {
    let begun = Instant::now();
    let before = stage.reviews()?;
    for _ in 0..5 {
        assert_eq!(ask(port, Some(token)).await?.0, 200);
        assert_eq!(ask(port, Some(stranger)).await?.0, 403);
        assert_eq!(ask(port, Some("x.y.z")).await?.0, 401);
    }
    let (tokens, rights) = stage.reviews()?;
    // what the first requests brought may have become old on a slow machine: then it is asked once more
    let renewals = usize::try_from(begun.elapsed().as_secs() / 30)? + 1;
    let asked = (tokens - before.0, rights - before.1);
    assert!(
        asked.0 <= 3 * renewals && asked.1 <= 2 * renewals,
        "{asked:?}"
    );
    Ok(())
}

/// Status and text of /metrics.
async fn ask(port: u16, token: Option<&str>) -> anyhow::Result<(u16, String)> {
    // there may be one already
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(10))
        .tls_danger_accept_invalid_certs(true)
        .build()?;
    let mut request = client.get(format!("https://127.0.0.1:{port}/metrics"));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let answer = request.send().await?;
    Ok((answer.status().as_u16(), answer.text().await?))
}

impl Stage {
    /// A token of a new account in the readers' namespace.
    async fn token(&self, name: &str) -> anyhow::Result<String> {
        let cluster = self.bed.cluster();
        let namespace =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": READERS}});
        let account =
            json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}});
        cluster.apply(&namespace, None).await?;
        cluster.apply(&account, Some(READERS)).await?;
        let life = Duration::from_hours(1);
        let plane = self.bed.plane();
        plane.service_account_token(READERS, name, &[], life).await
    }

    /// How many tokens and how many rights the operator has asked about.
    fn reviews(&self) -> anyhow::Result<(usize, usize)> {
        let events = self.bed.plane().audit_events()?;
        let count = |resource| {
            let filter = testbed::AuditFilter {
                verb: Some("create"),
                resource: Some(resource),
                user: Some(USER),
            };
            events.iter().filter(|event| filter.matches(event)).count()
        };
        Ok((count("tokenreviews"), count("subjectaccessreviews")))
    }

    /// Of those that come with `metrics.listen.auth`.
    async fn each_right_is_used(&self) -> anyhow::Result<()> {
        let role = super::helm::object("ClusterRole", None, "keyferry-metrics-auth");
        let role = self.bed.cluster().get(&role).await?.context("no role")?;
        let mut rights = 0;
        for rule in array(&role["rules"]) {
            for (resource, verb) in array(&rule["resources"]).zip(array(&rule["verbs"])) {
                let filter = testbed::AuditFilter {
                    verb: Some(text(verb)),
                    resource: Some(text(resource)),
                    user: Some(USER),
                };
                let uses = self.bed.plane().audit_events()?;
                let mut uses = uses.iter().filter(|event| filter.matches(event));
                assert!(uses.any(|event| event.code == 201), "{resource}");
                rights += 1;
            }
        }
        assert_eq!(rights, 2);
        Ok(())
    }
}
