//! Every entry of the spec that could not be read, for the status; the condition reports the first.

use std::fmt;

use crate::api::external_secret::RemoteError;
use crate::controller::reconcile::failure::ReconcileError;
use crate::controller::store;
use crate::kubernetes::answers::chain;
use crate::provider::{self, Retry};

use super::read_error::{ReadError, ReadFailure};

/// Entries that a status lists.
const MOST: usize = 20;
/// Bytes of one message.
const LONGEST: usize = 512;

/// What could not be read: never empty.
#[derive(Debug)]
pub struct Failures {
    first: Box<ReadError>,
    others: Vec<ReadError>,
}

impl Failures {
    /// The failures in the order of the spec; `None` where there are none.
    pub fn new(errors: Vec<ReadError>) -> Option<Self> {
        let mut errors = errors.into_iter();
        Some(Self {
            first: Box::new(errors.next()?),
            others: errors.collect(),
        })
    }

    /// Nothing failed but that stores are new, of which nobody can say whether they are valid.
    pub fn is_about_new_stores(&self) -> bool {
        self.all().all(|error| {
            let cause = &error.cause;
            matches!(
                cause,
                ReadFailure::Store(store::Error::NotReady { is_new: true, .. })
            )
        })
    }

    /// What the status says of each.
    pub fn told(&self) -> Vec<RemoteError> {
        self.all().take(MOST).map(told).collect()
    }

    fn all(&self) -> impl Iterator<Item = &ReadError> {
        std::iter::once(&*self.first).chain(&self.others)
    }
}

impl From<ReadError> for Failures {
    fn from(error: ReadError) -> Self {
        Self {
            first: Box::new(error),
            others: Vec::new(),
        }
    }
}

impl fmt::Display for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first.fmt(f)
    }
}

impl std::error::Error for Failures {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.first.source()
    }
}

impl ReconcileError for Failures {
    fn category(&self) -> &'static str {
        self.first.category()
    }

    fn retry(&self) -> Retry {
        self.first.retry()
    }
}

fn told(error: &ReadError) -> RemoteError {
    let detail = match &error.cause {
        ReadFailure::Provider(error) | ReadFailure::Find(error) => error.detail(),
        ReadFailure::Missing { .. } => provider::Detail {
            http_status: Some(404),
            ..provider::Detail::default()
        },
        ReadFailure::Store(_) => provider::Detail::default(),
    };
    let mut message = chain(&error.cause);
    if message.len() > LONGEST {
        message.truncate(message.floor_char_boundary(LONGEST));
        message.push_str("...");
    }
    RemoteError {
        entry: error.place.clone(),
        reason: error.category().to_owned(),
        code: detail.code,
        http_status: detail.http_status,
        request_id: detail.request_id,
        message,
        remedy: detail.remedy,
    }
}

/// `new`, with the request ids of `old` where nothing else differs: a request id alone is no news.
pub fn with_known_requests(mut new: Vec<RemoteError>, old: &[RemoteError]) -> Vec<RemoteError> {
    for error in &mut new {
        let same = old.iter().find(|before| {
            let known = RemoteError {
                request_id: before.request_id.clone(),
                ..error.clone()
            };
            known == **before
        });
        if let Some(before) = same {
            error.request_id.clone_from(&before.request_id);
        }
    }
    new
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controller::index::StoreKey;

    fn denied(index: usize, request: &str) -> ReadError {
        ReadError {
            place: format!("spec.data[{index}] (key: k)"),
            cause: ReadFailure::Provider(provider::Error::Denied {
                code: "SecretDisabled".to_owned(),
                object: "secret \"k\"".to_owned(),
                message: "Operation get is not allowed on a disabled secret.".to_owned(),
                remedy: "enable the secret".to_owned(),
                request_id: Some(request.into()),
                fault: None,
            }),
        }
    }

    #[test]
    fn each_entry_is_told_with_code_status_request_and_remedy() {
        let missing = ReadError {
            place: "spec.data[1] (key: m)".to_owned(),
            cause: ReadFailure::Missing {
                key: "m".to_owned(),
                store: StoreKey::Cluster {
                    name: "kv".to_owned(),
                },
            },
        };
        let failures = Failures::new(vec![denied(0, "r1"), missing]).unwrap();
        assert_eq!(failures.category(), "AccessDenied");
        let told = failures.told();
        assert_eq!(told[0].code.as_deref(), Some("SecretDisabled"));
        assert_eq!(told[0].http_status, Some(403));
        assert_eq!(told[0].request_id.as_deref(), Some("r1"));
        assert_eq!(told[0].remedy.as_deref(), Some("enable the secret"));
        assert_eq!(told[1].reason, "SecretNotFound");
        assert_eq!((told[1].http_status, &told[1].code), (Some(404), &None));
        assert!(Failures::new(Vec::new()).is_none());
    }

    #[test]
    fn only_stores_without_a_verdict_are_waited_for() {
        let of_store = |is_new| ReadError {
            place: "spec.data[0] (key: k)".to_owned(),
            cause: ReadFailure::Store(store::Error::NotReady {
                store: StoreKey::Cluster {
                    name: "kv".to_owned(),
                },
                is_new,
            }),
        };
        let waits = |errors| Failures::new(errors).unwrap().is_about_new_stores();
        assert!(waits(vec![of_store(true), of_store(true)]));
        assert!(!waits(vec![of_store(true), of_store(false)]));
        assert!(!waits(vec![of_store(true), denied(1, "r1")]));
    }

    #[test]
    fn a_list_is_bounded_and_another_request_of_the_same_failure_is_no_news() {
        let many = (0..30).map(|index| denied(index, "r1")).collect();
        let before = Failures::new(many).unwrap().told();
        assert_eq!(before.len(), MOST);
        let again = Failures::new(vec![denied(0, "r2"), denied(40, "r3")]).unwrap();
        let after = with_known_requests(again.told(), &before);
        assert_eq!(after[0], before[0]);
        assert_eq!(after[1].request_id.as_deref(), Some("r3"));
    }
}
