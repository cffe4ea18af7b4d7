//! Certificates in PEM: filtering blocks, ordering chains, alternative names. Knows X.509
//! identifiers; verifies nothing.

use std::net::{Ipv4Addr, Ipv6Addr};

use gotemplate::{CallError, Value};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use crate::pki::certificate::{self, Certificate};
use crate::pki::pem;

/// A certificate, or what a template is told.
pub(super) fn parse(der: &[u8]) -> Result<Certificate, CallError> {
    Certificate::parse(der).map_err(|error| CallError::new(error.to_string()))
}

/// The certificates in PEM.
pub(super) fn to_pem(certificates: &[Certificate]) -> String {
    certificates.iter().map(Certificate::pem).collect()
}

/// From leaf to root.
pub(super) fn in_order(certificates: &[Certificate]) -> Result<Vec<Certificate>, CallError> {
    certificate::in_order(certificates).map_err(|error| CallError::new(error.to_string()))
}

/// `filterCertChain`: the `leaf`, `intermediate` or `root` certificates.
pub(super) fn filter_chain(wanted: &[u8], text: &[u8]) -> Result<String, CallError> {
    let blocks = pem::blocks(text);
    let certificates: Result<Vec<_>, _> = blocks.iter().map(|block| parse(&block.bytes)).collect();
    let chain = in_order(&certificates?)?;
    let selected = match wanted {
        b"leaf" => &chain[..1],
        b"intermediate" => {
            let root = chain.iter().skip(1).position(Certificate::is_root);
            &chain[1..root.map_or(chain.len(), |at| at + 1)]
        }
        b"root" => &chain[chain.len() - 1..],
        _ => &[],
    };
    let is_wanted = |certificate: &&Certificate| match wanted {
        b"leaf" => !certificate.is_root(),
        b"root" => certificate.is_root(),
        _ => true,
    };
    Ok(selected
        .iter()
        .filter(is_wanted)
        .map(Certificate::pem)
        .collect())
}

/// `filterPEM`: the blocks of a type.
pub(super) fn filter_pem(kind: &[u8], text: &[u8]) -> Result<String, CallError> {
    let mut rest = pem::without_leading_junk(text);
    let mut kept = String::new();
    while let Some((block, after)) = pem::next(rest) {
        rest = after;
        if block.kind.eq_ignore_ascii_case(kind) {
            kept.push_str(&block.encode());
        }
    }
    if kept.is_empty() && !rest.is_empty() {
        return Err(CallError::new("error filtering pem: found junk"));
    }
    Ok(kept)
}

/// `certSANs`: DNS names, addresses, e-mail addresses and URIs of the first certificate.
pub(super) fn sans(text: &[u8]) -> Result<Value, CallError> {
    let (block, _) = pem::next(pem::without_leading_junk(text))
        .ok_or_else(|| CallError::new("failed to decode PEM block"))?;
    let failed = |why: &str| CallError::new(format!("failed to parse certificate: {why}"));
    let certificate =
        certificate::x509(&block.bytes).map_err(|error| failed(&error.to_string()))?;
    let names = certificate
        .tbs_certificate()
        .get_extension::<SubjectAltName>();
    let names = names.map_err(|_| failed("x509: malformed subject alternative names"))?;
    let names = names.map(|(_, names)| names.0).unwrap_or_default();
    let of = |select: fn(&GeneralName) -> Option<String>| names.iter().filter_map(select);
    let texts = of(dns_name)
        .chain(of(address))
        .chain(of(email))
        .chain(of(uri));
    Ok(Value::strings(texts))
}

fn dns_name(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DnsName(name) => Some(name.to_string()),
        _ => None,
    }
}

fn email(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::Rfc822Name(name) => Some(name.to_string()),
        _ => None,
    }
}

fn uri(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::UniformResourceIdentifier(name) => Some(name.to_string()),
        _ => None,
    }
}

fn address(name: &GeneralName) -> Option<String> {
    let GeneralName::IpAddress(bytes) = name else {
        return None;
    };
    if let Ok(v4) = <[u8; 4]>::try_from(bytes.as_bytes()) {
        return Some(Ipv4Addr::from(v4).to_string());
    }
    let v6 = Ipv6Addr::from(<[u8; 16]>::try_from(bytes.as_bytes()).ok()?);
    Some(
        v6.to_ipv4_mapped()
            .map_or_else(|| v6.to_string(), |v4| v4.to_string()),
    )
}
