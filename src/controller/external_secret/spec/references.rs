//! What an ExternalSecret names, even where it cannot be synced: the index of consumers. Pure.

use std::collections::{BTreeMap, BTreeSet};

use kube::ResourceExt as _;

use crate::api::external_secret::{ExternalSecret, SourceRef};
use crate::api::meta::NamespacedName;
use crate::controller::index::{References, Target, TemplateSource};

use super::validate::store_key;

/// What a `find` counts as, which lists and then reads what it found: more than any listing.
const LISTED: usize = 1_000_000;

/// Stores, template sources and target of `object`.
pub fn references(object: &ExternalSecret) -> References {
    let namespace = object.namespace().unwrap_or_default();
    let spec = &object.spec;
    let default = spec.secret_store_ref.as_ref();
    let of_source = |source: &Option<SourceRef>| {
        let named = source.as_ref().and_then(|source| source.store_ref.clone());
        named.or_else(|| default.cloned())
    };
    let entries = spec.data.iter().map(|data| {
        let is_pinned = data
            .remote_ref
            .version
            .as_ref()
            .is_some_and(|v| !v.is_empty());
        (of_source(&data.source_ref), usize::from(!is_pinned))
    });
    let froms = spec.data_from.iter().map(|from| {
        let reads = if from.find.is_some() { LISTED } else { 1 };
        (of_source(&from.source_ref), reads)
    });
    let mut stores = BTreeMap::new();
    let named = default.map(|store| (Some(store.clone()), 0));
    for (store, reads) in named.into_iter().chain(entries).chain(froms) {
        let store = store.and_then(|store| store_key(&store, &namespace).ok());
        if let Some(store) = store {
            *stores.entry(store).or_default() += reads;
        }
    }
    let target = Target {
        manifest: spec.target.manifest.clone(),
        object: NamespacedName::new(namespace, object.target_name()),
    };
    References {
        stores,
        templates: templates(object),
        target,
    }
}

/// Template sources of `object`.
pub fn templates(object: &ExternalSecret) -> BTreeSet<TemplateSource> {
    let namespace = object.namespace().unwrap_or_default();
    let key = |name: &str| NamespacedName::new(namespace.as_str(), name);
    let template = object.spec.target.template.iter();
    let sources = template.flat_map(|template| &template.template_from);
    sources
        .flat_map(|from| {
            let map = from.config_map.as_ref();
            let secret = from.secret.as_ref();
            [
                map.map(|map| TemplateSource::ConfigMap(key(&map.name))),
                secret.map(|secret| TemplateSource::Secret(key(&secret.name))),
            ]
        })
        .flatten()
        .collect()
}
