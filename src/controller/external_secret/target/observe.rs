//! Reads the target before anything is decided, unless what is known of it does.

use k8s_openapi::api::core::v1::Secret;

use crate::controller::external_secret::spec::SyncSpec;
use crate::controller::external_secret::state::{Env, ReconcileInput};
use crate::kubernetes::secrets;

use super::error::Error;
use super::{build, manifest, snapshot};

/// The target as it stands.
pub enum Target {
    /// A Secret, or its absence.
    Secret(Option<Secret>),
    /// A Secret that nobody looked for: there is none, as a rule, and making it tells.
    Presumed,
    /// A Secret that is known to stand as a refresh would write it, but for values.
    Untouched,
    /// An object of another kind.
    Manifest(manifest::Observed),
}

impl Target {
    /// Whether it can wait for the next refresh: it is as it was last written, or nobody minds it.
    pub fn needs_no_write(&self, spec: &SyncSpec, env: &Env) -> bool {
        match self {
            Self::Secret(present) => build::needs_no_write(spec, present.as_ref()),
            Self::Presumed => build::needs_no_write(spec, None),
            Self::Untouched => true,
            Self::Manifest(observed) => observed.needs_no_write(spec, env),
        }
    }

    /// Whether all that can be told without the values is as a refresh would write it.
    pub fn is_untouched(&self, spec: &SyncSpec, env: &Env) -> bool {
        match self {
            Self::Secret(present) => build::is_untouched(spec, present.as_ref()),
            Self::Presumed => build::is_untouched(spec, None),
            Self::Untouched => true,
            Self::Manifest(observed) => observed.is_untouched(spec, env),
        }
    }
}

/// Reads the target, unless what is known of it does: there is none of a new ExternalSecret, and one that
/// was in sync stays so until the watch brings something else.
pub async fn target(spec: &SyncSpec, input: &ReconcileInput, env: &Env) -> Result<Target, Error> {
    if let Some(manifest) = &spec.target.manifest {
        let observed = manifest::observe(spec, manifest, env).await?;
        return Ok(Target::Manifest(observed));
    }
    if input.is_new() {
        return Ok(Target::Presumed);
    }
    if env.state.target_stands(&input.record, &spec.version) {
        return Ok(Target::Untouched);
    }
    Ok(Target::Secret(secret(spec, env).await?))
}

/// Reads the target, a Secret.
pub async fn secret(spec: &SyncSpec, env: &Env) -> Result<Option<Secret>, Error> {
    let found = secrets::get(&env.ctx.client, &spec.namespace, &spec.target.name).await;
    let found = found.map_err(Error::Observe)?;
    if let Some(secret) = &found {
        snapshot::remember(spec, secret, env);
    }
    Ok(found)
}
