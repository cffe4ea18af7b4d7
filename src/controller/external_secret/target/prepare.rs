//! Plans the write of a target that is a Secret, its template rendered if that counts.

use k8s_openapi::api::core::v1::Secret;

use crate::controller::external_secret::spec::SyncSpec;
use crate::controller::templates::{self, TextSources};
use crate::secret::SecretData;
use crate::template::Engine;

use super::error::Error;
use super::plan::{self, Plan};
use super::size;

/// What is to be done about the target.
///
/// # Errors
/// The template fails, or the target is not ours to write, or would be too large.
pub async fn prepare(
    spec: &SyncSpec,
    present: Option<&Secret>,
    bound: &str,
    data: &SecretData,
    engine: &Engine,
    sources: &dyn TextSources,
) -> Result<Plan, Error> {
    let rendered = if plan::needs_content(spec, present, data) {
        let template = spec.target.template.as_ref();
        templates::render(template, &spec.namespace, data, engine, sources).await?
    } else {
        None
    };
    let situation = plan::Situation {
        present,
        bound,
        data,
        rendered: rendered.as_ref(),
    };
    let plan = plan::decide(spec, &situation)?;
    size::check(&plan.target)?;
    Ok(plan)
}
