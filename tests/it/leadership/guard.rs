//! The client behind the write guard, as the operator has it, on a real API server.

use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Secret;
use keyferry::kubernetes::client;
use keyferry::kubernetes::write_guard::WriteGuard;
use keyferry::telemetry::Metrics;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Config};
use serde_json::json;
use testbed::AuditFilter;

use super::pair::until;
use crate::support::bed::{Bed, Kind};
use crate::support::run;

/// Nobody else touches Secrets here.
const NAMESPACE: &str = "external-secrets";

#[test]
fn a_client_without_permission_reads_and_sends_no_write() -> anyhow::Result<()> {
    run(async {
        let bed = Bed::start_as(Kind::Audited).await?;
        let kubeconfig = Kubeconfig::read_from(bed.plane().admin_kubeconfig())?;
        let config =
            Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
        let guard = WriteGuard::closed();
        let metrics = Metrics::new()?;
        let connect = |guard| client::connect(config.clone(), guard, None, &metrics.requests);
        let secrets: Api<Secret> = Api::namespaced(connect(&guard)?, NAMESPACE);
        let other: Api<Secret> = Api::namespaced(connect(&WriteGuard::open())?, NAMESPACE);
        let secret: Secret = serde_json::from_value(json!({"metadata": {"name": "guarded"}}))?;
        let (how, patch) = (
            PostParams::default(),
            Patch::Merge(json!({"stringData": {"a": "b"}})),
        );

        assert!(secrets.get_opt("guarded").await?.is_none());
        let attempts = [
            secrets.create(&how, &secret).await.map(drop),
            secrets.replace("guarded", &how, &secret).await.map(drop),
            secrets
                .patch("guarded", &PatchParams::default(), &patch)
                .await
                .map(drop),
            secrets
                .delete("guarded", &DeleteParams::default())
                .await
                .map(drop),
        ];
        for attempt in attempts {
            let refused = attempt.map_err(|error| error.to_string());
            let words = "not written: this process does not lead";
            assert!(
                refused.as_ref().is_err_and(|it| it.contains(words)),
                "{refused:?}"
            );
        }
        guard.permit(Instant::now() + Duration::from_mins(1));
        secrets.create(&how, &secret).await?;
        guard.close();
        assert!(
            secrets
                .patch("guarded", &PatchParams::default(), &patch)
                .await
                .is_err()
        );
        // who has led asks for nothing any more
        assert!(secrets.get("guarded").await.is_err());
        assert!(other.get("guarded").await?.data.is_none());

        // the last read is logged after everything before it
        until("the last read in the log", async || {
            Ok(asked(&bed, "get")? == 2)
        })
        .await?;
        let sent = [
            asked(&bed, "create")?,
            asked(&bed, "update")?,
            asked(&bed, "patch")?,
            asked(&bed, "delete")?,
        ];
        assert_eq!(sent, [1, 0, 0, 0]);
        Ok(())
    })
}

/// How often the guarded client asked so of Secrets.
fn asked(bed: &Bed, verb: &str) -> anyhow::Result<usize> {
    let filter = AuditFilter {
        verb: Some(verb),
        resource: Some("secrets"),
        ..AuditFilter::default()
    };
    let events = bed.plane().audit_events()?;
    let asked = events.iter().filter(|event| filter.matches(event));
    Ok(asked.filter(|event| event.namespace == NAMESPACE).count())
}
