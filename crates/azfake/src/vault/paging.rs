//! Pages of listings: how many, from where, and the link to the next. Knows no content.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::refusal::Refusal;
use crate::exchange::Call;

const MOST: usize = 25;

/// Which part of a listing is asked for.
pub(crate) struct Page {
    pub(crate) limit: usize,
    /// Name to begin with; empty: the first.
    pub(crate) from: String,
}

impl Page {
    /// Reads `maxresults` (1 to 25) and `$skiptoken`.
    pub(crate) fn of(call: &Call) -> Result<Self, Refusal> {
        let limit = match call.parameter("maxresults") {
            None => MOST,
            Some(given) => match given.parse() {
                Ok(limit) if (1..=MOST).contains(&limit) => limit,
                _ => {
                    return Err(Refusal::BadMaxResults {
                        given: given.to_owned(),
                    });
                }
            },
        };
        let from = match call.parameter("$skiptoken") {
            None => String::new(),
            Some(token) => decode(token).ok_or(Refusal::BadSkipToken)?,
        };
        Ok(Self { limit, from })
    }

    /// The listing's document; `next` is the name that the following page begins with.
    pub(crate) fn document(&self, call: &Call, items: &[Value], next: Option<&str>) -> Value {
        let link = next.map(|name| {
            let query = form_urlencoded::Serializer::new(String::new())
                .append_pair(
                    "api-version",
                    call.parameter("api-version").unwrap_or_default(),
                )
                .append_pair("$skiptoken", &STANDARD.encode(name))
                .append_pair("maxresults", &self.limit.to_string())
                .finish();
            format!("https://{}{}?{query}", call.host, call.path)
        });
        json!({ "value": items, "nextLink": link })
    }
}

fn decode(token: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(token).ok()?).ok()
}
