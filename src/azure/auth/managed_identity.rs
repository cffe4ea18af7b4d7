//! The identity of the machine: a token from the instance metadata service or from App Service's
//! endpoint (Azure, "How to use managed identities to acquire an access token"). The SDK's own credential tries for 72 s and reads the
//! environment by itself; here one try is made, and whoever waits tries again.

use std::sync::Arc;

use async_trait::async_trait;
use azure_core::credentials::AccessToken;
use azure_core::http::headers::HeaderName;
use azure_core::http::{
    ClientOptions, Context, Method, Pipeline, PipelineSendOptions, Request, Url,
};
use azure_core::time::OffsetDateTime;
use serde::Deserialize;
use serde_json::Value;

use super::SignIn;
use crate::azure::entra::{Failure, KeepAnswer};
use crate::azure::errors::{self, ConnectionFailure};
use crate::azure::http::Http;
use crate::provider::{Error, Outage, StoreFault};
use crate::secret::SecretValue;

const IMDS: &str = "http://169.254.169.254/metadata/identity/oauth2/token";

/// Which identity of which machine.
#[derive(Clone, Debug)]
pub struct ManagedIdentity {
    /// Who is asked.
    pub service: Service,
    /// The header that App Service wants.
    pub header: Option<SecretValue>,
    /// `None` is the system-assigned one.
    pub user_assigned: Option<UserAssigned>,
}

/// Who gives out tokens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// The instance metadata service of virtual machines.
    Machine,
    /// App Service, Functions and Container Apps: the value of `IDENTITY_ENDPOINT`.
    AppService(String),
}

/// A user-assigned identity.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum UserAssigned {
    /// By client id.
    ClientId(String),
    /// By object (principal) id.
    ObjectId(String),
    /// By resource id: `/subscriptions/...`.
    ResourceId(String),
}

impl UserAssigned {
    /// Reads `identityId`: a client id as in ESO, or a resource id, or `objectId:GUID`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() {
            None
        } else if let Some(id) = text.strip_prefix("objectId:") {
            Some(Self::ObjectId(id.trim().to_owned()))
        } else if text.to_ascii_lowercase().starts_with("/subscriptions/") {
            Some(Self::ResourceId(text.to_owned()))
        } else {
            Some(Self::ClientId(text.to_owned()))
        }
    }

    fn query(&self, service: &Service) -> (&'static str, &str) {
        match (self, service) {
            (Self::ClientId(id), _) => ("client_id", id),
            (Self::ObjectId(id), Service::Machine) => ("object_id", id),
            (Self::ObjectId(id), Service::AppService(_)) => ("principal_id", id),
            (Self::ResourceId(id), Service::Machine) => ("msi_res_id", id),
            (Self::ResourceId(id), Service::AppService(_)) => ("mi_res_id", id),
        }
    }
}

pub(in crate::azure) struct ManagedSignIn {
    identity: ManagedIdentity,
    pipeline: Pipeline,
    host: String,
    limit: std::time::Duration,
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
    /// Unix seconds; a string by the documentation, a number in some places.
    expires_on: Value,
}

impl ManagedSignIn {
    pub(in crate::azure) fn new(identity: ManagedIdentity, http: &Http) -> Self {
        let options = ClientOptions {
            per_try_policies: vec![Arc::new(KeepAnswer)],
            ..http.client_options()
        };
        let pipeline = Pipeline::new(None, None, options, Vec::new(), Vec::new(), None);
        let host = match &identity.service {
            Service::Machine => "169.254.169.254".to_owned(),
            Service::AppService(endpoint) => Url::parse(endpoint)
                .ok()
                .and_then(|url| url.host_str().map(str::to_owned))
                .unwrap_or_else(|| endpoint.clone()),
        };
        Self {
            identity,
            pipeline,
            host,
            limit: http.request_timeout(),
        }
    }

    fn request(&self, scope: &str) -> Result<Request, Error> {
        let (endpoint, version) = match &self.identity.service {
            Service::Machine => (IMDS, "2018-02-01"),
            Service::AppService(endpoint) => (endpoint.as_str(), "2019-08-01"),
        };
        let mut url = Url::parse(endpoint).map_err(|_| Error::Config {
            message: "IDENTITY_ENDPOINT in the operator's environment is not a URL".to_owned(),
        })?;
        let resource = scope.strip_suffix("/.default").unwrap_or(scope);
        url.query_pairs_mut()
            .append_pair("api-version", version)
            .append_pair("resource", resource);
        if let Some(id) = &self.identity.user_assigned {
            let (name, id) = id.query(&self.identity.service);
            url.query_pairs_mut().append_pair(name, id);
        }
        let mut request = Request::new(url, Method::Get);
        request.insert_header("metadata", "true");
        let header = self.identity.header.as_ref();
        if let Some(header) = header.and_then(SecretValue::expose_text) {
            let name = HeaderName::from_static("x-identity-header");
            request.insert_header(name, header.to_owned());
        }
        Ok(request)
    }

    fn told(&self, error: &azure_core::Error) -> Error {
        let Some((status, headers, body)) = errors::raw_answer(error) else {
            return self.unreachable(error);
        };
        let after = errors::retry_after(headers);
        let host = self.host.clone();
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        match (status, body["error_description"].as_str()) {
            (429, _) => Error::Throttled { host, after },
            (400 | 403, Some(text)) => Error::Auth {
                code: "ManagedIdentity".to_owned(),
                message: errors::clean(text),
                remedy: match &self.identity.user_assigned {
                    None => {
                        "enable the machine's system-assigned identity, or name a user-assigned one in identityId"
                    }
                    Some(_) => "assign the identity to the machine, or correct identityId",
                }
                .to_owned(),
                fault: StoreFault::IdentityMissing,
            },
            _ => Error::Unavailable {
                host,
                outage: Outage::BadAnswer,
                message: format!("the identity endpoint answered HTTP {status}"),
                remedy: REMEDY.to_owned(),
                after,
            },
        }
    }

    fn unreachable(&self, error: &azure_core::Error) -> Error {
        match ConnectionFailure::new(error).into_error(&self.host, self.limit, REMEDY) {
            Error::Unavailable {
                host,
                outage,
                message,
                after,
                ..
            } => Error::Unavailable {
                host,
                outage,
                message,
                remedy: REMEDY.to_owned(),
                after,
            },
            other => other,
        }
    }
}

const REMEDY: &str = "managed identity works on Azure's machines only: elsewhere use \
                      WorkloadIdentity or ServicePrincipal; where HTTP_PROXY is set, name \
                      169.254.169.254 in NO_PROXY";

#[async_trait]
impl SignIn for ManagedSignIn {
    async fn token(&self, scope: &str) -> Result<AccessToken, Failure> {
        let mut request = self.request(scope)?;
        let options = PipelineSendOptions {
            skip_checks: true,
            ..PipelineSendOptions::default()
        };
        let context = Context::default();
        let sent = self.pipeline.send(&context, &mut request, Some(options));
        let answer = sent.await.map_err(|error| self.told(&error))?;
        let token = parse(answer.body().as_ref());
        let token = token.ok_or_else(|| Error::Unavailable {
            host: self.host.clone(),
            outage: Outage::BadAnswer,
            message: "the identity endpoint's answer cannot be understood".to_owned(),
            remedy: REMEDY.to_owned(),
            after: None,
        })?;
        Ok(token)
    }

    fn host(&self) -> &str {
        &self.host
    }
}

fn parse(body: &[u8]) -> Option<AccessToken> {
    let token: Token = serde_json::from_slice(body).ok()?;
    let seconds = match &token.expires_on {
        Value::String(text) => text.parse().ok()?,
        number => number.as_i64()?,
    };
    let expires_on = OffsetDateTime::from_unix_timestamp(seconds).ok()?;
    Some(AccessToken::new(token.access_token, expires_on))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_ids_are_client_resource_or_object_ids() {
        let parse = UserAssigned::parse;
        assert_eq!(parse("  "), None);
        assert_eq!(parse(" c "), Some(UserAssigned::ClientId("c".to_owned())));
        assert_eq!(
            parse("objectId: o"),
            Some(UserAssigned::ObjectId("o".to_owned()))
        );
        let id = "/Subscriptions/s/resourceGroups/g";
        assert_eq!(parse(id), Some(UserAssigned::ResourceId(id.to_owned())));
    }

    #[test]
    fn both_forms_of_expiry_are_read() {
        for expires_on in ["\"1586984735\"", "1586984735"] {
            let body = format!(r#"{{"access_token":"t","expires_on":{expires_on}}}"#);
            let token = parse(body.as_bytes()).unwrap();
            assert_eq!(token.expires_on.unix_timestamp(), 1_586_984_735);
        }
        for body in ["", "{}", r#"{"access_token":"t","expires_on":"soon"}"#] {
            assert!(parse(body.as_bytes()).is_none(), "{body}");
        }
    }
}
