//! Who may read from an admin server: whoever the API server knows by the bearer token and lets `get` the
//! path, as controller-runtime's servers ask (spec: operations.md 2.1).

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use kube::Client;

use crate::kubernetes::reviews;

/// Lets a request pass that may.
pub(super) async fn check(State(client): State<Client>, request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    match judge(&client, &head).await {
        Ok(()) => next.run(Request::from_parts(head, body)).await,
        Err(refusal) => refusal,
    }
}

async fn judge(client: &Client, head: &Parts) -> Result<(), Response> {
    let Some(token) = bearer(&head.headers) else {
        return Err(unauthorized());
    };
    let user = reviews::authenticate(client, token).await;
    let user = user.map_err(|error| failed("Authentication failed", &error))?;
    let Some(user) = user else {
        return Err(unauthorized());
    };
    let name = user.username.clone().unwrap_or_default();
    let verb = head.method.as_str().to_lowercase();
    let may = reviews::may(client, user, &verb, head.uri.path()).await;
    if may.map_err(|error| failed("Authorization failed", &error))? {
        return Ok(());
    }
    let text = format!("Authorization denied for user {name}");
    Err((StatusCode::FORBIDDEN, text).into_response())
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
