//! ESO's flags that switch kinds off (ESO's page "Controller options").

use clap::Args;

use crate::api::kinds::{CLUSTER_EXTERNAL_SECRET, CLUSTER_PUSH_SECRET, PUSH_SECRET};
use crate::cli::go_bool::GoBool as _;
use crate::controller::Switches;

/// The flags.
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "they are switches")]
#[allow(clippy::doc_markdown, reason = "--help shows the texts as they are")]
pub(super) struct Flags {
    /// Serve ClusterSecretStores; without it an ExternalSecret whose secretStoreRef is one is left to
    /// others, and the operator needs no right to read them.
    #[arg(long, go_bool = true)]
    enable_cluster_store_reconciler: bool,
    /// Validate SecretStores; without it they are used where somebody else found them ready.
    #[arg(long, go_bool = true)]
    enable_secret_store_reconciler: bool,
    /// Read from stores only while they are ready.
    #[arg(long, go_bool = true)]
    enable_flood_gate: bool,
    /// Serve ClusterExternalSecrets (not served yet: false silences the warning about them).
    #[arg(long, go_bool = true)]
    enable_cluster_external_secret_reconciler: bool,
    /// Serve PushSecrets (not served yet: false silences the warning about them).
    #[arg(long, go_bool = true)]
    enable_push_secret_reconciler: bool,
    /// Serve ClusterPushSecrets (not served yet: false silences the warning about them).
    #[arg(long, go_bool = true)]
    enable_cluster_push_secret_reconciler: bool,
    /// Serve targets that are no Secret (spec.target.manifest). Who may write ExternalSecrets then
    /// writes such objects too, with the operator's rights.
    #[arg(long, go_bool = false)]
    unsafe_allow_generic_targets: bool,
}

impl Flags {
    /// What they say.
    pub(super) fn switches(&self) -> Switches {
        let unserved = [
            (
                CLUSTER_EXTERNAL_SECRET,
                self.enable_cluster_external_secret_reconciler,
            ),
            (PUSH_SECRET, self.enable_push_secret_reconciler),
            (
                CLUSTER_PUSH_SECRET,
                self.enable_cluster_push_secret_reconciler,
            ),
        ];
        Switches {
            cluster_stores: self.enable_cluster_store_reconciler,
            secret_store_validation: self.enable_secret_store_reconciler,
            flood_gate: self.enable_flood_gate,
            generic_targets: self.unsafe_allow_generic_targets,
            off: unserved
                .into_iter()
                .filter_map(|(kind, is_on)| (!is_on).then_some(kind))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        flags: Flags,
    }

    fn switches(arguments: &[&str]) -> Switches {
        let line = ["keyferry"].iter().chain(arguments);
        Line::try_parse_from(line).unwrap().flags.switches()
    }

    #[test]
    fn flags_are_written_as_go_writes_them() {
        let usual = switches(&[]);
        assert!(usual.cluster_stores && usual.secret_store_validation && usual.flood_gate);
        assert!(!usual.generic_targets && usual.off.is_empty());
        let scoped = switches(&[
            "--enable-cluster-store-reconciler=false",
            "--enable-push-secret-reconciler=false",
            "--enable-flood-gate",
            "--unsafe-allow-generic-targets",
        ]);
        assert!(!scoped.cluster_stores && scoped.flood_gate && scoped.generic_targets);
        assert_eq!(scoped.off, ["PushSecret"]);
    }
}
