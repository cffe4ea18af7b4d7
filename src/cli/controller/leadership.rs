//! ESO's flags of leader election (ESO's page "Controller options"), and who stands.

use std::time::Duration;

use anyhow::ensure;
use clap::Args;
use k8s_openapi::jiff::SignedDuration;
use uuid::Uuid;

use super::durations::positive_duration;
use crate::cli::go_bool::GoBool as _;
use crate::runtime::leader::{Candidacy, Timing};

/// The flags.
#[derive(Debug, Args)]
pub(super) struct Leadership {
    /// Work only while holding a Lease in the operator's own namespace, so that several replicas may run.
    #[arg(long, go_bool = false)]
    enable_leader_election: bool,
    /// Name of the Lease.
    #[arg(long, default_value = "external-secrets-controller")]
    leader_election_id: String,
    /// How long others wait after the leader's last renewal; rounded up to whole seconds.
    #[arg(long, default_value = "15s", value_parser = positive_duration)]
    leader_election_lease_duration: SignedDuration,
    /// How long the leader goes on after its last renewal.
    #[arg(long, default_value = "10s", value_parser = positive_duration)]
    leader_election_renew_deadline: SignedDuration,
    /// Time between renewals.
    #[arg(long, default_value = "2s", value_parser = positive_duration)]
    leader_election_retry_period: SignedDuration,
}

impl Leadership {
    /// Who stands for which Lease in `namespace`; `None` where there is no election.
    pub(super) fn candidacy(&self, namespace: &str) -> anyhow::Result<Option<Candidacy>> {
        if !self.enable_leader_election {
            return Ok(None);
        }
        let candidacy = Candidacy {
            namespace: namespace.to_owned(),
            name: self.leader_election_id.clone(),
            identity: identity(),
            timing: self.timing()?,
        };
        Ok(Some(candidacy))
    }

    /// client-go's rules: it jitters the retry period by a fifth.
    fn timing(&self) -> anyhow::Result<Timing> {
        let length = |flag: &SignedDuration| -> Duration { flag.unsigned_abs() };
        let timing = Timing {
            lease: length(&self.leader_election_lease_duration),
            renew_deadline: length(&self.leader_election_renew_deadline),
            retry: length(&self.leader_election_retry_period),
        };
        ensure!(
            timing.lease > timing.renew_deadline,
            "--leader-election-lease-duration must be more than --leader-election-renew-deadline"
        );
        ensure!(
            timing.renew_deadline > timing.retry * 6 / 5,
            "--leader-election-renew-deadline must be more than 1.2 times \
             --leader-election-retry-period"
        );
        Ok(timing)
    }
}

/// `<hostname>_<uuid>`, as controller-runtime makes it.
fn identity() -> String {
    let system = rustix::system::uname();
    let host = system.nodename().to_string_lossy();
    format!("{host}_{}", Uuid::new_v4())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        flags: Leadership,
    }

    fn candidacy(flags: &[&str]) -> anyhow::Result<Option<Candidacy>> {
        let line = ["keyferry"].iter().chain(flags);
        Cli::try_parse_from(line)?
            .flags
            .candidacy("external-secrets")
    }

    #[test]
    fn there_is_no_election_unless_asked_for() {
        assert!(candidacy(&[]).unwrap().is_none());
        assert!(
            candidacy(&["--enable-leader-election=false"])
                .unwrap()
                .is_none()
        );
    }

    #[test]
    fn names_and_durations_are_esos() {
        let stood = candidacy(&["--enable-leader-election"]).unwrap().unwrap();
        assert_eq!(stood.name, "external-secrets-controller");
        assert_eq!(stood.namespace, "external-secrets");
        let timing = stood.timing;
        let seconds = [timing.lease, timing.renew_deadline, timing.retry].map(|it| it.as_secs());
        assert_eq!(seconds, [15, 10, 2]);
    }

    #[test]
    fn two_candidates_of_one_host_have_two_identities() {
        let identity = || {
            let stood = candidacy(&["--enable-leader-election"]).unwrap().unwrap();
            let (host, uuid) = stood.identity.rsplit_once('_').unwrap();
            assert_eq!(uuid.len(), 36, "{uuid}");
            let uuid = Uuid::try_parse(uuid).unwrap();
            assert_eq!(uuid.get_version(), Some(uuid::Version::Random));
            (host.to_owned(), uuid)
        };
        let ((host, one), (same, other)) = (identity(), identity());
        assert_eq!(host, same);
        assert_ne!(one, other);
    }

    #[test]
    fn durations_that_cannot_work_are_refused() {
        let refusal = |flag| {
            candidacy(&["--enable-leader-election=true", flag])
                .unwrap_err()
                .to_string()
        };
        let shown = refusal("--leader-election-renew-deadline=15s");
        assert!(
            shown.contains("must be more than --leader-election-renew-deadline"),
            "{shown}"
        );
        let shown = refusal("--leader-election-retry-period=9s");
        assert!(
            shown.contains("1.2 times --leader-election-retry-period"),
            "{shown}"
        );
    }
}
