//! X.509 certificates: what a chain is ordered by, and what is told of one. Verifies nothing.

use der::Decode as _;
use x509_cert::certificate::{CertificateInner, Raw};
use x509_cert::ext::pkix::{AuthorityKeyIdentifier, SubjectKeyIdentifier};

use super::pem;

/// Why bytes are no certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not X.509 in DER.
    #[error("x509: malformed certificate")]
    Malformed,
    /// X.509 with a key identifier that is none.
    #[error("x509: malformed key identifier")]
    KeyIdentifier,
    /// Each is the issuer of another.
    #[error("no leaf certificate found")]
    NoLeaf,
    /// More than one is nobody's issuer.
    #[error("found multiple leaf or disjunct certificates")]
    ManyLeaves,
    /// They issue each other.
    #[error("constructing chain resulted in cycle")]
    Cycle,
}

/// A certificate and what its chain is ordered by.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The certificate in DER.
    pub der: Vec<u8>,
    subject_key: Vec<u8>,
    authority_key: Vec<u8>,
}

impl Certificate {
    /// Reads a certificate in DER.
    pub fn parse(der: &[u8]) -> Result<Self, Error> {
        let certificate = x509(der)?;
        let tbs = certificate.tbs_certificate();
        let malformed = |_| Error::KeyIdentifier;
        let subject = tbs
            .get_extension::<SubjectKeyIdentifier>()
            .map_err(malformed)?;
        let authority = tbs
            .get_extension::<AuthorityKeyIdentifier>()
            .map_err(malformed)?;
        let authority = authority.and_then(|(_, found)| found.key_identifier);
        Ok(Self {
            der: der.to_vec(),
            subject_key: subject
                .map(|(_, id)| id.0.into_bytes().into_vec())
                .unwrap_or_default(),
            authority_key: authority
                .map(|id| id.into_bytes().into_vec())
                .unwrap_or_default(),
        })
    }

    /// The name that the certificate is for, as RFC 4514 writes it.
    pub fn subject(&self) -> String {
        x509(&self.der).map_or_else(
            |_| String::new(),
            |it| it.tbs_certificate().subject().to_string(),
        )
    }

    /// The public key as its own algorithm writes it (PKCS#1 for RSA); empty where it is none.
    pub fn public_key(&self) -> Vec<u8> {
        x509(&self.der).map_or_else(
            |_| Vec::new(),
            |it| {
                let key = it.tbs_certificate().subject_public_key_info();
                key.subject_public_key.raw_bytes().to_vec()
            },
        )
    }

    /// The end of its life in Unix seconds; 0 where it says none.
    pub fn not_after(&self) -> u64 {
        x509(&self.der).map_or(0, |it| {
            let validity = it.tbs_certificate().validity();
            validity.not_after.to_unix_duration().as_secs()
        })
    }

    /// The certificate in PEM.
    pub fn pem(&self) -> String {
        pem::encode("CERTIFICATE", &self.der)
    }

    /// Whether the key identifiers say so.
    pub fn is_issued_by(&self, other: &Self) -> bool {
        !self.authority_key.is_empty() && self.authority_key == other.subject_key
    }

    /// Whether it names no issuer but itself.
    pub fn is_root(&self) -> bool {
        self.authority_key.is_empty() || self.authority_key == self.subject_key
    }
}

/// From leaf to root.
///
/// # Errors
/// Not each certificate but one is another's issuer.
pub fn in_order(certificates: &[Certificate]) -> Result<Vec<Certificate>, Error> {
    let parent = |i: usize| {
        let child = &certificates[i];
        (0..certificates.len()).find(|j| *j != i && child.is_issued_by(&certificates[*j]))
    };
    let parents: Vec<Option<usize>> = (0..certificates.len()).map(parent).collect();
    let mut leaves = (0..certificates.len()).filter(|i| !parents.contains(&Some(*i)));
    let leaf = leaves.next().ok_or(Error::NoLeaf)?;
    if leaves.next().is_some() {
        return Err(Error::ManyLeaves);
    }
    let mut ordered = Vec::new();
    let mut next = Some(leaf);
    while let Some(i) = next {
        if ordered.len() == certificates.len() {
            return Err(Error::Cycle);
        }
        ordered.push(certificates[i].clone());
        next = parents[i];
    }
    Ok(ordered)
}

/// The certificate as a structure.
pub fn x509(der: &[u8]) -> Result<CertificateInner<Raw>, Error> {
    CertificateInner::from_der(der).map_err(|_| Error::Malformed)
}
