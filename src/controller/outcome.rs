//! What every failed reconcile knows of itself, so that one reporter serves condition, event,
//! metric and log.

use std::error::Error as StdError;
use std::time::Duration;

use crate::kubernetes::answers;
use crate::provider::Retry;

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(7);
/// Bytes of a chain, at most: the API server names each key that it refuses, and a status has to
/// be stored.
const LONGEST_CHAIN: usize = 4096;

/// A failure that can be reported.
pub(super) trait ReconcileError: StdError {
    /// A short closed word: the beginning of the condition's message.
    fn category(&self) -> &'static str;

    /// When trying again makes sense.
    fn retry(&self) -> Retry;
}

/// The pause after the `failures`-th failure in a row: 1 s doubling to 7 min
/// (spec: external-secrets.md 0.2).
pub(super) fn backoff(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    (FIRST_PAUSE * 2_u32.pow(doublings)).min(LONGEST_PAUSE)
}

/// The error and its causes in one line of bounded length: `a: b: c`.
pub fn chain(error: &(dyn StdError + 'static)) -> String {
    let (mut text, mut source) = words(error);
    while let Some(cause) = source {
        let (cause_text, deeper) = words(cause);
        // transparent errors repeat their source's text
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = deeper;
    }
    if text.len() > LONGEST_CHAIN {
        text.truncate(text.floor_char_boundary(LONGEST_CHAIN));
        text.push_str("...");
    }
    text
}

/// The error's own text and its cause. The API server's answer has words of its own: kube adds the
/// debug form of the whole answer, twice.
fn words<'a>(
    error: &'a (dyn StdError + 'static),
) -> (String, Option<&'a (dyn StdError + 'static)>) {
    match error.downcast_ref::<kube::Error>() {
        Some(kube::Error::Api(answer)) => (answers::in_words(answer), None),
        _ => (error.to_string(), error.source()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_seven_minutes() {
        let pauses: Vec<u64> = (1..=11).map(|n| backoff(n).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 420, 420]);
        assert_eq!(backoff(u32::MAX), LONGEST_PAUSE);
    }

    #[test]
    fn a_chain_names_each_cause_once() {
        let error = anyhow::anyhow!("no route")
            .context("connect failed")
            .context("sync failed");
        assert_eq!(
            chain(error.as_ref()),
            "sync failed: connect failed: no route"
        );
    }

    #[test]
    fn a_chain_is_cut_where_it_is_too_long() {
        let error = anyhow::anyhow!("ä".repeat(LONGEST_CHAIN)).context("e");
        let text = chain(error.as_ref());
        assert!(
            text.starts_with("e: ää") && text.ends_with("ä..."),
            "{text}"
        );
        assert!(text.len() <= LONGEST_CHAIN + 3, "{}", text.len());
    }

    #[test]
    fn the_api_servers_answer_is_its_message() {
        let answer = kube::core::Status::failure("secrets \"a\" is forbidden", "Forbidden");
        let error = anyhow::Error::new(kube::Error::Api(Box::new(answer)))
            .context("could not read the target secret");
        assert_eq!(
            chain(error.as_ref()),
            "could not read the target secret: secrets \"a\" is forbidden"
        );
    }
}
