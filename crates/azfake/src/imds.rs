//! The instance metadata service at 169.254.169.254: the place for managed identities. Answers that there is none yet.

use serde_json::json;

use crate::exchange::{Call, Reply};

/// Address of the service; it is reached by plain HTTP through the proxy.
pub(crate) const HOST: &str = "169.254.169.254";

/// Answers as a machine without a managed identity does.
pub(crate) fn answer(call: &Call) -> Reply {
    let metadata = call
        .headers
        .get("metadata")
        .and_then(|value| value.to_str().ok());
    if metadata.is_none_or(|value| !value.eq_ignore_ascii_case("true")) {
        let text = "Required metadata header not specified or not correct";
        return Reply::json(
            400,
            &json!({ "error": "invalid_request", "error_description": text }),
        );
    }
    match call.path.as_str() {
        "/metadata/identity/oauth2/token" => {
            let text = "Identity not found";
            Reply::json(
                400,
                &json!({ "error": "invalid_request", "error_description": text }),
            )
        }
        _ => Reply::json(
            404,
            &json!({ "error": "not_found", "error_description": "no such metadata" }),
        ),
    }
}
