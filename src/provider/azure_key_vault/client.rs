//! Asks one vault as one identity, with the few tries that are worth it. Knows what is asked, not
//! for what.

use std::fmt;
use std::sync::Arc;

use azure_core::http::response::ResponseBody;
use azure_core::http::{StatusCode, Url};
use futures::FutureExt as _;

use super::answer::{Request, outcome, pause};
use super::config::Vault;
use super::document::{Document, Page};
use super::flights::SingleFlight;
use super::gate::Gate;
use super::object::{Object, ObjectKind};
use super::operation::Operation;
use super::rest::Rest;
use crate::azure::Azure;
use crate::azure::token::Credential;
use crate::provider::{Error, Outage};

/// One vault, one identity.
pub(super) struct VaultClient {
    azure: Arc<Azure>,
    vault: Vault,
    rest: Rest,
    credential: Arc<Credential>,
    gate: Arc<Gate>,
    flights: SingleFlight<Object, Answer>,
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
        Ok(Self {
            rest: Rest::new(&azure, &vault, Arc::clone(&credential))?,
            azure,
            vault,
            credential,
            gate,
            flights: SingleFlight::default(),
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
        let operation = Operation::Get(object);
        let body = self.call(operation, None).await;
        let document = body.and_then(|body| self.parse(body.as_deref()));
        // a missing object counts as an error: so it does in ESO's metric
        self.observed(operation.call(), matches!(document, Ok(Some(_))));
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
    pub(super) async fn page(&self, kind: ObjectKind, link: Option<Url>) -> Result<Page, Error> {
        let body = self.call(Operation::List(kind), link);
        let page = body
            .await?
            .and_then(|body| serde_json::from_slice(&body).ok());
        let unreadable = || format!("the list of {} cannot be understood", kind.collection());
        page.ok_or_else(|| self.misunderstood(&unreadable()))
    }

    /// The link to a further page, where it leads to this vault: a token goes nowhere else.
    pub(super) fn own_link(&self, link: &str) -> Result<Url, Error> {
        self.rest
            .own_link(link)
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
    async fn call(
        &self,
        operation: Operation<'_>,
        link: Option<Url>,
    ) -> Result<Option<ResponseBody>, Error> {
        let request = Request {
            host: &self.vault.host,
            operation,
            limit: self.azure.request_timeout(),
        };
        let mut tries = 1;
        let mut may_renew = true;
        let error = loop {
            let permit = self.gate.permit().await?;
            let asked = self.rest.send(operation, link.clone()).await;
            if let Some(outcome) = outcome(asked.as_ref().err(), &request) {
                permit.ended(outcome);
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
        request.refusal(&error).map_or(Ok(None), Err)
    }
}

impl fmt::Debug for VaultClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultClient")
            .field("vault", &self.vault)
            .finish_non_exhaustive()
    }
}
