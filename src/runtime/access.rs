//! Who may read from an admin server: whoever the API server knows by the bearer token and lets `get` the
//! path, as controller-runtime's servers ask (controller-runtime, metrics/filters).

use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use k8s_openapi::api::authentication::v1::UserInfo;
use kube::Client;

use super::review_cache::{ReviewCache, ReviewKey};
use crate::kubernetes::reviews;

/// How long it counts whose token it is, or that it is nobody's: so late is it noticed that one has ended.
const IDENTITY: Duration = Duration::from_mins(1);
/// How long it counts that somebody may.
const ALLOWED: Duration = Duration::from_mins(5);
/// How long it counts that somebody may not.
const DENIED: Duration = Duration::from_secs(30);

/// The API server that is asked, and what it answered of late.
#[derive(Clone)]
pub(super) struct MetricsAuthorizer {
    client: Client,
    users: ReviewCache<Option<UserInfo>>,
    rights: ReviewCache<bool>,
}

/// Lets a request pass that may.
pub(super) async fn check(
    State(authorizer): State<MetricsAuthorizer>,
    request: Request,
    next: Next,
) -> Response {
    let (head, body) = request.into_parts();
    match authorizer.judge(&head).await {
        Ok(()) => next.run(Request::from_parts(head, body)).await,
        Err(refusal) => refusal,
    }
}

impl MetricsAuthorizer {
    /// Asks by this client.
    pub(super) fn new(client: Client) -> Self {
        Self {
            client,
            users: ReviewCache::default(),
            rights: ReviewCache::default(),
        }
    }

    async fn judge(&self, head: &Parts) -> Result<(), Response> {
        let Some(token) = bearer(&head.headers) else {
            return Err(unauthorized());
        };
        let user = self.user(token).await;
        let user = user.map_err(|error| failed("Authentication failed", &error))?;
        let Some(user) = user else {
            return Err(unauthorized());
        };
        let name = user.username.clone().unwrap_or_default();
        let verb = head.method.as_str().to_lowercase();
        let may = self.may(token, user, &verb, head.uri.path()).await;
        if may.map_err(|error| failed("Authorization failed", &error))? {
            return Ok(());
        }
        let text = format!("Authorization denied for user {name}");
        Err((StatusCode::FORBIDDEN, text).into_response())
    }

    /// Whose token this is; `None`: nobody's.
    async fn user(&self, token: &str) -> kube::Result<Option<UserInfo>> {
        let (key, now) = (ReviewKey::new(&[token]), Instant::now());
        if let Some(user) = self.users.get(&key, now) {
            return Ok(user);
        }
        let user = reviews::authenticate(&self.client, token).await?;
        self.users.keep(key, user.clone(), IDENTITY, now);
        Ok(user)
    }

    /// Whether the user with this token may do this.
    async fn may(&self, token: &str, user: UserInfo, verb: &str, path: &str) -> kube::Result<bool> {
        let (key, now) = (ReviewKey::new(&[token, verb, path]), Instant::now());
        if let Some(may) = self.rights.get(&key, now) {
            return Ok(may);
        }
        let may = reviews::may(&self.client, user, verb, path).await?;
        let period = if may { ALLOWED } else { DENIED };
        self.rights.keep(key, may, period, now);
        Ok(may)
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

fn unauthorized() -> Response {
    let challenge = [(WWW_AUTHENTICATE, "Bearer")];
    (StatusCode::UNAUTHORIZED, challenge, "Unauthorized").into_response()
}

fn failed(what: &'static str, error: &kube::Error) -> Response {
    tracing::warn!(%error, "the API server does not say who may read metrics");
    (StatusCode::INTERNAL_SERVER_ERROR, what).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_what_follows_bearer() {
        let of = |text: &'static str| {
            let headers = HeaderMap::from_iter([(AUTHORIZATION, text.parse().unwrap())]);
            bearer(&headers).map(str::to_owned)
        };
        assert_eq!(of("Bearer abc"), Some("abc".to_owned()));
        assert_eq!(of("bearer  abc "), Some("abc".to_owned()));
        for text in ["Bearer ", "Bearer", "Basic abc", "abc"] {
            assert_eq!(of(text), None, "{text}");
        }
        assert_eq!(bearer(&HeaderMap::new()), None);
    }
}
