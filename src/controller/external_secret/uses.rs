//! What an ExternalSecret names, even where it cannot be synced: the index of dependents. Pure.

use std::collections::BTreeSet;

use kube::ResourceExt as _;

use crate::api::external_secret::ExternalSecret;
use crate::controller::dependents::{ObjectKey, Uses};
use crate::controller::stores::StoreKey;

use super::validate::store_key;

/// Stores and target of `object`.
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
    let target: ObjectKey = (namespace, object.target_name().to_owned());
    Uses { stores, target }
}
