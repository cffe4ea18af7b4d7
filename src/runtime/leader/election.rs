//! What a candidate does with the Lease it read: client-go's rules (k8s.io/client-go/tools/leaderelection), with time as
//! an argument. Remote times are written and never compared: a lease runs out by the local monotonic
//! clock, counted from when its last change was seen. Knows no API server.

use std::time::{Duration, Instant};

use k8s_openapi::api::coordination::v1::LeaseSpec;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;

/// Three durations, of which each is longer than the next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    /// So long others wait after the last renewal they saw. Written in whole seconds, rounded up.
    pub lease: Duration,
    /// So long the leader goes on after its last renewal.
    pub renew_deadline: Duration,
    /// Between two renewals.
    pub retry: Duration,
}

impl Timing {
    /// A candidate looks twice as often as a leader renews: so a released Lease is taken within
    /// the retry period.
    pub(super) fn look(&self) -> Duration {
        self.retry / 2
    }

    /// What a request may take: client-go's rule.
    pub(super) fn patience(&self) -> Duration {
        (self.renew_deadline / 2).max(Duration::from_secs(1))
    }

    fn lease_seconds(&self) -> i32 {
        let whole = self.lease.as_secs() + u64::from(self.lease.subsec_nanos() > 0);
        i32::try_from(whole).unwrap_or(i32::MAX)
    }
}

/// Why a leader leads no more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Lost {
    /// Too long ago.
    #[error("it was not renewed within {0:?}")]
    NotRenewed(Duration),
    /// By somebody else.
    #[error("it was deleted")]
    Deleted,
    /// By another candidate, or by hand; the name is empty where it was released by hand.
    #[error("its holder is now {0:?}")]
    Taken(String),
}

/// What a candidate does next.
#[derive(Debug, PartialEq)]
pub(super) enum Stand {
    /// There is none: make it.
    Create(LeaseSpec),
    /// Nobody holds it: take it.
    Replace(LeaseSpec),
    /// Somebody holds it: look again after this pause.
    Wait(Duration),
}

/// A Lease as it was when its last change was seen.
#[derive(Debug)]
struct Seen {
    spec: LeaseSpec,
    at: Instant,
}

/// One candidate's view of the Lease.
#[derive(Debug)]
pub(super) struct Election {
    identity: String,
    timing: Timing,
    seen: Option<Seen>,
}

impl Election {
    pub(super) fn new(identity: String, timing: Timing) -> Self {
        Self {
            identity,
            timing,
            seen: None,
        }
    }

    pub(super) fn timing(&self) -> Timing {
        self.timing
    }

    /// What to do about the Lease as found `now` by one who does not lead. `wall` is what is written.
    ///
    /// A Lease that is gone does not end the term of a holder who was seen: it may not know yet.
    pub(super) fn stand(
        &mut self,
        found: Option<&LeaseSpec>,
        now: Instant,
        wall: Timestamp,
    ) -> Stand {
        if let Some(spec) = found
            && self.seen.as_ref().is_none_or(|seen| seen.spec != *spec)
        {
            let spec = spec.clone();
            self.seen = Some(Seen { spec, at: now });
        }
        match (self.rest_of_term(now), found) {
            (Some(rest), _) => Stand::Wait(rest.min(self.timing.look())),
            (None, None) => Stand::Create(self.claim(None, wall)),
            (None, Some(spec)) => Stand::Replace(self.claim(Some(spec), wall)),
        }
    }

    /// The renewal of the Lease as found `now` by its holder, whose permission ends at `deadline`.
    pub(super) fn keep(
        &self,
        found: Option<&LeaseSpec>,
        deadline: Instant,
        now: Instant,
        wall: Timestamp,
    ) -> Result<LeaseSpec, Lost> {
        if now >= deadline {
            return Err(Lost::NotRenewed(self.timing.renew_deadline));
        }
        let spec = found.ok_or(Lost::Deleted)?;
        if holder(spec) != self.identity {
            return Err(Lost::Taken(holder(spec).to_owned()));
        }
        Ok(self.claim(Some(spec), wall))
    }

    /// Until when one may act on a write that was begun at `began`: the others count from when they
    /// see it, which is later.
    pub(super) fn deadline(&self, began: Instant) -> Instant {
        began + self.timing.renew_deadline
    }

    /// Who was seen to hold it.
    pub(super) fn holder(&self) -> Option<&str> {
        self.seen.as_ref().map(|seen| holder(&seen.spec))
    }

    /// How much is left of the term of another holder.
    fn rest_of_term(&self, now: Instant) -> Option<Duration> {
        let seen = self.seen.as_ref()?;
        if ["", &self.identity].contains(&holder(&seen.spec)) {
            return None;
        }
        let seconds = seen.spec.lease_duration_seconds.unwrap_or_default();
        let term = Duration::from_secs(u64::try_from(seconds).unwrap_or_default());
        let rest = (seen.at + term).saturating_duration_since(now);
        (!rest.is_zero()).then_some(rest)
    }

    /// The Lease in our hands.
    fn claim(&self, old: Option<&LeaseSpec>, wall: Timestamp) -> LeaseSpec {
        let is_ours = old.is_some_and(|old| holder(old) == self.identity);
        let mut claim = old.cloned().unwrap_or_default();
        if !is_ours {
            let transitions = claim.lease_transitions.map(|count| count.saturating_add(1));
            claim.lease_transitions = Some(transitions.unwrap_or_else(|| i32::from(old.is_some())));
            claim.acquire_time = Some(MicroTime(wall));
        }
        claim.holder_identity = Some(self.identity.clone());
        claim.lease_duration_seconds = Some(self.timing.lease_seconds());
        claim.renew_time = Some(MicroTime(wall));
        claim
    }
}

/// The Lease given back, as client-go's `ReleaseOnCancel` writes it.
pub(super) fn released(held: &LeaseSpec, wall: Timestamp) -> LeaseSpec {
    LeaseSpec {
        holder_identity: Some(String::new()),
        lease_duration_seconds: Some(1),
        acquire_time: Some(MicroTime(wall)),
        renew_time: Some(MicroTime(wall)),
        ..held.clone()
    }
}

fn holder(spec: &LeaseSpec) -> &str {
    spec.holder_identity.as_deref().unwrap_or_default()
}
