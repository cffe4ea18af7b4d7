//! Templates that an object names and other objects hold (`templateFrom`): their texts, and which versions
//! they have. Knows no kind of consumer.
//!
//! | layer | module | knows |
//! | --- | --- | --- |
//! | 0 | [`from`] | from `templateFrom` to texts |
//! | 1 | [`sources`] | ConfigMaps and Secrets of the cluster |

mod from;
mod sources;

pub use from::{Error, TextSources, parts, render};
pub use sources::{TemplateSources, config_maps, of_config_map, of_secret, secret_observer};
