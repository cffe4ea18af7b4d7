//! The Key Vault data plane: from a request to Azure's answer. Faults, log and TLS live elsewhere.

mod access;
mod objects;
mod paging;
pub(crate) mod public;
pub(crate) mod refusal;
pub(crate) mod route;
mod secrets;
pub(crate) mod store;

use access::Asked;
use refusal::Refusal;
use route::{Kind, Route};

use crate::cloud::Cloud;
use crate::exchange::{Call, Reply};
use crate::fault::Fault;
use crate::state::State;

/// Answers a request to a vault; also says which client asked, where its token is valid.
pub(crate) fn answer(
    state: &State,
    call: &Call,
    label: &str,
    cloud: Cloud,
    route: Result<&Route, &Refusal>,
) -> (Reply, Option<String>) {
    let vault = state.vault(label);
    let tenant = vault.lock().tenant.clone();
    let asked = Asked {
        label,
        cloud,
        tenant: &tenant,
    };
    if let Err(refusal) = access::check_api_version(call) {
        return (refusal.reply(), None);
    }
    let claims = match access::authenticate(state, call, &asked, store::now()) {
        Ok(claims) => claims,
        Err(reply) => return (reply, None),
    };
    let result = route.map_err(Clone::clone).and_then(|route| {
        access::authorise(state, &claims, &asked, route)?;
        route::check_names(route)?;
        let mut vault = vault.lock();
        match route.kind {
            Kind::Secrets => secrets::answer(&mut vault, call, route),
            Kind::Keys | Kind::Certificates => objects::answer(&mut vault, call, route),
        }
    });
    (
        result.unwrap_or_else(|refusal| refusal.reply()),
        Some(claims.appid),
    )
}

/// The answer of a vault that a fault asks for.
pub(crate) fn injected(fault: &Fault, status: u16) -> Reply {
    let (code, message) = match status {
        400 => ("BadParameter", "The request is not valid."),
        401 => ("Unauthorized", "AKV10032: Invalid issuer."),
        403 => (
            "Forbidden",
            "Caller is not authorized to perform action on resource.",
        ),
        404 => (
            "SecretNotFound",
            "The secret was not found in this key vault.",
        ),
        409 => (
            "Conflict",
            "There is a conflict with the present state of the object.",
        ),
        429 => (
            "Throttled",
            "Request was not processed because too many requests were received.",
        ),
        503 => ("ServiceUnavailable", "The service is unavailable."),
        _ => ("InternalServerError", "An internal error occurred."),
    };
    let inner = fault
        .inner_code
        .as_deref()
        .or((status == 403).then_some("ForbiddenByRbac"));
    let code = fault.code.as_deref().unwrap_or(code);
    refusal::document(
        status,
        code,
        inner,
        fault.message.as_deref().unwrap_or(message),
    )
}
