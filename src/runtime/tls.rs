//! TLS of an admin server: a certificate from files, read anew when they change, or one made at start
//! (controller-runtime, certwatcher).

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::serve::Listener;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};
use ring::digest;
use rustls::ServerConfig;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// No handshake takes longer.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// So many at a time.
const HANDSHAKES: usize = 64;
/// Names of a certificate made here.
const NAMES: [&str; 2] = ["localhost", "127.0.0.1"];

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not what it should be.
    #[error("{} holds no {what} in PEM", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// A certificate or a private key.
        what: &'static str,
        /// Why.
        source: pem::Error,
    },
    /// Certificate and key do not go together, or are of an unknown sort.
    #[error("{} and its private key cannot be served", path.display())]
    Unusable {
        /// The certificate's file.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// None could be made.
    #[error("cannot make a self-signed certificate")]
    Made(#[from] rcgen::Error),
    /// The one made here cannot be served.
    #[error("cannot serve the self-signed certificate")]
    Served(#[from] rustls::Error),
}

/// Where a certificate and its key are.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    /// The certificate, and those of the authorities between it and the root.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// The certificate that a server shows.
pub(crate) struct Certificate {
    files: Option<Files>,
    /// Hash of the files' content when it was last looked at.
    seen: Option<digest::Digest>,
    config: Arc<ServerConfig>,
}

impl Certificate {
    /// That of `files`, or one made here where there are none, or not yet.
    ///
    /// # Errors
    /// The files are there and cannot be used.
    pub(crate) async fn new(files: Option<Files>) -> Result<Self, Error> {
        let mut certificate = Self {
            config: Arc::new(self_signed()?),
            seen: None,
            files,
        };
        let found = certificate.refresh().await?;
        if let (Some(files), false) = (&certificate.files, found) {
            let file = files.certificate.display();
            tracing::warn!(%file, "no certificate or no key here yet: a self-signed one is shown");
        }
        Ok(certificate)
    }

    /// Takes up what is in the files; whether there is something.
    async fn refresh(&mut self) -> Result<bool, Error> {
        let Some(files) = &self.files else {
            return Ok(false);
        };
        let (Some(certificate), Some(key)) =
            (read(&files.certificate).await?, read(&files.key).await?)
        else {
            return Ok(false);
        };
        let mut content = digest::Context::new(&digest::SHA256);
        content.update(&certificate);
        content.update(&key);
        let content = content.finish();
        let is_known = |seen: &digest::Digest| seen.as_ref() == content.as_ref();
        if !self.seen.as_ref().is_some_and(is_known) {
            // what cannot be used is told once
            self.seen = Some(content);
            self.config = Arc::new(of_files(files, &certificate, &key)?);
        }
        Ok(true)
    }

    /// What the next connection is shown: what cannot be used leaves the last in place.
    async fn config(&mut self) -> Arc<ServerConfig> {
        if let Err(error) = self.refresh().await {
            let cause = anyhow::Error::from(error);
            tracing::warn!(
                error = format!("{cause:#}"),
                "the certificate of /metrics stays as it was"
            );
        }
        Arc::clone(&self.config)
    }
}

async fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match tokio::fs::read(path).await {
        Ok(content) => Ok(Some(content)),
        Err(source) if source.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::Read {
            path: path.to_owned(),
            source,
        }),
    }
}

fn of_files(files: &Files, certificate: &[u8], key: &[u8]) -> Result<ServerConfig, Error> {
    let no_pem = |path: &Path, what, source| Error::Pem {
        path: path.to_owned(),
        what,
        source,
    };
    let chain = CertificateDer::pem_slice_iter(certificate).collect::<Result<Vec<_>, _>>();
    let chain = chain.and_then(|chain| {
        let first = chain.first().ok_or(pem::Error::NoItemsFound).map(drop);
        first.map(|()| chain)
    });
    let chain = chain.map_err(|source| no_pem(&files.certificate, "certificate", source))?;
    let key = PrivateKeyDer::from_pem_slice(key);
    let key = key.map_err(|source| no_pem(&files.key, "private key", source))?;
    config(chain, key).map_err(|source| Error::Unusable {
        path: files.certificate.clone(),
        source,
    })
}

fn self_signed() -> Result<ServerConfig, Error> {
    let made = rcgen::generate_simple_self_signed(NAMES.map(str::to_owned))?;
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    Ok(config(vec![made.cert.into()], key)?)
}

fn config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config = config?.with_no_client_auth().with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

type Handshake = BoxFuture<'static, Option<(TlsStream<TcpStream>, SocketAddr)>>;

/// Connections by TLS. One that is slow to begin keeps no other from it.
pub(super) struct TlsListener {
    tcp: TcpListener,
    certificate: Certificate,
    handshakes: FuturesUnordered<Handshake>,
}

impl TlsListener {
    pub(super) fn new(tcp: TcpListener, certificate: Certificate) -> Self {
        Self {
            tcp,
            certificate,
            handshakes: FuturesUnordered::new(),
        }
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            tokio::select! {
                (stream, address) = Listener::accept(&mut self.tcp),
                    if self.handshakes.len() < HANDSHAKES =>
                {
                    let acceptor = TlsAcceptor::from(self.certificate.config().await);
                    let shaken = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream));
                    // whoever gives up or speaks no TLS is not worth a line
                    let shaken = shaken.map(move |shaken| Some((shaken.ok()?.ok()?, address)));
                    self.handshakes.push(shaken.boxed());
                }
                Some(shaken) = self.handshakes.next() => {
                    if let Some(connection) = shaken {
                        return connection;
                    }
                }
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A certificate of this name and its key, in PEM.
    fn pair(name: &str) -> (String, String) {
        let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    #[tokio::test]
    async fn what_the_files_hold_is_shown_once_it_is_there_and_good() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files {
            certificate: folder.path().join("tls.crt"),
            key: folder.path().join("tls.key"),
        };
        let put = |certificate: &str, key: &str| {
            std::fs::write(&files.certificate, certificate).unwrap();
            std::fs::write(&files.key, key).unwrap();
        };
        let mut shown = Certificate::new(Some(files.clone())).await.unwrap();
        let made = shown.config().await;
        assert!(Arc::ptr_eq(&made, &shown.config().await));
        let (first, second) = (pair("first"), pair("second"));
        put(&first.0, &first.1);
        let of_first = shown.config().await;
        assert!(!Arc::ptr_eq(&made, &of_first));
        // halfway through a change they do not go together
        put(&second.0, &first.1);
        assert!(shown.refresh().await.is_err());
        assert!(Arc::ptr_eq(&of_first, &shown.config().await));
        put(&second.0, &second.1);
        assert!(!Arc::ptr_eq(&of_first, &shown.config().await));
    }

    #[tokio::test]
    async fn files_that_cannot_be_used_end_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let files = Files {
            certificate: folder.path().join("a.crt"),
            key: folder.path().join("a.key"),
        };
        let (certificate, key) = pair("a");
        let other = pair("b").1;
        for (certificate, key, said) in [
            ("nothing", key.as_str(), "a.crt holds no certificate in PEM"),
            (&certificate, "nothing", "a.key holds no private key in PEM"),
            (
                &certificate,
                &other,
                "a.crt and its private key cannot be served",
            ),
        ] {
            std::fs::write(&files.certificate, certificate).unwrap();
            std::fs::write(&files.key, key).unwrap();
            let error = Certificate::new(Some(files.clone())).await.err().unwrap();
            assert!(error.to_string().ends_with(said), "{error}");
        }
    }
}
