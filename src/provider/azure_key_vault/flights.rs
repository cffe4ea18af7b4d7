//! One request for all who ask for the same at the same time. What it brought is theirs and is kept
//! for nobody else.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;

use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};
use parking_lot::Mutex;

type Flight<V> = Shared<BoxFuture<'static, V>>;

/// The requests on their way.
pub(super) struct SingleFlight<K, V>(Mutex<HashMap<K, Flight<V>>>);

impl<K, V> Default for SingleFlight<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash + Clone, V: Clone> SingleFlight<K, V> {
    /// What `ask` brings, or what somebody's request for the same brings that is on its way.
    pub(super) async fn join(&self, key: &K, ask: impl FnOnce() -> BoxFuture<'static, V>) -> V {
        let flight = {
            let mut flights = self.0.lock();
            let on_its_way = flights.get(key).filter(|flight| flight.peek().is_none());
            if let Some(flight) = on_its_way.cloned() {
                flight
            } else {
                let flight = ask().shared();
                flights.insert(key.clone(), flight.clone());
                flight
            }
        };
        let answer = flight.await;
        let mut flights = self.0.lock();
        if flights
            .get(key)
            .is_some_and(|flight| flight.peek().is_some())
        {
            flights.remove(key);
        }
        answer
    }
}

impl<K, V> fmt::Debug for SingleFlight<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SingleFlight").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures::future::join_all;
    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn those_who_ask_meanwhile_share_one_request_and_later_ones_do_not() {
        let flights: Arc<SingleFlight<&str, u32>> = Arc::default();
        let (asked, go) = (Arc::new(AtomicU32::new(0)), Arc::new(Notify::new()));
        let ask = || {
            let (asked, go) = (Arc::clone(&asked), Arc::clone(&go));
            async move {
                let number = asked.fetch_add(1, Ordering::Relaxed);
                go.notified().await;
                number
            }
            .boxed()
        };
        let both = join_all([flights.join(&"a", ask), flights.join(&"a", ask)]);
        let release = async {
            tokio::task::yield_now().await;
            go.notify_one();
        };
        assert_eq!(tokio::join!(both, release).0, [0, 0]);
        go.notify_one();
        assert_eq!(flights.join(&"a", ask).await, 1);
        assert!(flights.0.lock().is_empty());
    }

    #[tokio::test]
    async fn who_gives_up_leaves_the_request_to_the_others() {
        let flights: Arc<SingleFlight<&str, u32>> = Arc::default();
        let go = Arc::new(Notify::new());
        let ask = || {
            let go = Arc::clone(&go);
            async move {
                go.notified().await;
                7
            }
            .boxed()
        };
        let first = flights.join(&"a", ask);
        let mut first = Box::pin(first);
        assert!(futures::poll!(first.as_mut()).is_pending());
        let second = flights.join(&"a", || unreachable!("it is on its way"));
        drop(first);
        go.notify_one();
        assert_eq!(second.await, 7);
    }
}
