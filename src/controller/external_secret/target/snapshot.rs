//! Remembers targets that are as a refresh would write them, so that nobody reads them again before the
//! watch brings another version.

use k8s_openapi::api::core::v1::Secret;

use crate::api::meta::NamespacedName;
use crate::controller::external_secret::spec::SyncSpec;
use crate::controller::external_secret::state::Env;

use super::build;

/// Remembers a target that was read or written, if it is as a refresh would write it.
pub fn remember(spec: &SyncSpec, target: &Secret, env: &Env) {
    if let Some(version) = &target.metadata.resource_version
        && build::is_untouched(spec, Some(target))
    {
        let object = NamespacedName::new(spec.namespace.as_str(), spec.name.as_str());
        env.state.target_in_sync(&object, version, &spec.version);
    }
}
