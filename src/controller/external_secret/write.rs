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
    match target {
        observe::Target::Secret(found) => {
            write_secret(object, spec, found.as_ref(), bound, data, ctx).await
        }
        observe::Target::Manifest(observed) => observed.write(object, spec, data, ctx).await,
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
    let verdict = plan.verdict;
    match apply::apply(plan, object, spec, ctx).await {
        Err(error) if error.is_conflict() => Ok(Written::Overtaken),
        Err(error) if error.is_terminating() => Ok(Written::Moot),
        other => Ok(other.map(|()| Written::Done(verdict))?),
    }
}
