//! From the wire's references to those of the port. Pure.

use crate::api::external_secret::{Find, MetadataPolicy, RemoteRef};
use crate::provider::{Aspect, ObjectRef, Search};

impl From<&RemoteRef> for ObjectRef {
    fn from(remote_ref: &RemoteRef) -> Self {
        Self {
            key: remote_ref.key.clone(),
            property: remote_ref.property.clone(),
            version: remote_ref.version.clone(),
            aspect: match remote_ref.metadata_policy() {
                MetadataPolicy::None => Aspect::Value,
                MetadataPolicy::Fetch => Aspect::Metadata,
                MetadataPolicy::Unknown(word) => Aspect::Unknown(word),
            },
        }
    }
}

impl From<&Find> for Search {
    fn from(find: &Find) -> Self {
        let name = find.name.as_ref();
        Self {
            name: name.map(|name| name.regexp.clone().unwrap_or_default()),
            tags: find.tags.clone(),
        }
    }
}
