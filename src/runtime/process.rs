//! The order of a process's life: stand for leadership, work, and at the end stop working, write what
//! is due, give the Lease back. Knows no kind.

use futures::FutureExt as _;
use futures::future::try_join_all;
use tokio::sync::oneshot;

use crate::controller::{self, Setup};
use crate::lifecycle::Stop;

use super::admin::Server;
use super::leader::{Elector, Lost};

/// Why a process ended other than by being asked to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// It led and must not go on.
    #[error(transparent)]
    Lost(#[from] Lost),
    /// The election ended in a panic.
    #[error("the election failed")]
    Election(#[from] tokio::task::JoinError),
    /// Probes or metrics are not served any more.
    #[error("an admin server failed")]
    Server(#[from] std::io::Error),
}

/// Runs the controllers until `stop`; with an `elector`, while it leads. The servers answer to the end.
///
/// # Errors
/// The Lease was lost, or a part that never ends did.
pub(crate) async fn run(
    mut setup: Setup,
    elector: Option<Elector>,
    servers: Vec<Server>,
    stop: Stop,
) -> Result<(), Error> {
    let readiness = setup.readiness.clone();
    let stopping = stop.clone().then(|()| async move { readiness.stopping() });
    let (end, ended) = oneshot::channel();
    let term = match elector {
        None => std::future::ready(Ok(())).boxed(),
        Some(elector) => {
            let (lead, leads) = oneshot::channel();
            setup.lead = leads
                .then(|told| async move {
                    if told.is_err() {
                        // the election is over before it was won: `term` says why
                        std::future::pending::<()>().await;
                    }
                })
                .boxed();
            // on a task of its own: filling caches keeps this one busy
            let term = tokio::spawn(elector.run(lead, ended));
            async move { Ok(term.await??) }.boxed()
        }
    };
    let work = async {
        let drain = Box::pin(controller::run(setup, stop)).await;
        // without an elector nobody wants to know
        let _ = end.send(drain);
        Ok(())
    };
    let life = async { tokio::try_join!(work, term, stopping.map(Ok)) };
    tokio::select! {
        lived = life => lived.map(drop),
        failed = serve(servers) => Err(failed),
    }
}

/// Answers until a server fails.
async fn serve(servers: Vec<Server>) -> Error {
    match try_join_all(servers.into_iter().map(Server::run)).await {
        Err(failed) => failed.into(),
        // there are none
        Ok(_) => std::future::pending().await,
    }
}
