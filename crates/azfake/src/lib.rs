//! A fake Azure in one process: Entra ID and Key Vault behind a forward proxy, under their real host names.
//!
//! A program is pointed at it by `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY` and `SSL_CERT_FILE` alone
//! ([`AzFake::environment`]); nothing in its configuration says that it is a test. What the fake holds and how it
//! misbehaves is set through [`Control`], or over HTTP (the same calls, see README.md).
//! It knows nothing of Kubernetes and nothing of the operator.

mod cloud;
mod control;
mod entra;
mod exchange;
mod fault;
mod imds;
mod journal;
mod proxy;
mod seed;
mod service;
mod state;
mod tls;
mod vault;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;

pub use control::{Control, SecretDump, VaultDump};
pub use entra::{App, CLIENT, CLIENT_SECRET, EXPIRED_SECRET, Jwk, Jwks, TENANT};
pub use fault::Fault;
pub use imds::IDENTITY_HEADER;
pub use journal::{Connections, Counters, LoggedRequest};
pub use seed::{CertificateContent, Content, KeyContent, SecretContent};

use proxy::Proxy;
use state::State;
use tls::Authority;
use vault::store::Clock;

/// How a fake is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// Issuer of the cluster's ServiceAccount tokens, for federated sign-in.
    pub sa_issuer: Option<String>,
    /// Port of the proxy on 127.0.0.1; 0: a free one.
    pub proxy_port: u16,
    /// Port of the control API on 127.0.0.1; 0: a free one.
    pub control_port: u16,
    /// Directory with the key and certificate fixtures of the golden cases.
    pub fixtures: Option<PathBuf>,
    /// Objects carry the real time; else 2025-01-01T00:00:00Z plus a minute per version, as golden cases expect.
    pub real_clock: bool,
    /// How many requests the log keeps.
    pub log_capacity: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            sa_issuer: None,
            proxy_port: 0,
            control_port: 0,
            fixtures: None,
            real_clock: false,
            log_capacity: 200_000,
        }
    }
}

/// A running fake. It runs on the tokio runtime that started it and stops when dropped.
pub struct AzFake {
    control: Control,
    proxy: SocketAddr,
    http: SocketAddr,
    ca_pem: String,
    _stop: watch::Sender<()>,
}

impl AzFake {
    /// Starts the proxy and the control API on loopback.
    ///
    /// # Errors
    /// A port that cannot be bound, or a certificate authority that cannot be made.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let Options {
            sa_issuer,
            proxy_port,
            control_port,
            fixtures,
            real_clock,
            log_capacity,
        } = options;
        let clock = if real_clock {
            Clock::Real
        } else {
            Clock::Golden
        };
        let state = Arc::new(State::new(sa_issuer, fixtures, clock, log_capacity));
        let authority = Authority::new()?;
        let ca_pem = authority.pem().to_owned();
        let (proxy_listener, proxy) = bind(proxy_port).await?;
        let (control_listener, http) = bind(control_port).await?;
        let (sender, stop) = watch::channel(());
        let control = Control::new(Arc::clone(&state));
        let server = control::http::Server {
            control: control.clone(),
            ca_pem: ca_pem.clone(),
            stop: stop.clone(),
        };
        tokio::spawn(
            Arc::new(Proxy {
                state,
                authority,
                stop,
            })
            .serve(proxy_listener),
        );
        tokio::spawn(Arc::new(server).serve(control_listener));
        Ok(Self {
            control,
            proxy,
            http,
            ca_pem,
            _stop: sender,
        })
    }

    /// The handle that sets content and faults and reads log and counters.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// `http://127.0.0.1:PORT` of the forward proxy.
    pub fn proxy_url(&self) -> String {
        format!("http://{}", self.proxy)
    }

    /// `http://127.0.0.1:PORT` of the control API.
    pub fn control_url(&self) -> String {
        format!("http://{}", self.http)
    }

    /// The CA certificate that clients must trust, PEM.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The environment that points a program at the fake; `ca_file` is where the caller wrote [`AzFake::ca_pem`].
    pub fn environment(&self, ca_file: &Path) -> Vec<(String, String)> {
        [
            ("HTTPS_PROXY", self.proxy_url()),
            ("HTTP_PROXY", self.proxy_url()),
            (
                "NO_PROXY",
                "127.0.0.1,localhost,.svc,10.0.0.0/24".to_owned(),
            ),
            ("SSL_CERT_FILE", ca_file.display().to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}

async fn bind(port: u16) -> Result<(TcpListener, SocketAddr), Error> {
    let bound = async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    bound.await.map_err(|source| Error::Bind { port, source })
}

/// Why a fake cannot start or a seed cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The loopback port is taken or forbidden.
    #[error("failed to listen on 127.0.0.1:{port}")]
    Bind {
        /// The port asked for.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// No certificate authority.
    #[error("failed to make the certificate authority")]
    Authority {
        /// What the certificate library said.
        source: rcgen::Error,
    },
    /// No certificate for a host name.
    #[error("failed to make a certificate for {host}")]
    Leaf {
        /// The host name.
        host: String,
        /// What the certificate library said.
        source: rcgen::Error,
    },
    /// A certificate that TLS does not take.
    #[error("failed to set up TLS for {host}")]
    Tls {
        /// The host name.
        host: String,
        /// What the TLS library said.
        source: rustls::Error,
    },
    /// A fixture that is not there.
    #[error("failed to read fixture {path}; is the fixtures directory given?")]
    ReadFixture {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A fixture that is unknown or of another form.
    #[error("failed to use fixture {name}")]
    Fixture {
        /// Fixture, key type or file name.
        name: String,
    },
}
