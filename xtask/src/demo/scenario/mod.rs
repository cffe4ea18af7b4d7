//! The HOWTO, step by step, as a user would go through it: kubectl's own commands, the manifests of
//! examples/howto, and what is to be seen after each step. Starts and stops nothing. This file has
//! the order; each step is in a file of its own.

mod declare;
mod look;
mod proof;
mod rotation;
mod store;

use anyhow::Result;

use super::evidence::Evidence;
use super::screen::Screen;
use super::stage::Stage;
use look::Moment;

/// The name for the HOWTO's placeholder.
pub(super) const VAULT: &str = "kv-hybridops";
pub(super) const REMOTE: &str = "netbox-db-password";
pub(super) const EXTERNAL_SECRET: &str = "netbox-db-password";
/// Namespace and Deployment.
pub(super) const WORKLOAD: &str = "netbox";
const STORE: &str = "akv-hybridops";
const TARGET: &str = "netbox-db-credentials";
const KEY: &str = "DB_PASSWORD";

/// The secret values that the run made up.
pub(super) struct Values {
    pub(super) first: String,
    pub(super) second: String,
    pub(super) client_secret: String,
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
        self.create_vault_secret(&values.first);
        self.configure_store(&values.client_secret).await?;
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

    /// Runs a command in sight of the user.
    async fn show(&self, line: &str) -> Result<()> {
        self.stage.shell().show(self.screen, line).await
    }

    /// Runs a command behind the scenes.
    async fn ask(&self, line: &str) -> Result<String> {
        self.stage.shell().ask(line).await
    }
}
