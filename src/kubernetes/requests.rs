//! Counts what a client asks the API server, as client-go does: `rest_client_requests_total` (client-go's metrics). Knows no kind.

use std::task::{Context, Poll};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::{Request, Response, Uri};
use tower::{Layer, Service};

use crate::telemetry::RequestMetrics;

/// A layer that counts each request once it is answered, or not.
#[derive(Clone, Debug)]
pub struct CountRequests {
    metrics: RequestMetrics,
    host: String,
}

impl CountRequests {
    /// Counts what goes to `server`: requests do not name it yet where a layer sees them.
    pub fn new(metrics: RequestMetrics, server: &Uri) -> Self {
        let host = server
            .authority()
            .map_or("", |authority| authority.as_str());
        Self {
            metrics,
            host: host.to_owned(),
        }
    }
}

impl<S> Layer<S> for CountRequests {
    type Service = Counted<S>;

    fn layer(&self, inner: S) -> Counted<S> {
        let counts = self.clone();
        Counted { counts, inner }
    }
}

/// A service whose requests are counted.
#[derive(Clone, Debug)]
pub struct Counted<S> {
    counts: CountRequests,
    inner: S,
}

impl<S, B, A> Service<Request<B>> for Counted<S>
where
    S: Service<Request<B>, Response = Response<A>>,
    S::Error: Send + 'static,
    S::Future: Send + 'static,
    A: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let CountRequests { metrics, host } = self.counts.clone();
        let method = request.method().clone();
        let answer = self.inner.call(request);
        async move {
            let answer = answer.await;
            let code = answer.as_ref().ok().map(|answer| answer.status().as_u16());
            metrics.answered(code, method.as_str(), &host);
            answer
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use tower::{ServiceExt as _, service_fn};

    use super::*;
    use crate::telemetry::Metrics;

    #[tokio::test]
    async fn each_request_counts_by_its_answer() {
        let metrics = Metrics::new().unwrap();
        let server = Uri::from_static("https://10.96.0.1:443/");
        let counts = CountRequests::new(metrics.requests.clone(), &server);
        for (method, code) in [("GET", 200), ("GET", 200), ("PUT", 409), ("GET", 0)] {
            let service = counts.layer(service_fn(move |_: Request<()>| async move {
                let answer = Response::builder().status(code).body(());
                answer.map_err(|_| "no answer")
            }));
            let request = Request::builder().method(method).uri("/api").body(());
            let answer = service.oneshot(request.unwrap()).await;
            assert_eq!(answer.is_ok(), code != 0);
        }
        let text = metrics.render().unwrap();
        for line in [
            r#"rest_client_requests_total{code="200",host="10.96.0.1:443",method="GET"} 2"#,
            r#"rest_client_requests_total{code="409",host="10.96.0.1:443",method="PUT"} 1"#,
            r#"rest_client_requests_total{code="<error>",host="10.96.0.1:443",method="GET"} 1"#,
        ] {
            assert!(text.lines().any(|have| have == line), "{line}:\n{text}");
        }
    }
}
