//! Leader election on a coordination.k8s.io/v1 Lease: reads and writes the Lease, opens and closes the
//! process's permission to write, and tells who leads. Decides nothing; see `election`.

mod election;
#[cfg(test)]
mod election_tests;
mod lease_watch;

use std::pin::pin;
use std::time::{Duration, Instant};

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::jiff::Timestamp;
use kube::api::PostParams;
use kube::{Api, Client};
use tokio::sync::{Notify, oneshot};
use tokio::time::{sleep, sleep_until, timeout_at};

use crate::kubernetes::answers::chain;
use crate::kubernetes::write_guard::WriteGuard;
use crate::lifecycle::{Drain, Readiness};
use crate::telemetry::Metrics;

use election::{Election, Stand, released};

pub(crate) use election::{Lost as Why, Timing};

/// The process led and must not go on.
#[derive(Debug, thiserror::Error)]
#[error("lost the Lease {lease}: {why}; nothing more is written, start again to stand again")]
pub(crate) struct Lost {
    lease: String,
    why: Why,
}

/// Why a request about the Lease did not succeed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("no answer within {0:?}")]
    Silent(Duration),
    #[error(transparent)]
    Refused(#[from] kube::Error),
}

impl Failure {
    /// Whether the Lease is no longer what it was when read.
    fn is_outdated(&self) -> bool {
        matches!(self, Self::Refused(kube::Error::Api(answer)) if [404, 409].contains(&answer.code))
    }
}

/// Which Lease, and who stands for it.
#[derive(Debug)]
pub(crate) struct Candidacy {
    /// The Lease's namespace.
    pub namespace: String,
    /// `--leader-election-id`: the Lease's name.
    pub name: String,
    /// Differs from every other candidate's, and from every earlier one's of the same pod.
    pub identity: String,
    /// The durations.
    pub timing: Timing,
}

/// Whom the elector tells.
pub(crate) struct Listeners {
    /// The permission to write.
    pub guard: WriteGuard,
    /// `leader_election_master_status`
    pub metrics: Metrics,
    /// `/readyz`
    pub readiness: Readiness,
}

/// One candidate.
pub(crate) struct Elector {
    api: Api<Lease>,
    namespace: String,
    name: String,
    election: Election,
    /// As last written by us.
    held: Lease,
    listeners: Listeners,
    /// What was logged last, so that it is not said every second.
    told: String,
}

impl Elector {
    /// A candidate that has asked for nothing yet. Its `client` must not be behind the guard.
    pub(crate) fn new(client: Client, candidacy: Candidacy, listeners: Listeners) -> Self {
        let Candidacy {
            namespace,
            name,
            identity,
            timing,
        } = candidacy;
        Self {
            api: Api::namespaced(client, &namespace),
            namespace,
            name,
            election: Election::new(identity, timing),
            held: Lease::default(),
            listeners,
            told: String::new(),
        }
    }

    /// Stands until it leads, which is told by `lead`; then leads until `end` says how the work
    /// ended, and gives the Lease back.
    ///
    /// # Errors
    /// The Lease was lost.
    pub(crate) async fn run(
        mut self,
        lead: oneshot::Sender<()>,
        mut end: oneshot::Receiver<Drain>,
    ) -> Result<(), Lost> {
        self.tell(false);
        let Some(deadline) = self.win(&mut end).await else {
            return Ok(());
        };
        self.tell(true);
        tracing::info!(lease = self.lease(), "leading");
        // nobody listens where the process is ending already
        let _ = lead.send(());
        let held = self.hold(deadline, &mut end).await;
        self.listeners.guard.close();
        self.tell(false);
        match held {
            Ok((drain, deadline)) => {
                self.release(drain, deadline).await;
                Ok(())
            }
            Err(why) => Err(Lost {
                lease: self.lease(),
                why,
            }),
        }
    }

    /// Stands until it leads; returns until when that holds, or `None` where the process ends before.
    async fn win(&mut self, end: &mut oneshot::Receiver<Drain>) -> Option<Instant> {
        let (api, name) = (self.api.clone(), self.name.clone());
        let vacant = Notify::new();
        let mut watch = pin!(lease_watch::watch(&api, &name, &vacant));
        loop {
            let pause = match self.stand().await {
                Ok(deadline) => return Some(deadline),
                Err(pause) => pause,
            };
            tokio::select! {
                _ = &mut *end => return None,
                () = sleep(pause) => {}
                () = vacant.notified() => {}
                never = &mut watch => match never {},
            }
        }
    }

    /// Reads the Lease and takes it if it is free; returns until when that holds, or the pause
    /// before another look.
    async fn stand(&mut self) -> Result<Instant, Duration> {
        let timing = self.election.timing();
        let limit = Instant::now() + timing.patience();
        let found = match self.read(limit).await {
            Ok(found) => found,
            Err(failure) => {
                self.complain(&failure);
                return Err(timing.retry);
            }
        };
        let spec = found.as_ref().map(spec_of);
        let (claim, found) =
            match self
                .election
                .stand(spec.as_ref(), Instant::now(), Timestamp::now())
            {
                Stand::Create(claim) => (claim, None),
                Stand::Replace(claim) => (claim, found),
                Stand::Wait(pause) => {
                    let holder = self.election.holder().unwrap_or_default().to_owned();
                    self.say_once(&holder, |lease| {
                        tracing::info!(lease, holder, "standing by");
                    });
                    return Err(pause);
                }
            };
        let limit = Instant::now() + timing.patience();
        match self.write(claim, found, limit).await {
            Ok(deadline) => Ok(deadline),
            // somebody else was faster
            Err(failure) if failure.is_outdated() => Err(timing.look()),
            Err(failure) => {
                self.complain(&failure);
                Err(timing.retry)
            }
        }
    }

    /// Renews until `end`; returns how it came and until when the Lease is held.
    async fn hold(
        &mut self,
        mut deadline: Instant,
        end: &mut oneshot::Receiver<Drain>,
    ) -> Result<(Drain, Instant), Why> {
        let retry = self.election.timing().retry;
        loop {
            let next = (Instant::now() + retry).min(deadline);
            tokio::select! {
                drain = &mut *end => return Ok((drain.unwrap_or(Drain::Aborted), deadline)),
                () = sleep_until(next.into()) => {}
            }
            deadline = self.renew(deadline).await?;
        }
    }

    /// One renewal; returns until when the Lease is held, which is as before if it failed.
    async fn renew(&mut self, deadline: Instant) -> Result<Instant, Why> {
        let mut found = Some(self.held.clone());
        loop {
            let spec = found.as_ref().map(spec_of);
            let wall = Timestamp::now();
            let claim = self
                .election
                .keep(spec.as_ref(), deadline, Instant::now(), wall)?;
            let limit = deadline.min(Instant::now() + self.election.timing().patience());
            let failure = match self.write(claim, found, limit).await {
                Ok(later) => {
                    self.told.clear();
                    return Ok(later);
                }
                Err(failure) => failure,
            };
            if !failure.is_outdated() {
                self.complain(&failure);
                return Ok(deadline);
            }
            found = match self.read(limit).await {
                Ok(found) => found,
                Err(failure) => {
                    self.complain(&failure);
                    return Ok(deadline);
                }
            };
        }
    }

    /// Gives the Lease back, unless work was aborted: its last requests may still arrive.
    async fn release(&mut self, drain: Drain, deadline: Instant) {
        if drain == Drain::Aborted {
            return;
        }
        let claim = released(&spec_of(&self.held), Timestamp::now());
        let limit = deadline.min(Instant::now() + self.election.timing().patience());
        match self.put(claim, Some(self.held.clone()), limit).await {
            Ok(_) => tracing::info!(lease = self.lease(), "the Lease is given back"),
            Err(failure) => self.complain(&failure),
        }
    }

    async fn read(&self, limit: Instant) -> Result<Option<Lease>, Failure> {
        within(limit, self.api.get_opt(&self.name)).await
    }

    /// Writes a claim; returns until when it holds.
    async fn write(
        &mut self,
        claim: LeaseSpec,
        found: Option<Lease>,
        limit: Instant,
    ) -> Result<Instant, Failure> {
        let deadline = self.election.deadline(Instant::now());
        self.held = self.put(claim, found, limit).await?;
        self.listeners.guard.permit(deadline);
        Ok(deadline)
    }

    /// Creates the Lease, or replaces it in the version that was found.
    async fn put(
        &self,
        spec: LeaseSpec,
        found: Option<Lease>,
        limit: Instant,
    ) -> Result<Lease, Failure> {
        let how = PostParams::default();
        let Some(found) = found else {
            let metadata = ObjectMeta {
                name: Some(self.name.clone()),
                ..ObjectMeta::default()
            };
            let spec = Some(spec);
            return within(limit, self.api.create(&how, &Lease { metadata, spec })).await;
        };
        let lease = Lease {
            spec: Some(spec),
            ..found
        };
        within(limit, self.api.replace(&self.name, &how, &lease)).await
    }

    fn tell(&self, leads: bool) {
        let Listeners {
            metrics, readiness, ..
        } = &self.listeners;
        metrics.set_leader(&self.name, leads);
        readiness.elected(leads);
    }

    fn complain(&mut self, failure: &Failure) {
        let error = match failure {
            Failure::Refused(error) => chain(error),
            silent @ Failure::Silent(_) => silent.to_string(),
        };
        self.say_once(&error, |lease| {
            tracing::warn!(lease, error, "the Lease cannot be read or written");
        });
    }

    fn say_once(&mut self, text: &str, say: impl FnOnce(String)) {
        if self.told != text {
            text.clone_into(&mut self.told);
            say(self.lease());
        }
    }

    fn lease(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }
}

fn spec_of(lease: &Lease) -> LeaseSpec {
    lease.spec.clone().unwrap_or_default()
}

async fn within<T>(
    limit: Instant,
    request: impl Future<Output = kube::Result<T>>,
) -> Result<T, Failure> {
    let began = Instant::now();
    match timeout_at(limit.into(), request).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Failure::Silent(limit.saturating_duration_since(began))),
    }
}
