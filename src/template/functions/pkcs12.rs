//! PKCS#12 archives: what the template functions make of them. Does not know their structure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gotemplate::CallError;

use super::certificates;
use crate::pki::certificate::Certificate;
use crate::pki::{keys, pem, pkcs12};

/// `pkcs12key`: the private key as PKCS#8.
pub(super) fn key(password: &[u8], archive: &[u8]) -> Result<String, CallError> {
    let contents = pkcs12::read(archive, password).map_err(|error| {
        CallError::new(format!("unable to decode pkcs12 with password: {error}"))
    })?;
    Ok(pem::encode("PRIVATE KEY", &contents.key))
}

/// `pkcs12cert`: the certificates, from leaf to root where they are one chain.
pub(super) fn certificates(password: &[u8], archive: &[u8]) -> Result<String, CallError> {
    let failed = |why: &dyn std::fmt::Display| {
        CallError::new(format!(
            "unable to decode pkcs12 certificate with password: {why}"
        ))
    };
    let contents = pkcs12::read(archive, password).map_err(|error| failed(&error))?;
    let parsed = contents
        .certificates
        .iter()
        .map(|der| certificates::parse(der));
    let in_file_order: Vec<_> = parsed
        .collect::<Result<_, _>>()
        .map_err(|error| failed(&error))?;
    let ordered = certificates::in_order(&in_file_order).unwrap_or(in_file_order);
    Ok(certificates::to_pem(&ordered))
}

/// `pemToPkcs12`: an archive of the first certificate and the key, in base64.
pub(super) fn from_pem(
    certificate: &[u8],
    key: &[u8],
    password: &[u8],
) -> Result<String, CallError> {
    let (block, _) = pem::next(certificate).ok_or_else(|| no_pem("certificate"))?;
    archive(&[certificates::parse(&block.bytes)?], key, password)
}

/// `fullPemToPkcs12`: an archive of the certificates, the leaf first, and the key, in base64.
pub(super) fn from_full_pem(
    chain: &[u8],
    key: &[u8],
    password: &[u8],
) -> Result<String, CallError> {
    let chain = all_certificates(chain)?;
    if chain.is_empty() {
        return Err(no_pem("certificate"));
    }
    archive(&chain, key, password)
}

/// `pemTruststoreToPKCS12`: an archive of certificates that Java trusts, in base64.
pub(super) fn trust_store(certificates: &[u8], password: &[u8]) -> Result<String, CallError> {
    let certificates = all_certificates(certificates)?;
    let archive = pkcs12::trust_store(&certificates, password).map_err(|error| failed(&error))?;
    Ok(STANDARD.encode(&*archive))
}

fn archive(chain: &[Certificate], key: &[u8], password: &[u8]) -> Result<String, CallError> {
    let (block, _) = pem::next(key).ok_or_else(|| no_pem("private key"))?;
    let key = keys::pkcs8_of(&block.bytes)
        .ok_or_else(|| CallError::new("unable to parse private key type"))?;
    let archive = pkcs12::archive(chain, &key, password).map_err(|error| failed(&error))?;
    Ok(STANDARD.encode(&*archive))
}

/// The certificates of a text that holds nothing else after the first.
fn all_certificates(text: &[u8]) -> Result<Vec<Certificate>, CallError> {
    let mut rest = text;
    let mut found = Vec::new();
    while !rest.trim_ascii().is_empty() {
        let (block, after) = pem::next(rest).ok_or_else(|| no_pem("certificate"))?;
        found.push(certificates::parse(&block.bytes)?);
        rest = after;
    }
    Ok(found)
}

fn failed(error: &pkcs12::Error) -> CallError {
    CallError::new(error.to_string())
}

fn no_pem(what: &str) -> CallError {
    CallError::new(format!("failed to decode PEM block of the {what}"))
}
