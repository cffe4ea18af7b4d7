//! The endpoints of a login host: tokens (v1 and v2), `OpenID` configuration, instance discovery.

use http::Method;
use serde_json::{Value, json};

use super::assertion::{self, Trust};
use super::denial::Denial;
use super::token::Claims;
use super::{App, EXPIRED_SECRET, Unknown};
use crate::cloud::Cloud;
use crate::exchange::{Call, Reply, pairs};
use crate::fault::Fault;
use crate::state::State;
use crate::vault::store::now;

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Life of a token in seconds, as Entra states it.
const TOKEN_SECONDS: i64 = 3599;

/// Which endpoint a path names; the tenant is as the client wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    TokenV1 {
        tenant: String,
    },
    TokenV2 {
        tenant: String,
    },
    OpenId {
        tenant: String,
        version: &'static str,
    },
    Instance,
    Unknown,
}

impl Endpoint {
    /// The endpoint of a request.
    pub(crate) fn of(method: &Method, path: &str) -> Self {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        match (method.as_str(), parts.as_slice()) {
            ("POST", [tenant, "oauth2", "v2.0", "token"]) => Self::TokenV2 {
                tenant: (*tenant).to_owned(),
            },
            ("POST", [tenant, "oauth2", "token"]) => Self::TokenV1 {
                tenant: (*tenant).to_owned(),
            },
            ("GET", [tenant, "v2.0", ".well-known", "openid-configuration"]) => Self::OpenId {
                tenant: (*tenant).to_owned(),
                version: "/v2.0",
            },
            ("GET", [tenant, ".well-known", "openid-configuration"]) => Self::OpenId {
                tenant: (*tenant).to_owned(),
                version: "",
            },
            ("GET", [_, "discovery", "instance"]) => Self::Instance,
            _ => Self::Unknown,
        }
    }

    /// The word for it in faults, log and counters.
    pub(crate) fn op(&self) -> &'static str {
        match self {
            Self::TokenV1 { .. } | Self::TokenV2 { .. } => "token",
            Self::OpenId { .. } => "openid",
            Self::Instance => "instance",
            Self::Unknown => "unknown",
        }
    }
}

/// Answers a request to a login host; also says which client asked.
pub(crate) fn answer(
    state: &State,
    call: &Call,
    cloud: Cloud,
    endpoint: &Endpoint,
) -> (Reply, Option<String>) {
    let form = pairs(&call.body);
    let client = field(&form, "client_id").map(str::to_owned);
    let result = match endpoint {
        Endpoint::TokenV1 { tenant } => token(
            state,
            (cloud, &call.host),
            tenant,
            &form,
            resource_v1(&form),
        ),
        Endpoint::TokenV2 { tenant } => token(
            state,
            (cloud, &call.host),
            tenant,
            &form,
            resource_v2(&form),
        ),
        Endpoint::OpenId { tenant, version } => openid(state, &call.host, tenant, version),
        Endpoint::Instance => Ok(instance(call)),
        Endpoint::Unknown => {
            return (
                Reply::text(404, "text/plain", "azfake: no such login endpoint"),
                client,
            );
        }
    };
    let reply = match result {
        Ok(body) => Reply::json(200, &body).with(http::header::CACHE_CONTROL, "no-store, no-cache"),
        Err(denial) => denial.reply(&call.host),
    };
    (reply, client)
}

/// The answer of a login host that a fault asks for.
pub(crate) fn injected(host: &str, fault: &Fault, status: u16) -> Reply {
    let denial = Denial::Injected {
        status,
        error: fault
            .code
            .clone()
            .unwrap_or_else(|| "temporarily_unavailable".to_owned()),
        description: fault
            .message
            .clone()
            .unwrap_or_else(|| "The service is temporarily unavailable.".to_owned()),
    };
    denial.reply(host)
}

/// Audience asked for, and whether the answer has the form of v1.
struct Wanted {
    audience: String,
    v1: bool,
}

fn resource_v1(form: &[(String, String)]) -> Result<Wanted, Denial> {
    let resource = field(form, "resource").ok_or(Denial::MissingParameter { name: "resource" })?;
    Ok(Wanted {
        audience: resource.to_owned(),
        v1: true,
    })
}

fn resource_v2(form: &[(String, String)]) -> Result<Wanted, Denial> {
    let scope = field(form, "scope").ok_or(Denial::MissingParameter { name: "scope" })?;
    let own = ["openid", "profile", "offline_access"];
    let mut scopes = scope.split_whitespace().filter(|word| !own.contains(word));
    let resource = match (scopes.next(), scopes.next()) {
        (Some(scope), None) => scope.strip_suffix("/.default"),
        _ => None,
    };
    let resource = resource.ok_or_else(|| Denial::BadScope {
        scope: scope.to_owned(),
    })?;
    Ok(Wanted {
        audience: resource.to_owned(),
        v1: false,
    })
}

fn token(
    state: &State,
    (cloud, host): (Cloud, &str),
    tenant: &str,
    form: &[(String, String)],
    wanted: Result<Wanted, Denial>,
) -> Result<Value, Denial> {
    if !state.directory.has_tenant(tenant) {
        return Err(Denial::UnknownTenant {
            tenant: tenant.to_owned(),
        });
    }
    let grant = field(form, "grant_type").ok_or(Denial::MissingParameter { name: "grant_type" })?;
    if grant != "client_credentials" {
        return Err(Denial::UnsupportedGrant {
            grant: grant.to_owned(),
        });
    }
    let client = field(form, "client_id").ok_or(Denial::MissingParameter { name: "client_id" })?;
    let app = state
        .directory
        .find(tenant, client)
        .map_err(|unknown| match unknown {
            Unknown::Tenant => Denial::UnknownTenant {
                tenant: tenant.to_owned(),
            },
            Unknown::Client => Denial::UnknownClient {
                client: client.to_owned(),
            },
        })?;
    let Wanted { audience, v1 } = wanted?;
    let resource = audience.trim_end_matches('/');
    if !cloud.knows_resource(resource) {
        return Err(Denial::UnknownResource {
            resource: audience,
            tenant: tenant.to_owned(),
        });
    }
    authenticate(state, &app, &format!("https://{host}/{tenant}"), form)?;
    let seconds = app.token_seconds.unwrap_or(TOKEN_SECONDS);
    let claims = Claims::new(
        &tenant.to_ascii_lowercase(),
        &client.to_ascii_lowercase(),
        resource,
        now(),
        seconds,
    );
    Ok(document(&claims, &state.signer.sign(&claims), seconds, v1))
}

fn authenticate(
    state: &State,
    app: &App,
    authority: &str,
    form: &[(String, String)],
) -> Result<(), Denial> {
    let client = field(form, "client_id").unwrap_or_default();
    if let Some(assertion) = field(form, "client_assertion") {
        if field(form, "client_assertion_type") != Some(JWT_BEARER) {
            return Err(Denial::MissingParameter {
                name: "client_assertion_type",
            });
        }
        let trust = Trust {
            app,
            client,
            authority,
            sa_issuer: state.sa_issuer.as_deref(),
            certificates: &state.certificates,
            now: now(),
        };
        return assertion::check(&trust, assertion, |issuer| state.directory.keys(issuer));
    }
    let secret = field(form, "client_secret").ok_or(Denial::NoCredential)?;
    let client = client.to_owned();
    if app.secrets.iter().any(|valid| valid == secret) {
        Ok(())
    } else if secret == EXPIRED_SECRET
        || app.expired_secrets.iter().any(|expired| expired == secret)
    {
        Err(Denial::ExpiredSecret { client })
    } else {
        Err(Denial::WrongSecret { client })
    }
}

/// v1 states numbers as strings and repeats the resource.
fn document(claims: &Claims, token: &str, seconds: i64, v1: bool) -> Value {
    if v1 {
        return json!({
            "token_type": "Bearer",
            "expires_in": seconds.to_string(),
            "ext_expires_in": seconds.to_string(),
            "expires_on": claims.exp.to_string(),
            "not_before": claims.nbf.to_string(),
            "resource": claims.aud,
            "access_token": token,
        });
    }
    json!({ "token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token })
}

fn openid(state: &State, host: &str, tenant: &str, version: &str) -> Result<Value, Denial> {
    let common = ["common", "organizations", "consumers"].contains(&tenant);
    if !common && !state.directory.has_tenant(tenant) {
        return Err(Denial::UnknownTenant {
            tenant: tenant.to_owned(),
        });
    }
    let base = format!("https://{host}/{tenant}");
    Ok(json!({
        "token_endpoint": format!("{base}/oauth2{version}/token"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": format!("{base}/discovery{version}/keys"),
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": format!("https://{host}/{tenant}/v2.0"),
        "authorization_endpoint": format!("{base}/oauth2{version}/authorize"),
        "device_authorization_endpoint": format!("{base}/oauth2{version}/devicecode"),
        "end_session_endpoint": format!("{base}/oauth2{version}/logout"),
        "tenant_region_scope": "EU",
    }))
}

fn instance(call: &Call) -> Value {
    let asked = call.parameter("authorization_endpoint").unwrap_or_default();
    let authority = asked.split("/oauth2/").next().unwrap_or_default();
    let metadata: Vec<Value> = Cloud::all()
        .iter()
        .map(|cloud| {
            let hosts = cloud.login_hosts();
            json!({ "preferred_network": hosts[0], "preferred_cache": hosts[0], "aliases": hosts })
        })
        .collect();
    json!({
        "tenant_discovery_endpoint": format!("{authority}/v2.0/.well-known/openid-configuration"),
        "api-version": "1.1",
        "metadata": metadata,
    })
}

fn field<'a>(form: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = form
        .iter()
        .find(|(key, value)| key == name && !value.is_empty());
    found.map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_endpoints() {
        let of = |method, path| Endpoint::of(&method, path);
        assert_eq!(
            of(Method::POST, "/t/oauth2/v2.0/token"),
            Endpoint::TokenV2 { tenant: "t".into() }
        );
        assert_eq!(
            of(Method::POST, "/t/oauth2/token"),
            Endpoint::TokenV1 { tenant: "t".into() }
        );
        assert_eq!(
            of(Method::GET, "/common/discovery/instance"),
            Endpoint::Instance
        );
        assert_eq!(of(Method::GET, "/t/oauth2/token"), Endpoint::Unknown);
    }

    #[test]
    fn a_scope_names_one_resource() {
        let scope = |text: &str| {
            resource_v2(&[("scope".to_owned(), text.to_owned())]).map(|wanted| wanted.audience)
        };
        assert_eq!(
            scope("openid https://vault.azure.net/.default profile").unwrap(),
            "https://vault.azure.net"
        );
        assert!(matches!(
            scope("https://vault.azure.net"),
            Err(Denial::BadScope { .. })
        ));
        assert!(matches!(
            scope("a/.default b/.default"),
            Err(Denial::BadScope { .. })
        ));
        assert!(matches!(
            scope(""),
            Err(Denial::MissingParameter { name: "scope" })
        ));
    }
}
