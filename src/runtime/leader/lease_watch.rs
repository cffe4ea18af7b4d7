//! Tells a candidate at once that the Lease was given back. An aid only: who may not watch the Lease, or
//! misses an event, reads it soon.

use std::convert::Infallible;
use std::time::Duration;

use futures::TryStreamExt as _;
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kube::api::{WatchEvent, WatchParams};
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::kubernetes::answers;

/// Between two watches, of which the API server ends each after some minutes; a refusal costs little.
const PAUSE: Duration = Duration::from_secs(10);

/// Watches the Lease called `name` and notifies `vacant` whenever nobody holds it.
pub(super) async fn watch(api: &Api<Lease>, name: &str, vacant: &Notify) -> Infallible {
    let mut is_told = false;
    loop {
        match watch_once(api, name, vacant).await {
            Err(kube::Error::Api(answer)) if answers::lacks_right(&answer) && !is_told => {
                is_told = true;
                let error = answers::in_words(&answer);
                tracing::warn!(error, "the Lease is not watched, only read now and then");
            }
            Err(error) => tracing::debug!(%error, "the watch of the Lease ended"),
            Ok(()) => {}
        }
        sleep(PAUSE).await;
    }
}

async fn watch_once(api: &Api<Lease>, name: &str, vacant: &Notify) -> kube::Result<()> {
    let params = WatchParams::default().fields(&format!("metadata.name={name}"));
    // from the Lease as it is now
    let mut events = Box::pin(api.watch(&params, "0").await?);
    while let Some(event) = events.try_next().await? {
        match event {
            WatchEvent::Added(lease) | WatchEvent::Modified(lease) if is_vacant(&lease) => {
                vacant.notify_one();
            }
            WatchEvent::Error(answer) => return Err(kube::Error::Api(answer)),
            _ => {}
        }
    }
    Ok(())
}

/// Given back; one that was deleted is waited for as if it were held.
fn is_vacant(lease: &Lease) -> bool {
    let spec = lease.spec.as_ref();
    spec.is_some_and(|spec| spec.holder_identity.as_deref().is_none_or(str::is_empty))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::coordination::v1::LeaseSpec;

    use super::*;

    #[test]
    fn a_lease_is_vacant_where_it_names_no_holder() {
        let held_by = |holder: Option<&str>| Lease {
            spec: Some(LeaseSpec {
                holder_identity: holder.map(str::to_owned),
                ..LeaseSpec::default()
            }),
            ..Lease::default()
        };
        assert!(is_vacant(&held_by(Some(""))));
        assert!(is_vacant(&held_by(None)));
        assert!(!is_vacant(&held_by(Some("a"))));
        assert!(!is_vacant(&Lease::default()));
    }
}
