//! What an ExternalSecret names, even where it cannot be synced: the index of dependents. Pure.

use std::collections::BTreeSet;

use kube::ResourceExt as _;

use crate::api::external_secret::ExternalSecret;
use crate::controller::dependents::{Target, TemplateSource, Uses};
use crate::controller::stores::StoreKey;

use super::validate::store_key;

/// Stores, template sources and target of `object`.
pub fn uses(object: &ExternalSecret) -> Uses {
    let namespace = object.namespace().unwrap_or_default();
    let spec = &object.spec;
    let entry_stores = spec
        .data
        .iter()
        .filter_map(|data| data.source_ref.as_ref()?.store_ref.as_ref());
    let from_stores = spec
        .data_from
        .iter()
        .filter_map(|from| from.source_ref.as_ref()?.store_ref.as_ref());
    let stores: BTreeSet<StoreKey> = spec
        .secret_store_ref
        .iter()
        .chain(entry_stores)
        .chain(from_stores)
        .filter_map(|store| store_key(store, &namespace).ok())
        .collect();
    let templates = templates(object, &namespace);
    let target = Target {
        manifest: spec.target.manifest.clone(),
        object: (namespace, object.target_name().to_owned()),
    };
    Uses {
        stores,
        templates,
        target,
    }
}

fn templates(object: &ExternalSecret, namespace: &str) -> BTreeSet<TemplateSource> {
    let key = |name: &str| (namespace.to_owned(), name.to_owned());
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
