//! Shows a vault the token that it accepts. The audience of a known cloud is pinned, so that no vault can
//! ask for a token of another one, and its first request already has a token. A cloud of one's own names
//! its audience in a challenge (Azure Key Vault, "Authentication, requests and responses").

use std::sync::Arc;

use async_trait::async_trait;
use azure_core::error::ErrorKind;
use azure_core::http::headers::{AUTHORIZATION, WWW_AUTHENTICATE};
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{AsyncRawResponse, Context, Request, StatusCode, Url};
use parking_lot::Mutex;

use super::token::Credential;

/// Signs requests to one vault.
#[derive(Debug)]
pub(super) struct VaultAuthorization {
    credential: Arc<Credential>,
    audience: Audience,
}

/// For whom the token is.
#[derive(Debug)]
enum Audience {
    /// This scope, whatever the vault says.
    Pinned(String),
    /// The scope that the vault named, once it did.
    Learned(Mutex<Option<String>>),
}

impl VaultAuthorization {
    /// Tokens of `credential` for `resource` (`https://vault.azure.net`), or for the one that the vault
    /// names.
    pub(super) fn new(credential: Arc<Credential>, resource: Option<&str>) -> Self {
        Self {
            credential,
            audience: match resource {
                Some(resource) => Audience::Pinned(format!("{resource}/.default")),
                None => Audience::Learned(Mutex::default()),
            },
        }
    }

    fn scope(&self) -> Option<String> {
        match &self.audience {
            Audience::Pinned(scope) => Some(scope.clone()),
            Audience::Learned(scope) => scope.lock().clone(),
        }
    }

    /// The scope that an answer without a token asks for.
    fn learn(
        &self,
        challenged: &AsyncRawResponse,
        url: &Url,
    ) -> azure_core::Result<Option<String>> {
        let Audience::Learned(known) = &self.audience else {
            return Ok(None);
        };
        let challenge = challenged.headers().get_optional_str(&WWW_AUTHENTICATE);
        let Some(challenge) = challenge.filter(|_| is_unauthorized(challenged)) else {
            return Ok(None);
        };
        let scope = scope_of(challenge)
            .filter(|scope| is_audience_of(scope, url))
            .ok_or_else(|| failed("the vault asks for a token of another audience"))?;
        *known.lock() = Some(scope.clone());
        Ok(Some(scope))
    }

    async fn authorize(&self, request: &mut Request, scope: &str) -> azure_core::Result<()> {
        let token = self.credential.token(scope).await?;
        request.insert_header(AUTHORIZATION, format!("Bearer {}", token.token.secret()));
        Ok(())
    }
}

#[async_trait]
impl Policy for VaultAuthorization {
    async fn send(
        &self,
        ctx: &Context,
        request: &mut Request,
        next: &[Arc<dyn Policy>],
    ) -> PolicyResult {
        if request.url().scheme() != "https" {
            return Err(failed("a token is sent by https only"));
        }
        let (transport, rest) = next
            .split_first()
            .ok_or_else(|| failed("no transport behind this policy"))?;
        let scope = if let Some(scope) = self.scope() {
            scope
        } else {
            // without token and body: nothing is shown before it is known to whom
            let mut probe = Request::new(request.url().clone(), request.method());
            let challenged = transport.send(ctx, &mut probe, rest).await?;
            match self.learn(&challenged, request.url())? {
                Some(scope) => scope,
                None => return Ok(challenged),
            }
        };
        self.authorize(request, &scope).await?;
        let answer = transport.send(ctx, request, rest).await?;
        match self.learn(&answer, request.url())? {
            // the vault moved to another audience
            Some(other) if other != scope => {
                self.authorize(request, &other).await?;
                transport.send(ctx, request, rest).await
            }
            _ => Ok(answer),
        }
    }
}

fn is_unauthorized(answer: &AsyncRawResponse) -> bool {
    answer.status() == StatusCode::Unauthorized
}

fn failed(message: &'static str) -> azure_core::Error {
    azure_core::Error::with_message(ErrorKind::Other, message)
}

/// The scope that a challenge names, as `scope` or as `resource` of which it is the default one.
fn scope_of(challenge: &str) -> Option<String> {
    let (_, parameters) = challenge.split_once(' ')?;
    let mut found = None;
    for parameter in parameters.split(',') {
        let (name, value) = parameter.trim().split_once('=')?;
        let value = value.trim_matches('"');
        match name {
            "scope" => return Some(value.to_owned()),
            "resource" => found = Some(format!("{value}/.default")),
            _ => {}
        }
    }
    found
}

/// Whether a token for `scope` may be shown to the vault at `url`: its host lies below the audience's.
fn is_audience_of(scope: &str, url: &Url) -> bool {
    let audience = Url::parse(scope).ok();
    let audience = audience.as_ref().and_then(Url::host_str);
    audience
        .zip(url.host_str())
        .is_some_and(|(audience, host)| {
            host.strip_suffix(audience)
                .is_some_and(|name| name.ends_with('.'))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_names_a_scope_or_a_resource() {
        let authority = r#"Bearer authorization="https://login.example/t""#;
        for (challenge, want) in [
            (
                format!(r#"{authority}, resource="https://vault.example""#),
                Some("https://vault.example/.default"),
            ),
            (
                format!(r#"{authority},scope="https://vault.example/x""#),
                Some("https://vault.example/x"),
            ),
            (authority.to_owned(), None),
            ("Bearer".to_owned(), None),
            (String::new(), None),
        ] {
            assert_eq!(scope_of(&challenge).as_deref(), want, "{challenge}");
        }
    }

    #[test]
    fn a_token_is_shown_only_to_vaults_of_its_audience() {
        let url = Url::parse("https://kv.vault.example/secrets/a").unwrap();
        for (scope, want) in [
            ("https://vault.example/.default", true),
            ("https://kv.vault.example/.default", false),
            ("https://ault.example/.default", false),
            ("https://other.example/.default", false),
            ("no url", false),
        ] {
            assert_eq!(is_audience_of(scope, &url), want, "{scope}");
        }
    }
}
