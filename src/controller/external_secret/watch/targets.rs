//! What changes of targets that are Secrets cause.

use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt as _;
use kube::core::PartialObjectMeta;

use crate::api::meta::{MANAGED_LABEL, MANAGED_VALUE, NamespacedName};
use crate::controller::engine::watch::Observer;
use crate::controller::external_secret::state::Env;
use crate::controller::index::Target;

/// Follows the metadata of Secrets.
pub struct TargetWatch(pub Env);

impl Observer<PartialObjectMeta<Secret>> for TargetWatch {
    fn present(&mut self, name: &NamespacedName, object: &PartialObjectMeta<Secret>, _: bool) {
        let is_managed =
            object.labels().get(MANAGED_LABEL).map(String::as_str) == Some(MANAGED_VALUE);
        let version = object.resource_version();
        let target = Target::secret(name.clone());
        self.0
            .target_changed(&target, version.as_deref(), is_managed);
    }

    fn gone(&mut self, name: &NamespacedName) {
        let target = Target::secret(name.clone());
        self.0.target_changed(&target, None, true);
    }

    fn delivers(&mut self, delivers: bool) {
        self.0.state.target_watch.delivers(delivers);
    }
}
