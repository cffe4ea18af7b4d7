//! Whether a refresh that is due has anything to read: asked of the stores, without values (spec:
//! differentiators.md 6.1).

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use crate::controller::dependents::TemplateSource;
use crate::controller::workers::Turn;
use crate::provider::{Error, Listed, Outage};

use super::refresh::{self, Reason};
use super::sources::Sources;
use super::spec::SyncSpec;
use super::{collect, remote};

/// A retry wants to hear of the vault anew, though not each one by itself.
const OF_LATE: SignedDuration = SignedDuration::from_secs(10);

/// A refresh that is due.
pub(super) struct Due<'a> {
    /// What is to be in step.
    pub spec: &'a SyncSpec,
    /// Why.
    pub reason: Reason,
    /// What the target was last made from, where it is due by time alone and nobody touched the target since.
    pub seen: Option<&'a remote::Seen>,
    /// When that was last known to be so.
    pub refreshed_at: Option<Timestamp>,
    /// The versions of its template sources.
    pub templates: &'a [Option<String>],
    /// The present.
    pub now: Timestamp,
    /// The worker, which is free while a listing is made.
    pub turn: &'a Turn,
}

/// What the stores said.
#[derive(Default)]
pub(super) struct Answer {
    /// When the vaults were listed, where they were.
    pub listed_at: Option<Timestamp>,
    /// All was as it had been read.
    pub is_unchanged: bool,
    /// When the next refresh is cheapest ([`Listed::phase`]); `None` where it does not matter.
    pub phase: Option<i64>,
}

impl Due<'_> {
    /// How old a listing may be: a tenth of the interval older than the time at which it was due.
    pub(super) fn since(&self) -> Timestamp {
        let interval = self.spec.refresh.interval().unwrap_or_default();
        let tolerance = interval / 10;
        let since = match (self.reason, self.refreshed_at) {
            (Reason::Interval, Some(refreshed)) => refreshed
                .saturating_add(interval - tolerance)
                .unwrap_or(self.now),
            (Reason::Failed, _) => self.now - tolerance.min(OF_LATE),
            _ => self.now,
        };
        since.min(self.now)
    }

    /// Asks, where that may spare the reads; `None` where it was not asked.
    ///
    /// # Errors
    /// A vault does not answer, or throttles: reading would come to the same.
    pub(super) async fn check(&self, from: &dyn Sources) -> Result<Option<Answer>, collect::Error> {
        let own_phase = refresh::own_phase(&self.spec.uid);
        let seen = self.seen.filter(|seen| !seen.is_old(own_phase, self.now));
        let Some(seen) = seen else { return Ok(None) };
        let listed: Option<Listed> = match collect::revisions(self, from).await {
            Err(error) if tells_of_the_vault(&error) => return Err(error),
            // whoever reads is told what is wrong
            other => other.ok().flatten(),
        };
        Ok(Some(listed.map_or_else(Answer::default, |listed| Answer {
            listed_at: Some(listed.at),
            is_unchanged: seen.still_holds(&listed.revisions, self.templates),
            phase: Some(listed.phase),
        })))
    }
}

fn tells_of_the_vault(error: &collect::Error) -> bool {
    let collect::Cause::Provider(error) = &error.cause else {
        return false;
    };
    match error {
        Error::Throttled { .. } => true,
        Error::Unavailable { outage, .. } => *outage != Outage::BadAnswer,
        _ => false,
    }
}

/// The versions of the template sources of an object, in their order.
pub(super) fn template_versions<'a>(
    templates: impl IntoIterator<Item = &'a TemplateSource>,
    from: &dyn Sources,
) -> Vec<Option<String>> {
    let versions = templates.into_iter().map(|source| from.version(source));
    versions.collect()
}
