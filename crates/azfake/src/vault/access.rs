//! Who may ask a vault: API version, bearer token (audience, tenant, time) and permission. Reads no content.

use http::header::WWW_AUTHENTICATE;

use super::refusal::{Refusal, document};
use super::route::Route;
use crate::cloud::Cloud;
use crate::entra::token::{Claims, issuer};
use crate::exchange::{Call, Reply};
use crate::state::State;

/// The vault that is asked.
pub(crate) struct Asked<'a> {
    pub(crate) label: &'a str,
    pub(crate) cloud: Cloud,
    pub(crate) tenant: &'a str,
}

/// The claims of a valid token, or the answer that a vault gives in their place.
pub(crate) fn authenticate(
    state: &State,
    call: &Call,
    asked: &Asked<'_>,
    now: i64,
) -> Result<Claims, Reply> {
    let Some(token) = call.bearer() else {
        return Err(challenge(
            asked,
            "AKV10000: Request is missing a Bearer or PoP token.",
        ));
    };
    let claims = state.signer.verify(token).ok_or_else(|| {
        challenge(
            asked,
            "[BearerReadAccessTokenFailed] Error validating token: 'IDX10511'.",
        )
    })?;
    let resource = asked.cloud.vault_resource();
    if claims.exp <= now {
        return Err(challenge(
            asked,
            "[TokenExpired] Error validating token: 'IDX10223'.",
        ));
    }
    if claims.aud != resource {
        let text = format!(
            "AKV10022: Invalid audience. Expected {resource}, found: {}.",
            claims.aud
        );
        return Err(challenge(asked, &text));
    }
    if !claims.tid.eq_ignore_ascii_case(asked.tenant) {
        let expected = issuer(asked.tenant);
        let text = format!(
            "AKV10032: Invalid issuer. Expected one of {expected}, found {}.",
            claims.iss
        );
        return Err(challenge(asked, &text));
    }
    Ok(claims)
}

/// 401 with the header that tells a client where to get a token.
fn challenge(asked: &Asked<'_>, message: &str) -> Reply {
    let authority = format!("https://{}/{}", asked.cloud.login_host(), asked.tenant);
    let header = format!(
        "Bearer authorization=\"{authority}\", resource=\"{}\"",
        asked.cloud.vault_resource()
    );
    document(401, "Unauthorized", None, message).with(WWW_AUTHENTICATE, header)
}

/// Whether the caller has the permission that the operation takes.
pub(crate) fn authorise(
    state: &State,
    claims: &Claims,
    asked: &Asked<'_>,
    route: &Route,
) -> Result<(), Refusal> {
    let permission = route.permission();
    if state.may(&claims.appid, asked.label, route.kind.word(), permission) {
        return Ok(());
    }
    Err(Refusal::Denied {
        caller: format!(
            "appid={};oid={};iss={}",
            claims.appid, claims.oid, claims.iss
        ),
        action: format!("{}/{}", route.kind.word(), route.data_action()),
        resource: if route.is_named() {
            format!("{}/{}/{}", asked.label, route.kind.word(), route.name)
        } else {
            asked.label.to_owned()
        },
        vault: asked.label.to_owned(),
    })
}

/// 7.0 to 7.6 and dated versions are taken; a request without one is refused.
pub(crate) fn check_api_version(call: &Call) -> Result<(), Refusal> {
    let given = call
        .parameter("api-version")
        .filter(|version| !version.is_empty());
    let known = given.is_some_and(|version| {
        let minor = version
            .strip_prefix("7.")
            .and_then(|minor| minor.parse::<u8>().ok());
        let date = version
            .get(..10)
            .filter(|date| date.parse::<jiff::civil::Date>().is_ok());
        minor.is_some_and(|minor| minor <= 6) || date.is_some_and(|date| date >= "2025-07-01")
    });
    match given {
        Some(_) if known => Ok(()),
        Some(given) => Err(Refusal::BadApiVersion {
            given: given.to_owned(),
        }),
        None => Err(Refusal::NoApiVersion),
    }
}
