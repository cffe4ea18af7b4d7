//! From a request to an answer: reads it, lets a fault strike, asks the service it is for, and notes it.

use std::sync::Arc;
use std::time::Duration;

use http::header::{HeaderName, RETRY_AFTER};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};

use crate::cloud::Site;
use crate::entra::endpoint::{self, Endpoint};
use crate::entra::token::guid;
use crate::exchange::{Call, Reply, pairs};
use crate::fault::{Fault, Subject};
use crate::journal::LoggedRequest;
use crate::state::State;
use crate::vault::refusal::Refusal;
use crate::vault::route::Route;
use crate::{imds, vault};

const MAX_BODY_BYTES: usize = 1024 * 1024;

/// What a connection does with a request.
pub(crate) enum Outcome {
    /// Sends this.
    Answer(Response<Full<Bytes>>),
    /// Closes without an answer.
    Drop,
    /// Never answers.
    Hang,
}

/// The operation that a request asks for.
enum Target {
    Vault(Result<Route, Refusal>),
    Login(Endpoint),
    Metadata,
}

impl Target {
    fn op(&self) -> &'static str {
        match self {
            Self::Vault(Ok(route)) => route.op(),
            Self::Vault(Err(_)) => "unknown",
            Self::Login(endpoint) => endpoint.op(),
            Self::Metadata => "identity",
        }
    }
}

/// Answers a request to `site`.
pub(crate) async fn answer(
    state: &Arc<State>,
    site: &Site,
    host: &str,
    request: Request<Incoming>,
) -> Outcome {
    let Some(call) = read(host, request).await else {
        return Outcome::Answer(
            Reply::text(413, "text/plain", "azfake: the body is too large or broken")
                .into_response(),
        );
    };
    let target = match site {
        Site::Vault { .. } => Target::Vault(Route::of(&call.method, &call.path)),
        Site::Login(_) => Target::Login(Endpoint::of(&call.method, &call.path)),
        Site::Metadata => Target::Metadata,
    };
    let subject = Subject {
        host,
        op: target.op(),
        method: call.method.as_str(),
        path: &call.path,
        answerable: !matches!(target, Target::Vault(_)) || call.bearer().is_some(),
    };
    let fault = state.faults.strike(&subject).unwrap_or_default();
    if fault.latency_ms > 0 {
        tokio::time::sleep(Duration::from_millis(fault.latency_ms)).await;
    }
    if fault.refuse_connect || fault.drop_connection {
        note(state, &call, &target, 0, None);
        return Outcome::Drop;
    }
    if fault.hang {
        note(state, &call, &target, 0, None);
        return Outcome::Hang;
    }
    let (reply, client) = serve(state, site, &call, &target, &fault);
    note(state, &call, &target, reply.status, client);
    Outcome::Answer(stamp(reply).into_response())
}

async fn read(host: &str, request: Request<Incoming>) -> Option<Call> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, MAX_BODY_BYTES)
        .collect()
        .await
        .ok()?
        .to_bytes();
    Some(Call {
        method: parts.method,
        host: host.to_owned(),
        path: parts.uri.path().to_owned(),
        query: pairs(parts.uri.query().unwrap_or_default().as_bytes()),
        headers: parts.headers,
        body,
    })
}

fn serve(
    state: &State,
    site: &Site,
    call: &Call,
    target: &Target,
    fault: &Fault,
) -> (Reply, Option<String>) {
    if let Some(reply) = injected(site, call, fault) {
        let token = call.bearer().and_then(|token| state.signer.verify(token));
        return (reply, token.map(|claims| claims.appid));
    }
    match (site, target) {
        (Site::Vault { label, cloud }, Target::Vault(route)) => {
            vault::answer(state, call, label, *cloud, route.as_ref())
        }
        (Site::Login(cloud), Target::Login(endpoint)) => {
            endpoint::answer(state, call, *cloud, endpoint)
        }
        (Site::Metadata, Target::Metadata) => imds::answer(state, call),
        _ => (Reply::empty(404), None),
    }
}

/// The answer that a fault puts in place of the service's.
fn injected(site: &Site, call: &Call, fault: &Fault) -> Option<Reply> {
    let reply = match (&fault.body, fault.status, site) {
        (Some(body), status, _) => {
            Reply::text(status.unwrap_or(200), "application/json", body.clone())
        }
        (None, None, _) => return None,
        (None, Some(status), Site::Vault { .. }) => vault::injected(fault, status),
        (None, Some(status), Site::Login(_)) => endpoint::injected(&call.host, fault, status),
        (None, Some(status), Site::Metadata) => Reply::empty(status),
    };
    Some(match &fault.retry_after {
        Some(after) => reply.with(RETRY_AFTER, after.as_str()),
        None => reply,
    })
}

/// Headers that every answer of Azure has.
fn stamp(reply: Reply) -> Reply {
    reply
        .with(HeaderName::from_static("x-ms-request-id"), guid())
        .with(HeaderName::from_static("x-content-type-options"), "nosniff")
}

fn note(state: &State, call: &Call, target: &Target, status: u16, client: Option<String>) {
    let entry = LoggedRequest {
        seq: 0,
        time: jiff::Timestamp::now().to_string(),
        method: call.method.to_string(),
        host: call.host.clone(),
        path: call.logged_path(),
        api_version: call.parameter("api-version").map(str::to_owned),
        op: target.op().to_owned(),
        status,
        client,
    };
    state
        .journal
        .note(entry, matches!(target, Target::Vault(_)));
}
