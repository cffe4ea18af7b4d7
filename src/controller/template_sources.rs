//! ConfigMaps and Secrets that hold templates: whoever renders one fetches again when it changes.
//! Only sources that somebody names are remembered, and of them only the resource version.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures::{Stream, StreamExt as _};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::ResourceExt as _;
use kube::core::PartialObjectMeta;
use kube::runtime::watcher::{self, Event};

use super::context::Context;
use super::dependents::TemplateSource;
use super::queue::Urgency;
use super::triggers::{object_key, usable};

/// The resource versions last seen.
#[derive(Debug, Default)]
pub struct TemplateSources(Mutex<HashMap<TemplateSource, Option<String>>>);

impl TemplateSources {
    /// `source` is now at `version` (`None`: gone). What a list shows for the first time is no
    /// news: a start is no reason to fetch.
    pub(super) fn seen(
        &self,
        source: &TemplateSource,
        version: Option<&str>,
        is_listed: bool,
        ctx: &Context,
    ) {
        let consumers = ctx.dependents().of_template(source);
        if !self.is_news(source, version, is_listed, !consumers.is_empty()) {
            return;
        }
        for consumer in &consumers {
            ctx.memories.mark_stale(consumer);
            ctx.wake.external_secret(consumer, Urgency::Changed);
        }
    }

    /// The version last seen of a source that somebody names.
    pub(super) fn version(&self, source: &TemplateSource) -> Option<String> {
        let versions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        versions.get(source).cloned().flatten()
    }

    fn is_news(
        &self,
        source: &TemplateSource,
        version: Option<&str>,
        is_listed: bool,
        is_used: bool,
    ) -> bool {
        let mut versions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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

/// Follows the metadata of all ConfigMaps.
pub(super) async fn config_maps(
    events: impl Stream<Item = watcher::Result<Event<PartialObjectMeta<ConfigMap>>>> + Send,
    ctx: Arc<Context>,
) {
    let mut events = std::pin::pin!(events);
    while let Some(event) = events.next().await {
        let Some(event) = usable::<ConfigMap, _>(&ctx, event) else {
            continue;
        };
        let (map, version, is_listed) = match event {
            Event::InitApply(map) => (map.clone(), map.resource_version(), true),
            Event::Apply(map) => (map.clone(), map.resource_version(), false),
            Event::Delete(map) => (map, None, false),
            Event::Init | Event::InitDone => continue,
        };
        let source = TemplateSource::ConfigMap(object_key(&map));
        ctx.template_sources
            .seen(&source, version.as_deref(), is_listed, &ctx);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_changes_of_what_somebody_renders_are_news() {
        let sources = TemplateSources::default();
        let source = TemplateSource::ConfigMap(("team".to_owned(), "templates".to_owned()));
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
