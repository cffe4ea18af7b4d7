//! Sends requests of the Key Vault REST API to one vault as one identity. Knows URLs, not what is asked for
//! or what an answer means.

use std::sync::Arc;

use azure_core::error::CheckSuccessOptions;
use azure_core::http::response::ResponseBody;
use azure_core::http::{Context, Pipeline, PipelineSendOptions, Request, Url};

use super::config::Vault;
use super::operation::Operation;
use crate::azure::Azure;
use crate::azure::token::Credential;
use crate::provider::Error;

/// Of the Key Vault REST API.
const API_VERSION: &str = "2025-07-01";

/// One vault, one identity.
pub(super) struct Rest {
    pipeline: Pipeline,
    url: Url,
}

impl Rest {
    /// Contacts nobody.
    pub(super) fn new(
        azure: &Azure,
        vault: &Vault,
        credential: Arc<Credential>,
    ) -> Result<Self, Error> {
        let url = Url::parse(&vault.url).map_err(|_| Error::Config {
            message: "spec.provider.azurekv.vaultUrl: not a URL".to_owned(),
        })?;
        let pipeline = azure.vault_pipeline(&vault.cloud, credential);
        Ok(Self { pipeline, url })
    }

    /// The body of the answer to `operation`; of a list the page behind `link`, if there is one.
    pub(super) async fn send(
        &self,
        operation: Operation<'_>,
        link: Option<Url>,
    ) -> azure_core::Result<ResponseBody> {
        let mut url = link.unwrap_or_else(|| {
            let mut url = self.url.clone();
            url.set_path(&operation.path().join("/"));
            url
        });
        with_api_version(&mut url);
        let mut request = Request::new(url, operation.method());
        request.insert_header("accept", "application/json");
        let context = Context::new();
        let options = PipelineSendOptions {
            check_success: CheckSuccessOptions {
                success_codes: &[200],
            },
            ..PipelineSendOptions::default()
        };
        let answer = self.pipeline.send(&context, &mut request, Some(options));
        Ok(answer.await?.into_body())
    }

    /// The link to a further page, if it leads to this vault: a token goes nowhere else.
    pub(super) fn own_link(&self, link: &str) -> Option<Url> {
        let link = self.url.join(link).ok()?;
        (link.origin() == self.url.origin()).then_some(link)
    }
}

fn with_api_version(url: &mut Url) {
    let others: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(name, _)| name != "api-version")
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    url.query_pairs_mut()
        .clear()
        .extend_pairs(others)
        .append_pair("api-version", API_VERSION);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_is_asked_for_in_the_same_version() {
        let of = |text: &str| {
            let mut url = Url::parse(text).unwrap();
            with_api_version(&mut url);
            url.query().unwrap_or_default().to_owned()
        };
        assert_eq!(of("https://kv/secrets"), "api-version=2025-07-01");
        assert_eq!(
            of("https://kv/secrets?api-version=7.4&$skiptoken=a%2Bb"),
            "%24skiptoken=a%2Bb&api-version=2025-07-01"
        );
    }
}
