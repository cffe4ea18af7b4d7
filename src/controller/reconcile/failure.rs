//! What every failed reconcile knows of itself, and how a failure is put into words: the condition, the
//! event and the log line say the same.

use std::error::Error;

use crate::kubernetes::answers::chain;
use crate::provider::{self, Retry};

/// A failure that can be reported.
pub trait ReconcileError: Error {
    /// A short closed word: the beginning of the condition's message.
    fn category(&self) -> &'static str;

    /// When trying again makes sense.
    fn retry(&self) -> Retry;
}

impl ReconcileError for provider::Error {
    fn category(&self) -> &'static str {
        self.category()
    }

    fn retry(&self) -> Retry {
        self.retry()
    }
}

/// A failure in words.
pub struct Failure {
    /// The closed word.
    pub category: &'static str,
    /// What failed and why, each cause once: the event's message.
    pub cause: String,
    /// The condition's message: category, `act` in ESO's words, cause.
    pub message: String,
}

impl Failure {
    /// `error`, because of which `act` (ESO's words) failed.
    pub fn new(error: &(impl ReconcileError + 'static), act: &str) -> Self {
        let (category, cause) = (error.category(), chain(error));
        Self {
            category,
            message: format!("{category}: {act}: {cause}"),
            cause,
        }
    }
}
