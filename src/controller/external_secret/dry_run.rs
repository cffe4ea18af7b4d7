//! What a first sync would do, without doing it: for commands that show it.

use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::jiff::Timestamp;

use crate::api::external_secret::ExternalSecret;
use crate::controller::store::StoreAccess;
use crate::controller::templates::TextSources;
use crate::template::Engine;

use super::error::Error;
use super::fetch::{Moment, fetch};
use super::spec::{self, validate};
use super::target::{self, ApplyError, PlanError, TargetPlan};

/// What a first sync would do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The target's name.
    pub name: String,
    /// What is done to it.
    pub target: TargetPlan,
}

/// Plans the first sync of `object` with `present` in its target's place before.
///
/// # Errors
/// What the sync would fail with.
pub async fn plan(
    object: &ExternalSecret,
    present: Option<&Secret>,
    engine: &Engine,
    stores: &dyn StoreAccess,
    templates: &dyn TextSources,
) -> Result<Plan, Error> {
    let spec = validate(object)?;
    if spec.target.manifest.is_some() {
        return Err(Error::Invalid(spec::Error::Unsupported {
            field: "spec.target.manifest".to_owned(),
            remedy: "only targets that are Secrets are shown",
        }));
    }
    let now = Timestamp::now();
    let (shaped, _) = fetch(&spec, stores, Moment { since: now, now }).await?;
    let plan = target::prepare(&spec, present, "", &shaped.data, engine, templates).await?;
    Ok(Plan {
        name: spec.target.name,
        target: plan.target,
    })
}

impl Plan {
    /// The target as the sync leaves it, with `present` in its place before; `None` if there is none then.
    ///
    /// # Errors
    /// The target is immutable, and other data is due.
    pub fn target_after(self, present: Option<&Secret>) -> Result<Option<Secret>, Error> {
        match self.target {
            TargetPlan::Create(secret) | TargetPlan::Update { secret, .. } => Ok(Some(*secret)),
            TargetPlan::Keep => Ok(present.cloned()),
            TargetPlan::Delete(_) => Ok(None),
            TargetPlan::Frozen(_) => {
                let frozen = ApplyError::Frozen(PlanError::Immutable(self.name));
                Err(target::Error::from(frozen).into())
            }
        }
    }
}
