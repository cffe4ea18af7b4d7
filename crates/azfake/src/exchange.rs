//! One request and one answer inside the fake, free of any HTTP library's body types.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Response, StatusCode};
use http_body_util::Full;
use serde_json::Value;
use url::form_urlencoded;

/// A request, read in full.
pub(crate) struct Call {
    pub(crate) method: Method,
    /// Host name of the tunnel or of the absolute URL, in lower case, without port.
    pub(crate) host: String,
    pub(crate) path: String,
    /// Decoded query parameters in their order.
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Call {
    /// The first value of a query parameter; its name is compared without case.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let found = self
            .query
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The bearer token, if the request has one.
    pub(crate) fn bearer(&self) -> Option<&str> {
        let value = self
            .headers
            .get(http::header::AUTHORIZATION)?
            .to_str()
            .ok()?;
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    }

    /// Path and query as the log shows them: without `api-version`, unknown values masked.
    pub(crate) fn logged_path(&self) -> String {
        const SHOWN: [&str; 6] = [
            "maxresults",
            "$skiptoken",
            "resource",
            "client_id",
            "written",
            "since",
        ];
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (key, value) in &self.query {
            if !key.eq_ignore_ascii_case("api-version") {
                let shown = SHOWN.contains(&key.as_str());
                query.append_pair(key, if shown { value } else { "***" });
            }
        }
        match query.finish() {
            query if query.is_empty() => self.path.clone(),
            query => format!("{}?{query}", self.path),
        }
    }
}

/// Decodes a query string or a form.
pub(crate) fn pairs(encoded: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(encoded).into_owned().collect()
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(HeaderName, String)>,
    pub(crate) body: Bytes,
}

impl Reply {
    /// A JSON document.
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::text(status, "application/json; charset=utf-8", body.to_string())
    }

    /// A text of any media type.
    pub(crate) fn text(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers: vec![(CONTENT_TYPE, content_type.to_owned())],
            body: body.into(),
        }
    }

    /// No content.
    pub(crate) fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Bytes::new(),
        }
    }

    /// Adds a header; one that HTTP cannot carry is left out.
    pub(crate) fn with(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The answer as hyper sends it.
    pub(crate) fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.body));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().append(name, value);
            }
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_shows_paging_and_masks_the_rest() {
        let call = Call {
            method: Method::GET,
            host: "kv.vault.azure.net".into(),
            path: "/secrets".into(),
            query: pairs(b"api-version=7.6&%24skiptoken=aQ%3D%3D&maxresults=5&client_secret=x"),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        };
        assert_eq!(
            call.logged_path(),
            "/secrets?%24skiptoken=aQ%3D%3D&maxresults=5&client_secret=***"
        );
        assert_eq!(call.parameter("API-Version"), Some("7.6"));
    }
}
