//! ConfigMaps and Secrets of the cluster that hold templates: whoever renders one refreshes when it changes.
//! Only sources that somebody names are remembered, and of them only the resource version.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::core::PartialObjectMeta;
use kube::{Api, Client, ResourceExt};
use parking_lot::Mutex;

use crate::api::meta::NamespacedName;
use crate::controller::engine::watch::{self, Observer};
use crate::controller::index::{Change, Consumers, Dependency, TemplateSource};
use crate::lifecycle::Readiness;
use crate::secret::{SecretData, SecretValue};

use super::from::TextSources;

/// The template sources of the cluster.
pub struct TemplateSources {
    client: Client,
    consumers: Arc<Consumers>,
    versions: Versions,
}

impl TemplateSources {
    /// Of which nothing was seen yet.
    pub fn new(client: Client, consumers: Arc<Consumers>) -> Self {
        Self {
            client,
            consumers,
            versions: Versions::default(),
        }
    }

    /// `source` is now at `version` (`None`: gone).
    fn seen(&self, source: &TemplateSource, version: Option<&str>, is_listed: bool) {
        let dependency = Dependency::Template(source.clone());
        let is_used = self.consumers.has(&dependency);
        if self.versions.is_news(source, version, is_listed, is_used) {
            self.consumers.notify(&dependency, Change::Content);
        }
    }
}

#[async_trait]
impl TextSources for TemplateSources {
    fn version(&self, source: &TemplateSource) -> Option<String> {
        self.versions.get(source)
    }

    async fn texts(&self, source: &TemplateSource) -> kube::Result<Option<SecretData>> {
        match source {
            TemplateSource::ConfigMap(object) => {
                let api: Api<ConfigMap> = Api::namespaced(self.client.clone(), &object.namespace);
                let found = api.get_opt(&object.name).await?;
                Ok(found.map(|map| of_config_map(&map)))
            }
            TemplateSource::Secret(object) => {
                let api: Api<Secret> = Api::namespaced(self.client.clone(), &object.namespace);
                let found = api.get_opt(&object.name).await?;
                Ok(found.map(|secret| of_secret(&secret)))
            }
        }
    }
}

/// The texts of a ConfigMap; its binary data holds no templates.
pub fn of_config_map(map: &ConfigMap) -> SecretData {
    let data = map.data.iter().flatten();
    data.map(|(key, text)| (key.clone(), SecretValue::new(text.as_str())))
        .collect()
}

/// The values of a Secret.
pub fn of_secret(secret: &Secret) -> SecretData {
    let data = secret.data.iter().flatten();
    data.map(|(key, value)| (key.clone(), SecretValue::new(value.0.as_slice())))
        .collect()
}

/// The resource versions last seen.
#[derive(Debug, Default)]
struct Versions(Mutex<HashMap<TemplateSource, Option<String>>>);

impl Versions {
    /// The version last seen of a source that somebody names.
    fn get(&self, source: &TemplateSource) -> Option<String> {
        let versions = self.0.lock();
        versions.get(source).cloned().flatten()
    }

    /// Notes that `source` is at `version`. Returns whether that is news: what a list shows for the first
    /// time is not, for a start is no reason to refresh.
    fn is_news(
        &self,
        source: &TemplateSource,
        version: Option<&str>,
        is_listed: bool,
        is_used: bool,
    ) -> bool {
        let mut versions = self.0.lock();
        if !is_used {
            versions.remove(source);
            return false;
        }
        match versions.insert(source.clone(), version.map(str::to_owned)) {
            Some(before) => before.as_deref() != version,
            None => !is_listed,
        }
    }
}

/// Learns of the sources of one kind.
struct SourceWatch {
    sources: Arc<TemplateSources>,
    kind: fn(NamespacedName) -> TemplateSource,
}

impl<K> Observer<PartialObjectMeta<K>> for SourceWatch
where
    PartialObjectMeta<K>: ResourceExt,
{
    fn present(&mut self, name: &NamespacedName, object: &PartialObjectMeta<K>, is_listed: bool) {
        let version = object.resource_version();
        let source = (self.kind)(name.clone());
        self.sources.seen(&source, version.as_deref(), is_listed);
    }

    fn gone(&mut self, name: &NamespacedName) {
        self.sources.seen(&(self.kind)(name.clone()), None, false);
    }
}

/// Follows the metadata of all ConfigMaps; never ends.
pub fn config_maps(
    sources: &Arc<TemplateSources>,
    namespace: Option<&str>,
    readiness: &Readiness,
) -> BoxFuture<'static, ()> {
    let events = watch::metadata::<ConfigMap>(&sources.client, namespace);
    let observer = SourceWatch {
        sources: Arc::clone(sources),
        kind: TemplateSource::ConfigMap,
    };
    watch::follow::<ConfigMap, _>(events, vec![Box::new(observer)], readiness.clone()).boxed()
}

/// What follows the metadata of Secrets for the sake of templates.
pub fn secret_observer(
    sources: &Arc<TemplateSources>,
) -> Box<dyn Observer<PartialObjectMeta<Secret>>> {
    Box::new(SourceWatch {
        sources: Arc::clone(sources),
        kind: TemplateSource::Secret,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_changes_of_what_somebody_renders_are_news() {
        let sources = Versions::default();
        let source = TemplateSource::ConfigMap(NamespacedName::new("team", "templates"));
        let news = |version: &str, is_listed, is_used| {
            sources.is_news(&source, Some(version), is_listed, is_used)
        };
        assert!(!news("1", false, false), "nobody renders it");
        assert!(!news("1", true, true), "found at start");
        assert!(!news("1", true, true), "listed again");
        assert!(news("2", true, true), "changed while the watch was away");
        assert!(news("3", false, true));
        assert!(!news("4", false, false), "nobody any more");
        assert!(news("5", false, true), "new, and rendered already");
        assert!(sources.is_news(&source, None, false, true), "gone");
    }
}
