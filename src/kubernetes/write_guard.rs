//! Keeps a client from writing once its process may no longer lead. Knows a deadline on the
//! monotonic clock; who leads, and why, it does not know.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use futures::FutureExt as _;
use futures::future::{BoxFuture, poll_fn};
use http::{Method, Request};
use hyper::rt::Executor;
use hyper_util::rt::TokioExecutor;
use parking_lot::Mutex;
use tower::{BoxError, Layer, Service};

/// A write was refused, or its answer came when nothing may be written any more.
#[derive(Debug, thiserror::Error)]
#[error("not written: this process does not lead")]
pub struct NotLeading;

#[derive(Clone, Copy, Debug)]
enum Permission {
    Always,
    NotYet,
    Until(Instant),
    Over,
}

impl Permission {
    fn is_open(self) -> bool {
        match self {
            Self::Always => true,
            Self::Until(deadline) => Instant::now() < deadline,
            Self::NotYet | Self::Over => false,
        }
    }
}

/// Whether this process may write. Cloning it gives another hold of the same permission.
///
/// As a layer of a client it lets reads (GET, HEAD) pass and refuses everything else while there is no
/// permission. It looks whenever a write makes progress, not only when it begins: a write that waited for
/// a connection while the process slept is not sent.
///
/// As the executor of a client it ends connections once the permission is over: a write that was handed to
/// its connection when the process fell asleep is not sent either. Reads end with them, which nobody needs
/// who has led.
#[derive(Clone, Debug)]
pub struct WriteGuard(Arc<Mutex<Permission>>);

impl WriteGuard {
    /// Writes are always permitted: there is one process only.
    pub fn open() -> Self {
        Self(Arc::new(Mutex::new(Permission::Always)))
    }

    /// Nothing may be written until [`WriteGuard::permit`].
    pub fn closed() -> Self {
        Self(Arc::new(Mutex::new(Permission::NotYet)))
    }

    /// Writes are permitted before `deadline`.
    pub fn permit(&self, deadline: Instant) {
        *self.0.lock() = Permission::Until(deadline);
    }

    /// Nothing may be written any more.
    pub fn close(&self) {
        *self.0.lock() = Permission::Over;
    }

    fn is_open(&self) -> bool {
        self.0.lock().is_open()
    }

    /// Whether there was a permission that has ended.
    fn is_over(&self) -> bool {
        let permission = *self.0.lock();
        !matches!(permission, Permission::NotYet) && !permission.is_open()
    }
}

impl<S> Layer<S> for WriteGuard {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        let guard = self.clone();
        Guarded { guard, inner }
    }
}

impl<F> Executor<F> for WriteGuard
where
    F: Future<Output = ()> + Send + 'static,
{
    /// Runs a connection until it ends or the permission is over.
    fn execute(&self, connection: F) {
        TokioExecutor::new().execute(while_not_over(self.clone(), connection));
    }
}

/// Polls `connection` unless the permission is over, which ends it.
async fn while_not_over(guard: WriteGuard, connection: impl Future<Output = ()>) {
    let mut connection = pin!(connection);
    poll_fn(|context| {
        if guard.is_over() {
            return Poll::Ready(());
        }
        connection.as_mut().poll(context)
    })
    .await;
}

/// A service behind a [`WriteGuard`].
#[derive(Debug)]
pub struct Guarded<S> {
    guard: WriteGuard,
    inner: S,
}

impl<S, B> Service<Request<B>> for Guarded<S>
where
    S: Service<Request<B>>,
    S::Error: Into<BoxError>,
    S::Response: Send + 'static,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<S::Response, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let is_read = [Method::GET, Method::HEAD].contains(request.method());
        if !is_read && !self.guard.is_open() {
            return std::future::ready(Err(NotLeading.into())).boxed();
        }
        let guard = self.guard.clone();
        let mut answer = Box::pin(self.inner.call(request));
        poll_fn(move |context| {
            if !is_read && !guard.is_open() {
                return Poll::Ready(Err(NotLeading.into()));
            }
            answer.as_mut().poll(context).map_err(Into::into)
        })
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hyper::client::conn::http1;
    use hyper_util::rt::TokioIo;
    use tokio::io::{AsyncReadExt as _, duplex};
    use tokio::sync::Notify;
    use tower::{ServiceExt as _, service_fn};

    use super::*;

    async fn ask(guard: &WriteGuard, method: Method) -> Result<(), BoxError> {
        let service = guard.layer(service_fn(async |_| Ok::<(), BoxError>(())));
        let request = Request::builder().method(method).body(()).unwrap();
        service.oneshot(request).await
    }

    #[tokio::test]
    async fn reads_always_pass_and_writes_with_permission_only() {
        let guard = WriteGuard::closed();
        let later = Instant::now() + Duration::from_mins(1);
        let mut seen = Vec::new();
        for change in [None, Some(later), Some(Instant::now())] {
            if let Some(deadline) = change {
                guard.permit(deadline);
            }
            let read = ask(&guard, Method::GET).await;
            seen.push((read.is_ok(), ask(&guard, Method::PATCH).await.is_ok()));
        }
        assert_eq!(seen, [(true, false), (true, true), (true, false)]);
        guard.permit(later);
        guard.close();
        let refused = ask(&guard, Method::POST).await.unwrap_err();
        assert!(refused.is::<NotLeading>(), "{refused}");
        assert!(ask(&WriteGuard::open(), Method::DELETE).await.is_ok());
    }

    #[tokio::test]
    async fn a_write_that_waited_past_the_deadline_is_not_sent() {
        let guard = WriteGuard::closed();
        guard.permit(Instant::now() + Duration::from_mins(1));
        let connected = Arc::new(Notify::new());
        let connecting = Arc::clone(&connected);
        let mut service = guard.layer(service_fn(move |_: Request<()>| {
            let connecting = Arc::clone(&connecting);
            async move {
                connecting.notified().await;
                Ok::<(), BoxError>(())
            }
        }));
        let request = Request::builder().method(Method::PUT).body(()).unwrap();
        let mut write = service.call(request);
        assert!(futures::poll!(&mut write).is_pending());
        guard.close();
        connected.notify_one();
        assert!(write.await.unwrap_err().is::<NotLeading>());
    }

    /// What arrives of a write that was handed to its connection before `change`.
    async fn arrives(guard: &WriteGuard, change: impl FnOnce()) -> String {
        let (ours, mut theirs) = duplex(4096);
        let (mut sender, connection) = http1::handshake(TokioIo::new(ours)).await.unwrap();
        let request = Request::put("/").body("changed".to_owned()).unwrap();
        let mut write = Box::pin(sender.send_request(request));
        assert!(futures::poll!(&mut write).is_pending());
        change();
        let connection = connection.map(|ended| ended.unwrap());
        // nobody answers: it is polled once, as by the executor, and dropped
        let connection = Box::pin(while_not_over(guard.clone(), connection));
        let _ = futures::poll!(connection);
        let mut arrived = String::new();
        theirs.read_to_string(&mut arrived).await.unwrap();
        arrived
    }

    #[tokio::test]
    async fn a_write_that_its_connection_has_not_sent_ends_with_the_permission() {
        let guard = WriteGuard::closed();
        guard.permit(Instant::now() + Duration::from_mins(1));
        let sent = arrives(&guard, || {}).await;
        assert!(sent.ends_with("changed"), "{sent}");
        let lapsed = || guard.permit(Instant::now());
        assert_eq!(arrives(&guard, lapsed).await, "");
        guard.permit(Instant::now() + Duration::from_mins(1));
        assert_eq!(arrives(&guard, || guard.close()).await, "");
    }
}
