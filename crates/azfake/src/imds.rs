//! Managed identities: the instance metadata service at 169.254.169.254 and App Service's endpoint,
//! both plain HTTP through the proxy. Which identities the machine has is in the state.

use serde_json::json;

use crate::cloud::Cloud;
use crate::entra::TENANT;
use crate::entra::token::Claims;
use crate::exchange::{Call, Reply};
use crate::state::State;
use crate::vault::store::now;

/// Address of the instance metadata service.
pub(crate) const HOST: &str = "169.254.169.254";
/// Address that stands for App Service: `IDENTITY_ENDPOINT=http://169.254.131.2/msi/token`.
pub(crate) const APP_SERVICE_HOST: &str = "169.254.131.2";
/// What App Service wants to be shown: `IDENTITY_HEADER`.
pub const IDENTITY_HEADER: &str = "fake-identity-header";

/// Life of a token in seconds: a day, as the service has it.
const TOKEN_SECONDS: i64 = 86_399;

/// The parameters that name a user-assigned identity, of both services.
const NAMES: [&str; 5] = [
    "client_id",
    "object_id",
    "principal_id",
    "msi_res_id",
    "mi_res_id",
];

/// Answers a request; also says which client got a token.
pub(crate) fn answer(state: &State, call: &Call) -> (Reply, Option<String>) {
    if let Some(refusal) = refusal(call) {
        return (refusal, None);
    }
    let Some(resource) = call.parameter("resource") else {
        return (
            denied(
                "invalid_request",
                "Required audience parameter not specified",
            ),
            None,
        );
    };
    let resource = resource.trim_end_matches('/');
    if !Cloud::all()
        .iter()
        .any(|cloud| cloud.knows_resource(resource))
    {
        let text = format!(
            "AADSTS500011: The resource principal named {resource} was not found in the tenant named {TENANT}."
        );
        return (denied("invalid_resource", &text), None);
    }
    let id = NAMES.iter().find_map(|name| call.parameter(name));
    match state.identity(id.unwrap_or_default()) {
        Some(client) => (token(state, &client, resource), Some(client)),
        None => (denied("invalid_request", "Identity not found"), None),
    }
}

/// What is wrong before any identity is looked up.
fn refusal(call: &Call) -> Option<Reply> {
    let header = |name: &str| {
        let value = call.headers.get(name)?;
        value.to_str().ok().map(str::to_owned)
    };
    if call.host == APP_SERVICE_HOST {
        return match (call.path.as_str(), header("x-identity-header")) {
            ("/msi/token", Some(shown)) if shown == IDENTITY_HEADER => None,
            ("/msi/token", _) => Some(Reply::json(
                401,
                &json!({ "statusCode": 401, "message": "Invalid identity header" }),
            )),
            _ => Some(Reply::empty(404)),
        };
    }
    if header("metadata").is_none_or(|value| !value.eq_ignore_ascii_case("true")) {
        let text = "Required metadata header not specified or not correct";
        return Some(denied("invalid_request", text));
    }
    (call.path != "/metadata/identity/oauth2/token").then(|| {
        let body = json!({ "error": "not_found", "error_description": "no such metadata" });
        Reply::json(404, &body)
    })
}

fn denied(error: &str, text: &str) -> Reply {
    Reply::json(400, &json!({ "error": error, "error_description": text }))
}

fn token(state: &State, client: &str, resource: &str) -> Reply {
    let claims = Claims::new(TENANT, client, resource, now(), TOKEN_SECONDS);
    Reply::json(
        200,
        &json!({
            "access_token": state.signer.sign(&claims),
            "client_id": client,
            "expires_in": TOKEN_SECONDS.to_string(),
            "expires_on": claims.exp.to_string(),
            "ext_expires_in": TOKEN_SECONDS.to_string(),
            "not_before": claims.nbf.to_string(),
            "resource": resource,
            "token_type": "Bearer",
        }),
    )
}
