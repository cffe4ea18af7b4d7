//! Why a PKCS#12 archive cannot be read.

/// Why an archive cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("pkcs12: error reading P12 data: not an archive in DER")]
    Malformed,
    #[error("pkcs12: decryption password incorrect")]
    IncorrectPassword,
    #[error("pkcs12: no MAC in data, which is accepted with the empty password only")]
    NoMac,
    #[error("pkcs12: unsupported {0}")]
    Unsupported(&'static str),
    #[error("pkcs12: private key missing")]
    NoKey,
    #[error("pkcs12: expected exactly one key bag")]
    ManyKeys,
    #[error("pkcs12: certificate missing")]
    NoCertificate,
    #[error("pkcs12: {0}")]
    Failed(&'static str),
}

impl From<der::Error> for Error {
    fn from(_: der::Error) -> Self {
        Self::Malformed
    }
}
