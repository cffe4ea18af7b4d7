//! Answers a vault client's first question itself. The SDK sends its first request without a token
//! to learn the audience from the vault's 401; the cloud tells it already, so the round trip is
//! saved and no vault can ask for a token of another audience.

use std::sync::Arc;

use async_trait::async_trait;
use azure_core::error::ErrorKind;
use azure_core::http::headers::{AUTHORIZATION, Headers, WWW_AUTHENTICATE};
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{AsyncRawResponse, Context, Request, StatusCode};

/// Stands behind the SDK's authentication and in front of the wire.
#[derive(Debug)]
pub(super) struct KnownAudience {
    /// `https://vault.azure.net`.
    pub(super) resource: String,
}

#[async_trait]
impl Policy for KnownAudience {
    async fn send(
        &self,
        ctx: &Context,
        request: &mut Request,
        next: &[Arc<dyn Policy>],
    ) -> PolicyResult {
        if request.headers().get_optional_str(&AUTHORIZATION).is_none() {
            return Ok(self.challenge());
        }
        let Some((policy, rest)) = next.split_first() else {
            return Err(azure_core::Error::with_message(
                ErrorKind::Other,
                "no transport behind this policy",
            ));
        };
        let response = policy.send(ctx, request, rest).await?;
        if response.status() != StatusCode::Unauthorized {
            return Ok(response);
        }
        // a real 401 keeps its body and loses its challenge: the token was for the right audience
        let (status, mut headers, body) = response.deconstruct();
        headers.remove(WWW_AUTHENTICATE);
        Ok(AsyncRawResponse::new(status, headers, Box::pin(body)))
    }
}

impl KnownAudience {
    fn challenge(&self) -> AsyncRawResponse {
        let mut headers = Headers::new();
        headers.insert(
            WWW_AUTHENTICATE,
            format!("Bearer resource=\"{}\"", self.resource),
        );
        AsyncRawResponse::from_bytes(StatusCode::Unauthorized, headers, Vec::new())
    }
}
