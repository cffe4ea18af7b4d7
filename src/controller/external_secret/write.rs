//! Brings a target in step with what was fetched: plans, and applies the plan.

use k8s_openapi::api::core::v1::Secret;

use crate::api::external_secret::ExternalSecret;
use crate::controller::context::Context;
use crate::secret::SecretData;

use super::plan::{self, TargetPlan};
use super::spec::SyncSpec;
use super::{Error, Known, apply, observe};

/// What came of it.
pub(super) enum Written {
    /// It is in step.
    Done(plan::Verdict),
    /// Somebody else wrote it meanwhile.
    Overtaken,
    /// The ExternalSecret or the namespace is going.
    Moot,
}

/// Writes what has to be written.
pub(super) async fn write(
    object: &ExternalSecret,
    known: &Known,
    ctx: &Context,
    (spec, target): (&SyncSpec, observe::Target),
    data: &SecretData,
) -> Result<Written, Error> {
    let bound = &known.status.binding.name;
    let found = match target {
        observe::Target::Manifest(observed) => {
            return observed.write(object, spec, data, ctx).await;
        }
        observe::Target::Secret(found) => found,
        observe::Target::Untouched => observe::secret(spec, ctx).await?,
        observe::Target::Presumed => match create(object, spec, bound, data, ctx).await? {
            Some(written) => return Ok(written),
            None => observe::secret(spec, ctx).await?,
        },
    };
    write_secret(object, spec, found.as_ref(), bound, data, ctx).await
}

/// Makes a target that nobody looked for; `None` where that does not do.
async fn create(
    object: &ExternalSecret,
    spec: &SyncSpec,
    bound: &str,
    data: &SecretData,
    ctx: &Context,
) -> Result<Option<Written>, Error> {
    // what is wrong may be another thing with a target that is there
    let plan = super::plan(spec, None, bound, data, &ctx.options.templates, ctx).await;
    match plan {
        Ok(plan) if matches!(plan.target, TargetPlan::Create(_)) => {
            match carry_out(plan, object, spec, ctx).await? {
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
    ctx: &Context,
) -> Result<Written, Error> {
    let plan = super::plan(spec, present, bound, data, &ctx.options.templates, ctx).await?;
    if matches!(plan.target, TargetPlan::Create(_)) && !observe::still_stands(object, ctx).await? {
        return Ok(Written::Moot);
    }
    carry_out(plan, object, spec, ctx).await
}

async fn carry_out(
    plan: plan::Plan,
    object: &ExternalSecret,
    spec: &SyncSpec,
    ctx: &Context,
) -> Result<Written, Error> {
    let verdict = plan.verdict;
    match apply::apply(plan, object, spec, ctx).await {
        Err(error) if error.is_conflict() => Ok(Written::Overtaken),
        Err(error) if error.is_terminating() => Ok(Written::Moot),
        other => Ok(other.map(|()| Written::Done(verdict))?),
    }
}
