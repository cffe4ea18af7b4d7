//! Asks one vault as one identity, with the few tries that are worth it. Knows what is asked, not
//! for what.

use std::fmt;
use std::sync::Arc;

use azure_core::http::pager::{Pager, PagerContinuation, PagerOptions};
use azure_core::http::response::ResponseBody;
use azure_core::http::{StatusCode, Url};
use azure_security_keyvault_certificates::models::{
    CertificateClientGetCertificateOptions, CertificateClientListCertificatePropertiesOptions,
};
use azure_security_keyvault_certificates::{CertificateClient, CertificateClientOptions};
use azure_security_keyvault_keys::models::{
    KeyClientGetKeyOptions, KeyClientListKeyPropertiesOptions,
};
use azure_security_keyvault_keys::{KeyClient, KeyClientOptions};
use azure_security_keyvault_secrets::models::{
    SecretClientGetSecretOptions, SecretClientListSecretPropertiesOptions,
};
use azure_security_keyvault_secrets::{SecretClient, SecretClientOptions};
use futures::{FutureExt as _, StreamExt as _};
use serde::de::DeserializeOwned;

use super::answer::{Act, Question, outcome, pause};
use super::config::Vault;
use super::document::{Document, Page};
use super::flights::Flights;
use super::gate::Gate;
use super::object::{Kind, Object};
use super::revisions::Listings;
use crate::azure::Azure;
use crate::azure::token::Credential;
use crate::provider::{Error, Outage};

/// One vault, one identity.
pub(super) struct VaultClient {
    azure: Arc<Azure>,
    vault: Vault,
    url: Url,
    credential: Arc<Credential>,
    secrets: SecretClient,
    keys: KeyClient,
    certificates: CertificateClient,
    gate: Arc<Gate>,
    flights: Flights<Object, Answer>,
    pub(super) listings: Listings,
}

/// What a read brought: shared by all who asked for it.
type Answer = Result<Option<Arc<Document>>, Error>;

impl VaultClient {
    /// Contacts nobody.
    pub(super) fn new(
        azure: Arc<Azure>,
        vault: Vault,
        credential: Arc<Credential>,
        gate: Arc<Gate>,
    ) -> Result<Self, Error> {
        let client_options = azure.vault_options(&vault.cloud);
        // the audience of a known cloud is pinned; the host was checked when it was configured
        let verify_challenge_resource = Some(vault.cloud.vault_suffix().is_none());
        let not_a_url = |_| Error::Config {
            message: "spec.provider.azurekv.vaultUrl: not a URL".to_owned(),
        };
        let secrets = SecretClientOptions {
            client_options: client_options.clone(),
            verify_challenge_resource,
            ..SecretClientOptions::default()
        };
        let keys = KeyClientOptions {
            client_options: client_options.clone(),
            verify_challenge_resource,
            ..KeyClientOptions::default()
        };
        let certificates = CertificateClientOptions {
            client_options,
            verify_challenge_resource,
            ..CertificateClientOptions::default()
        };
        let secrets = SecretClient::new(&vault.url, credential.clone(), Some(secrets));
        let keys = KeyClient::new(&vault.url, credential.clone(), Some(keys));
        let certificates =
            CertificateClient::new(&vault.url, credential.clone(), Some(certificates));
        let secrets = secrets.map_err(not_a_url)?;
        Ok(Self {
            url: secrets.endpoint().clone(),
            keys: keys.map_err(not_a_url)?,
            certificates: certificates.map_err(not_a_url)?,
            secrets,
            azure,
            vault,
            credential,
            gate,
            flights: Flights::default(),
            listings: Listings::default(),
        })
    }

    /// One object; `None` where the vault has no such object or version. Those who ask for the same
    /// at the same time share the answer.
    pub(super) async fn read(self: &Arc<Self>, object: &Object) -> Answer {
        let ask = || {
            let (vault, object) = (Arc::clone(self), object.clone());
            async move { vault.fetch(&object).await.map(|found| found.map(Arc::new)) }.boxed()
        };
        self.flights.join(object, ask).await
    }

    async fn fetch(&self, object: &Object) -> Result<Option<Document>, Error> {
        let body = self.call(Act::Get(object), || self.get(object)).await;
        let document = body.and_then(|body| self.parse(body.as_deref()));
        // a missing object counts as an error: so it does in ESO's metric
        self.observed(object.kind.call(), matches!(document, Ok(Some(_))));
        document
    }

    fn parse(&self, body: Option<&[u8]>) -> Result<Option<Document>, Error> {
        let Some(body) = body else { return Ok(None) };
        let document = Document::parse(body);
        document
            .map(Some)
            .ok_or_else(|| self.misunderstood("the answer cannot be understood"))
    }

    /// The vault's host.
    pub(super) fn host(&self) -> &str {
        &self.vault.host
    }

    /// One page of the list of all objects of a kind: the first, or the one behind a link.
    pub(super) async fn page(&self, kind: Kind, link: Option<Url>) -> Result<Page, Error> {
        let body = self.call(Act::List(kind), || self.get_page(kind, link.clone()));
        let page = body
            .await?
            .and_then(|body| serde_json::from_slice(&body).ok());
        let unreadable = || format!("the list of {} cannot be understood", kind.collection());
        page.ok_or_else(|| self.misunderstood(&unreadable()))
    }

    /// The link to a further page, where it leads to this vault: a token goes nowhere else.
    pub(super) fn own_link(&self, link: &str) -> Result<Url, Error> {
        let link = self.url.join(link).ok();
        let is_own = |link: &Url| link.origin() == self.url.origin();
        link.filter(is_own)
            .ok_or_else(|| self.misunderstood("a list that goes on at another host"))
    }

    /// Tells that a call ended.
    pub(super) fn observed(&self, call: &'static str, is_success: bool) {
        tracing::debug!(vault = self.host(), call, is_success, "asked");
        self.azure.observer().provider_call(call, is_success);
    }

    /// An answer that is not Key Vault's.
    pub(super) fn misunderstood(&self, message: &str) -> Error {
        Error::Unavailable {
            outage: Outage::BadAnswer,
            host: self.vault.host.clone(),
            message: message.to_owned(),
            remedy: "check for a proxy in between".to_owned(),
            after: None,
        }
    }

    /// Asks until there is an answer, or no hope of one soon; `None` where the vault has not what
    /// was asked for.
    async fn call<F>(
        &self,
        act: Act<'_>,
        ask: impl Fn() -> F,
    ) -> Result<Option<ResponseBody>, Error>
    where
        F: Future<Output = azure_core::Result<ResponseBody>>,
    {
        let question = Question {
            host: &self.vault.host,
            act,
            limit: self.azure.request_timeout(),
        };
        let mut tries = 1;
        let mut may_renew = true;
        let error = loop {
            let pass = self.gate.pass().await?;
            let asked = ask().await;
            if let Some(outcome) = outcome(asked.as_ref().err(), &question) {
                pass.ended(outcome);
            }
            let error = match asked {
                Ok(body) => return Ok(Some(body)),
                Err(error) => error,
            };
            if error.http_status() == Some(StatusCode::Unauthorized)
                && std::mem::take(&mut may_renew)
                && self.credential.give_up_tokens()
            {
                continue;
            }
            let Some(pause) = pause(&error, tries) else {
                break error;
            };
            tokio::time::sleep(pause).await;
            tries += 1;
        };
        question.refusal(&error).map_or(Ok(None), Err)
    }

    async fn get(&self, object: &Object) -> azure_core::Result<ResponseBody> {
        let Object { name, version, .. } = object;
        match object.kind {
            Kind::Secret => {
                let options = SecretClientGetSecretOptions {
                    secret_version: version.clone(),
                    ..SecretClientGetSecretOptions::default()
                };
                let answer = self.secrets.get_secret(name, Some(options)).await?;
                Ok(answer.into_body())
            }
            Kind::Key => {
                let options = KeyClientGetKeyOptions {
                    key_version: version.clone(),
                    ..KeyClientGetKeyOptions::default()
                };
                let answer = self.keys.get_key(name, Some(options)).await?;
                Ok(answer.into_body())
            }
            Kind::Certificate => {
                let options = CertificateClientGetCertificateOptions {
                    certificate_version: version.clone(),
                    ..CertificateClientGetCertificateOptions::default()
                };
                let answer = self.certificates.get_certificate(name, Some(options));
                Ok(answer.await?.into_body())
            }
        }
    }

    /// A pager for one page, so that only that page is asked for again, and that the link to the
    /// next one is seen before it is followed.
    async fn get_page(&self, kind: Kind, link: Option<Url>) -> azure_core::Result<ResponseBody> {
        let method_options = PagerOptions {
            continuation: link.map(PagerContinuation::Link),
            ..PagerOptions::default()
        };
        match kind {
            Kind::Secret => {
                let options = SecretClientListSecretPropertiesOptions {
                    method_options,
                    ..SecretClientListSecretPropertiesOptions::default()
                };
                first_page(self.secrets.list_secret_properties(Some(options))?).await
            }
            Kind::Key => {
                let options = KeyClientListKeyPropertiesOptions {
                    method_options,
                    ..KeyClientListKeyPropertiesOptions::default()
                };
                first_page(self.keys.list_key_properties(Some(options))?).await
            }
            Kind::Certificate => {
                let options = CertificateClientListCertificatePropertiesOptions {
                    method_options,
                    ..CertificateClientListCertificatePropertiesOptions::default()
                };
                let pager = self.certificates.list_certificate_properties(Some(options));
                first_page(pager?).await
            }
        }
    }
}

async fn first_page<P>(pager: Pager<P>) -> azure_core::Result<ResponseBody>
where
    P: azure_core::http::pager::Page + DeserializeOwned + Send + 'static,
{
    let page = pager.into_pages().next().await.transpose()?;
    Ok(page.map_or_else(
        || ResponseBody::from_bytes(Vec::new()),
        azure_core::http::Response::into_body,
    ))
}

impl fmt::Debug for VaultClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultClient")
            .field("vault", &self.vault)
            .finish_non_exhaustive()
    }
}
