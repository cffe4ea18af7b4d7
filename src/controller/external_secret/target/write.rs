//! Brings a target in sync with what was fetched: plans, and applies the plan.

use k8s_openapi::api::core::v1::Secret;

use crate::api::external_secret::ExternalSecret;
use crate::controller::external_secret::spec::SyncSpec;
use crate::controller::external_secret::state::{Env, ReconcileInput};
use crate::secret::SecretData;

use super::error::Error;
use super::observe::{self, Target};
use super::outcome::Written;
use super::plan::{Plan, TargetPlan};
use super::prepare::prepare;
use super::{apply, recheck};

/// Writes what has to be written.
pub async fn write(
    object: &ExternalSecret,
    input: &ReconcileInput,
    env: &Env,
    (spec, target): (&SyncSpec, Target),
    data: &SecretData,
) -> Result<Written, Error> {
    let bound = &input.status.binding.name;
    let found = match target {
        Target::Manifest(observed) => {
            return Ok(observed.write(object, spec, data, env).await?);
        }
        Target::Secret(found) => found,
        Target::Untouched => observe::secret(spec, env).await?,
        Target::Presumed => match create(object, spec, bound, data, env).await? {
            Some(written) => return Ok(written),
            None => observe::secret(spec, env).await?,
        },
    };
    write_secret(object, spec, found.as_ref(), bound, data, env).await
}

/// Makes a target that nobody looked for; `None` where that does not do.
async fn create(
    object: &ExternalSecret,
    spec: &SyncSpec,
    bound: &str,
    data: &SecretData,
    env: &Env,
) -> Result<Option<Written>, Error> {
    // what is wrong may be another thing with a target that is there
    let plan = plan_for(spec, None, bound, data, env).await;
    match plan {
        Ok(plan) if matches!(plan.target, TargetPlan::Create(_)) => {
            match carry_out(plan, object, spec, env).await? {
                Written::Overtaken => Ok(None),
                written => Ok(Some(written)),
            }
        }
        _ => Ok(None),
    }
}

async fn write_secret(
    object: &ExternalSecret,
    spec: &SyncSpec,
    present: Option<&Secret>,
    bound: &str,
    data: &SecretData,
    env: &Env,
) -> Result<Written, Error> {
    let plan = plan_for(spec, present, bound, data, env).await?;
    if matches!(plan.target, TargetPlan::Create(_))
        && !recheck::still_exists(object, env)
            .await
            .map_err(Error::Reread)?
    {
        return Ok(Written::Terminating);
    }
    carry_out(plan, object, spec, env).await
}

async fn carry_out(
    plan: Plan,
    object: &ExternalSecret,
    spec: &SyncSpec,
    env: &Env,
) -> Result<Written, Error> {
    let verdict = plan.verdict;
    match apply::apply(plan, object, spec, env).await {
        Err(error) if error.is_conflict() => Ok(Written::Overtaken),
        Err(error) if error.is_terminating() => Ok(Written::Terminating),
        other => Ok(other.map(|()| Written::Done(verdict))?),
    }
}

async fn plan_for(
    spec: &SyncSpec,
    present: Option<&Secret>,
    bound: &str,
    data: &SecretData,
    env: &Env,
) -> Result<Plan, Error> {
    let engine = &env.ctx.options.templates;
    prepare(spec, present, bound, data, engine, &*env.templates).await
}
