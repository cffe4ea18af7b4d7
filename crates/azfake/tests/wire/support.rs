//! A fake with a client that knows it by proxy and CA only.

use std::time::Duration;

use azfake::{AzFake, CLIENT, CLIENT_SECRET, Content, Control, Options, SecretContent, TENANT};
use reqwest::header::HeaderMap;
use reqwest::{Certificate, Client, ClientBuilder, Method, Proxy};
use serde_json::{Value, json};
use url::form_urlencoded;

pub(crate) const VAULT: &str = "kv.vault.azure.net";

/// An answer, read in full.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) version: reqwest::Version,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    /// `code` or `code/innercode` of an error document of the data plane.
    pub(crate) fn code(&self) -> String {
        let error = &self.json()["error"];
        let code = error["code"].as_str().unwrap_or_default().to_owned();
        match error["innererror"]["code"].as_str() {
            Some(inner) => format!("{code}/{inner}"),
            None => code,
        }
    }
}

pub(crate) struct Bed {
    pub(crate) fake: AzFake,
    pub(crate) http: Client,
}

impl Bed {
    pub(crate) async fn start() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let fake = AzFake::start(options).await.unwrap();
        let http = client(&fake.proxy_url(), fake.ca_pem()).build().unwrap();
        Self { fake, http }
    }

    pub(crate) fn control(&self) -> Control {
        self.fake.control()
    }

    pub(crate) fn seed(&self, secrets: &[(&str, &str)]) {
        let secrets = secrets.iter();
        let secrets =
            secrets.map(|(name, value)| ((*name).to_owned(), Some(SecretContent::value(*value))));
        let content = Content {
            secrets: secrets.collect(),
            ..Content::default()
        };
        self.control().seed("kv", content).unwrap();
    }

    /// Asks a vault; the path carries no `api-version`.
    pub(crate) async fn vault(
        &self,
        method: Method,
        token: &str,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        let mark = if path.contains('?') { '&' } else { '?' };
        let mut request = self.http.request(
            method,
            format!("https://{VAULT}{path}{mark}api-version=7.6"),
        );
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        send(request).await.unwrap()
    }

    /// Gets from a vault with a fresh token of the default application.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        let token = self.token().await;
        self.vault(Method::GET, &token, path, None).await
    }

    /// A token of the default application.
    pub(crate) async fn token(&self) -> String {
        self.token_of(CLIENT, CLIENT_SECRET).await
    }

    pub(crate) async fn token_of(&self, client: &str, secret: &str) -> String {
        let answer = self
            .sign_in(TENANT, &[("client_id", client), ("client_secret", secret)])
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// Asks the v2 endpoint for a token for vaults; `fields` win over what a good request has.
    pub(crate) async fn sign_in(&self, tenant: &str, fields: &[(&str, &str)]) -> Answer {
        let good = [
            ("grant_type", "client_credentials"),
            ("scope", "https://vault.azure.net/.default"),
        ];
        let missing = good
            .into_iter()
            .filter(|(name, _)| fields.iter().all(|(given, _)| given != name));
        let form: Vec<_> = missing.chain(fields.iter().copied()).collect();
        let url = format!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token");
        self.post_form(&url, &form).await
    }

    pub(crate) async fn post_form(&self, url: &str, form: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let request = self
            .http
            .post(url)
            .header("content-type", "application/x-www-form-urlencoded");
        send(request.body(body)).await.unwrap()
    }

    /// Calls the control API.
    pub(crate) async fn call(&self, method: Method, path: &str, body: Value) -> Answer {
        let direct = Client::builder().no_proxy().build().unwrap();
        let request = direct.request(method, format!("{}{path}", self.fake.control_url()));
        send(request.body(body.to_string())).await.unwrap()
    }
}

/// A client that reaches everything through a proxy and trusts one CA.
pub(crate) fn client(proxy: &str, ca_pem: &str) -> ClientBuilder {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .proxy(Proxy::all(proxy).unwrap())
        .tls_certs_only([Certificate::from_pem(ca_pem.as_bytes()).unwrap()])
        .timeout(Duration::from_secs(20))
}

pub(crate) async fn send(request: reqwest::RequestBuilder) -> reqwest::Result<Answer> {
    let response = request.send().await?;
    Ok(Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        version: response.version(),
        text: response.text().await?,
    })
}

pub(crate) fn no_body() -> Value {
    json!({})
}
