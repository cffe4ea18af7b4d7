//! Follows objects by a watch, which costs the API server less than asking again and again.

use std::fmt::Debug;
use std::ops::ControlFlow;
use std::pin::pin;

use anyhow::{Context as _, Result};
use futures::TryStreamExt as _;
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Api, Resource};
use serde::de::DeserializeOwned;

/// Shows `see` each object of `api`, and again each that changes or goes, until it breaks.
///
/// # Errors
/// The watch fails.
pub async fn follow<K>(api: Api<K>, mut see: impl FnMut(K) -> ControlFlow<()>) -> Result<()>
where
    K: Resource + Clone + Debug + DeserializeOwned + Send + 'static,
{
    let mut objects = pin!(watcher(api, watcher::Config::default()).touched_objects());
    while let Some(object) = objects.try_next().await.context("watch objects")? {
        if see(object).is_break() {
            break;
        }
    }
    Ok(())
}
