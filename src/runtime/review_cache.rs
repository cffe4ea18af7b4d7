//! What the API server answered of late about who may read, so that it is not asked at each scrape: for as long
//! as controller-runtime's servers remember it (Kubernetes API, `TokenReview` and `SubjectAccessReview`). Tokens are kept as digests. Knows no
//! request.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use ring::digest;

/// Answers of one kind that are kept, at most.
const MOST: usize = 1024;

/// What was asked, as a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ReviewKey([u8; digest::SHA256_OUTPUT_LEN]);

impl ReviewKey {
    /// Of these parts, none of which has a line break.
    pub(super) fn new(parts: &[&str]) -> Self {
        let digest = digest::digest(&digest::SHA256, parts.join("\n").as_bytes());
        let mut bytes = [0; digest::SHA256_OUTPUT_LEN];
        bytes.copy_from_slice(digest.as_ref());
        Self(bytes)
    }
}

/// Answers, and until when each counts.
#[derive(Debug)]
pub(super) struct ReviewCache<T>(Arc<Mutex<HashMap<ReviewKey, (Instant, T)>>>);

impl<T> Clone for ReviewCache<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for ReviewCache<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: Clone> ReviewCache<T> {
    /// The answer that counts still.
    pub(super) fn get(&self, key: &ReviewKey, now: Instant) -> Option<T> {
        let answers = self.0.lock();
        let (until, answer) = answers.get(key)?;
        (now < *until).then(|| answer.clone())
    }

    /// Keeps an answer for so long. Where there are too many, those go first that count no more, then
    /// the one that would be the next.
    pub(super) fn keep(&self, key: ReviewKey, answer: T, period: Duration, now: Instant) {
        let mut answers = self.0.lock();
        if answers.len() >= MOST {
            answers.retain(|_, (until, _)| now < *until);
        }
        if answers.len() >= MOST {
            let first = answers.iter().min_by_key(|(_, (until, _))| *until);
            if let Some(first) = first.map(|(key, _)| *key) {
                answers.remove(&first);
            }
        }
        answers.insert(key, (now + period, answer));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_secs(30);

    #[test]
    fn an_answer_counts_for_its_time_and_for_its_question() {
        let (answers, now) = (ReviewCache::default(), Instant::now());
        let key = ReviewKey::new(&["token", "get", "/metrics"]);
        answers.keep(key, true, PERIOD, now);
        let last = PERIOD.checked_sub(Duration::from_nanos(1)).unwrap();
        assert_eq!(answers.get(&key, now + last), Some(true));
        assert_eq!(answers.get(&key, now + PERIOD), None);
        for other in [
            &["token", "get", "/"][..],
            &["token", "post", "/metrics"],
            &["other", "get", "/metrics"],
            &["token"],
        ] {
            assert_eq!(answers.get(&ReviewKey::new(other), now), None, "{other:?}");
        }
    }

    #[test]
    fn there_are_never_too_many() {
        let (answers, now) = (ReviewCache::default(), Instant::now());
        let key = |number: usize| ReviewKey::new(&[&number.to_string()]);
        let second = Duration::from_secs(1);
        for number in 0..MOST + 2 {
            let period = PERIOD + Duration::from_millis(number as u64);
            answers.keep(key(number), number, period, now);
            answers.keep(key(0), 0, second, now);
        }
        assert_eq!(answers.0.lock().len(), MOST);
        assert_eq!(answers.get(&key(MOST + 1), now), Some(MOST + 1));
        // room is made by those that count no more
        let later = now + PERIOD * 2;
        answers.keep(key(7), 7, second, later);
        assert_eq!(answers.0.lock().len(), 1);
    }
}
