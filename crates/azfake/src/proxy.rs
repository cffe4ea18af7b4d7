//! The forward proxy: CONNECT tunnels whose TLS ends here, plain requests to the metadata service, 403 for the rest.

use std::convert::Infallible;
use std::sync::Arc;

use http::{Method, Request, Response};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::upgrade::Upgraded;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio_rustls::TlsAcceptor;

use crate::cloud::{self, Site};
use crate::exchange::Reply;
use crate::imds;
use crate::service::{self, Outcome};
use crate::state::State;
use crate::tls::Authority;

/// Tells tasks to end: it does when the other side is dropped.
pub(crate) type Stop = watch::Receiver<()>;

/// Returns when the fake stops.
pub(crate) async fn stopped(mut stop: Stop) {
    while stop.changed().await.is_ok() {}
}

/// The proxy of one fake.
pub(crate) struct Proxy {
    pub(crate) state: Arc<State>,
    pub(crate) authority: Authority,
    pub(crate) stop: Stop,
}

impl Proxy {
    /// Accepts connections until the fake stops.
    pub(crate) async fn serve(self: Arc<Self>, listener: TcpListener) {
        loop {
            tokio::select! {
                () = stopped(self.stop.clone()) => return,
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => drop(tokio::spawn(Arc::clone(&self).connection(stream))),
                    Err(error) => tracing::warn!(%error, "proxy could not accept"),
                },
            }
        }
    }

    async fn connection(self: Arc<Self>, stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        let service = service_fn(|request| {
            let proxy = Arc::clone(&self);
            async move { Ok::<_, Infallible>(proxy.answer(request).await) }
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .preserve_header_case(true)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        tokio::select! {
            () = stopped(self.stop.clone()) => {}
            result = connection => if let Err(error) = result {
                tracing::debug!(%error, "proxy connection ended");
            },
        }
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<Full<Bytes>> {
        if request.method() == Method::CONNECT {
            return self.connect(request).into_response();
        }
        match request.uri().host().map(str::to_ascii_lowercase) {
            Some(host) if [imds::HOST, imds::APP_SERVICE_HOST].contains(&host.as_str()) => {
                self.metadata(&host, request).await
            }
            Some(host) => self.refuse(&host).into_response(),
            None => Reply::text(
                400,
                "text/plain",
                "azfake: this is a proxy; use it as HTTPS_PROXY",
            )
            .into_response(),
        }
    }

    /// A plain request; a service that gives no answer is a proxy's 502.
    async fn metadata(&self, host: &str, request: Request<Incoming>) -> Response<Full<Bytes>> {
        match service::answer(&self.state, &Site::Metadata, host, request).await {
            Outcome::Answer(response) => response,
            Outcome::Drop => Reply::empty(502).into_response(),
            Outcome::Hang => std::future::pending().await,
        }
    }

    fn refuse(&self, host: &str) -> Reply {
        self.state.journal.refused(host);
        tracing::warn!(host, "refused a host that azfake does not play");
        Reply::text(403, "text/plain", format!("azfake does not play {host}"))
    }

    /// Opens a tunnel: 200, or what a proxy says when it cannot.
    fn connect(self: Arc<Self>, request: Request<Incoming>) -> Reply {
        let authority = request.uri().authority();
        let host = authority
            .map(|authority| authority.host().to_ascii_lowercase())
            .unwrap_or_default();
        let port = authority.and_then(http::uri::Authority::port_u16);
        let Some(site) = cloud::site(&host).filter(|_| port == Some(443)) else {
            return self.refuse(&host);
        };
        self.state.journal.connect(&host);
        if cloud::label(&host).contains("nxdomain") {
            return Reply::text(502, "text/plain", format!("azfake: no such host: {host}"));
        }
        if let Some(status) = self.state.faults.refuses_connect(&host) {
            return Reply::text(
                status,
                "text/plain",
                format!("azfake: {host} refuses connections"),
            );
        }
        tokio::spawn(async move {
            match hyper::upgrade::on(request).await {
                Ok(upgraded) => self.tunnel(upgraded, site, host).await,
                Err(error) => tracing::debug!(%error, "no tunnel"),
            }
        });
        Reply::empty(200)
    }

    async fn tunnel(self: Arc<Self>, upgraded: Upgraded, site: Site, host: String) {
        let config = match self.authority.config(&host) {
            Ok(config) => config,
            Err(error) => return tracing::warn!(%error, host, "no certificate"),
        };
        let accept = TlsAcceptor::from(config).accept(TokioIo::new(upgraded));
        let accepted = tokio::select! {
            () = stopped(self.stop.clone()) => return,
            accepted = accept => accepted,
        };
        let stream = match accepted {
            Ok(stream) => stream,
            Err(error) => return tracing::debug!(%error, host, "TLS handshake failed"),
        };
        let _open = self.state.journal.opened(&host);
        let tunnel = Arc::new(Tunnel {
            state: Arc::clone(&self.state),
            site,
            host,
            kill: Notify::new(),
        });
        let service = service_fn(|request| Arc::clone(&tunnel).answer(request));
        let builder = auto::Builder::new(TokioExecutor::new());
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        tokio::select! {
            () = stopped(self.stop.clone()) => {}
            () = tunnel.kill.notified() => {}
            result = connection => if let Err(error) = result {
                tracing::debug!(%error, host = tunnel.host, "tunnel ended");
            },
        }
    }
}

/// A tunnel whose TLS ends here.
struct Tunnel {
    state: Arc<State>,
    site: Site,
    host: String,
    kill: Notify,
}

impl Tunnel {
    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        match service::answer(&self.state, &self.site, &self.host, request).await {
            Outcome::Answer(response) => return Ok(response),
            Outcome::Drop => self.kill.notify_one(),
            Outcome::Hang => {}
        }
        std::future::pending().await
    }
}
