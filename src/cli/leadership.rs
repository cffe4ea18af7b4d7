//! ESO's flags of leader election (spec: operations.md 2.1), and who stands.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::{ArgAction, Args};
use k8s_openapi::jiff::SignedDuration;

use super::controller::positive_duration;
use crate::runtime::leader::{Candidacy, Timing};

/// The flags.
#[derive(Debug, Args)]
pub(super) struct Leadership {
    /// Work only while holding a Lease in the operator's own namespace, so that several replicas may run.
    #[arg(long, num_args = 0..=1, require_equals = true, default_value_t = false, default_missing_value = "true", action = ArgAction::Set)]
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
            identity: identity()?,
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
fn identity() -> anyhow::Result<String> {
    let system = rustix::system::uname();
    let host = system.nodename().to_string_lossy().into_owned();
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).context("no randomness for the identity in leader election")?;
    Ok(format!("{host}_{}", uuid(bytes)))
}

/// A random UUID (version 4) of these bytes.
fn uuid(bytes: [u8; 16]) -> String {
    let random = u128::from_be_bytes(bytes);
    let versioned = random & !(0xf << 76) & !(0b11 << 62) | 0x4 << 76 | 0b10 << 62;
    let digits = format!("{versioned:032x}");
    let part = |from: usize, to: usize| &digits[from..to];
    [
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32),
    ]
    .join("-")
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
        let (_, uuid) = stood.identity.rsplit_once('_').unwrap();
        assert_eq!(uuid.len(), 36, "{uuid}");
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

    #[test]
    fn a_uuid_says_that_it_is_random() {
        assert_eq!(uuid([0xff; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(uuid([0; 16]), "00000000-0000-4000-8000-000000000000");
    }
}
