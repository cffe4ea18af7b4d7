//! Certificates without templates: the parts of a secret that holds a certificate with its key, by
//! `property` (docs/identities.md). Pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::pki::certificate::{Certificate, in_order};
use crate::pki::encode::Der;
use crate::pki::{keys, pem, pkcs12};
use crate::secret::SecretValue;

/// A part that a consumer can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// The server's certificate, then those between it and the root.
    Chain,
    /// The private key.
    Key,
    /// The certificate to trust: the last of the chain.
    Authority,
}

/// How a vault keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Pem,
    Pkcs12,
}

/// A key with its certificates, the server's first.
struct Bundle {
    key: Option<Der>,
    chain: Vec<Certificate>,
}

/// The part of `value` that `property` names, in PEM: `tls.crt`, `tls.key` (PKCS#8) or `ca.crt`. `None`
/// where the content type is no certificate's or the value is JSON: the property is a path then.
///
/// # Errors
/// The value is not of its content type, or has no such part.
pub(super) fn part(
    value: &SecretValue,
    property: &str,
    content_type: Option<&str>,
) -> Option<Result<SecretValue, String>> {
    let wanted = match property {
        "tls.crt" => Part::Chain,
        "tls.key" => Part::Key,
        "ca.crt" => Part::Authority,
        _ => return None,
    };
    let content_type = content_type?;
    let form = match content_type.trim().to_ascii_lowercase().as_str() {
        "application/x-pem-file" => Form::Pem,
        "application/x-pkcs12" => Form::Pkcs12,
        _ => return None,
    };
    if value.expose().trim_ascii_start().starts_with(b"{") {
        return None;
    }
    let bundle = match form {
        Form::Pem => Bundle::of_pem(value.expose()),
        Form::Pkcs12 => Bundle::of_archive(value.expose()),
    };
    let found = bundle.and_then(|bundle| bundle.part(wanted));
    Some(found.map_err(|problem| {
        format!("property {property} of a value of content type {content_type}: {problem}")
    }))
}

impl Bundle {
    fn of_pem(text: &[u8]) -> Result<Self, String> {
        let (mut key, mut certificates) = (None, Vec::new());
        for block in pem::blocks(text) {
            if block.kind == b"CERTIFICATE" {
                certificates.push(block.bytes.to_vec());
            } else if block.kind.ends_with(b"PRIVATE KEY") {
                key = keys::pkcs8_of(&block.bytes);
            }
        }
        Self::new(key, &certificates)
    }

    /// Key Vault gives archives no password.
    fn of_archive(base64: &[u8]) -> Result<Self, String> {
        let archive = Zeroizing::new(STANDARD.decode(base64.trim_ascii()).map_err(|_| {
            "it is no base64; store the certificate as Key Vault does, or correct the content type"
                .to_owned()
        })?);
        let contents = pkcs12::read(&archive, b"").map_err(|error| {
            format!("{error}; store the certificate without a password, as Key Vault does")
        })?;
        Self::new(Some(contents.key), &contents.certificates)
    }

    fn new(key: Option<Der>, certificates: &[Vec<u8>]) -> Result<Self, String> {
        let parsed: Result<Vec<_>, _> = certificates
            .iter()
            .map(|der| Certificate::parse(der))
            .collect();
        let parsed = parsed.map_err(|error| error.to_string())?;
        // certificates that are no chain stay as they are
        let chain = in_order(&parsed).unwrap_or(parsed);
        if chain.is_empty() {
            return Err("it holds no certificate".to_owned());
        }
        Ok(Self { key, chain })
    }

    fn part(&self, wanted: Part) -> Result<SecretValue, String> {
        match wanted {
            Part::Chain => {
                let beyond_server = self.chain.iter().skip(1).filter(|it| !it.is_root());
                let chain = self.chain.iter().take(1).chain(beyond_server);
                Ok(SecretValue::new(
                    chain.map(Certificate::pem).collect::<String>(),
                ))
            }
            Part::Key => {
                let key = self.key.as_ref().ok_or(
                    "it holds no private key that can be read; make the certificate's key exportable",
                )?;
                Ok(SecretValue::new(pem::encode("PRIVATE KEY", key)))
            }
            Part::Authority => {
                let last = self
                    .chain
                    .last()
                    .filter(|last| self.chain.len() > 1 || last.is_root());
                let last = last.ok_or("it holds the server's certificate only")?;
                Ok(SecretValue::new(last.pem()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEM: &str = "application/x-pem-file";
    const PKCS12: &str = "application/x-pkcs12";

    /// A fixture: a chain of RSA or EC certificates with its key, as Key Vault exports it.
    fn fixture(name: &str) -> (SecretValue, &'static str) {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/fixtures/");
        let bytes = std::fs::read(format!("{path}{name}")).unwrap();
        if bytes.starts_with(b"-----BEGIN") {
            (SecretValue::new(bytes), PEM)
        } else {
            (SecretValue::new(STANDARD.encode(bytes)), PKCS12)
        }
    }

    fn chain_in_pem() -> String {
        let (value, _) = fixture("web-chain.pem");
        String::from_utf8(value.expose().to_vec()).unwrap()
    }

    fn blocks(value: &SecretValue, property: &str, content_type: &str) -> Vec<(String, Vec<u8>)> {
        let found = part(value, property, Some(content_type)).unwrap().unwrap();
        let blocks = pem::blocks(found.expose()).into_iter();
        blocks
            .map(|block| {
                let kind = String::from_utf8(block.kind.clone()).unwrap();
                (kind, block.bytes.to_vec())
            })
            .collect()
    }

    #[test]
    fn both_forms_give_the_server_first_then_its_issuers_and_a_pkcs8_key() {
        // server and intermediate; the root is for ca.crt
        for (name, certificates) in [
            ("web-chain.pem", 2),
            ("web-ec.pem", 1),
            ("web.pfx", 2),
            ("web-aes.pfx", 2),
        ] {
            let (value, content_type) = fixture(name);
            let chain = blocks(&value, "tls.crt", content_type);
            assert!(
                chain.iter().all(|(kind, _)| kind == "CERTIFICATE"),
                "{name}"
            );
            let parsed: Vec<_> = chain
                .iter()
                .map(|(_, der)| Certificate::parse(der).unwrap())
                .collect();
            assert_eq!(parsed.len(), certificates, "{name}");
            for pair in parsed.windows(2) {
                assert!(pair[0].is_issued_by(&pair[1]), "{name}");
            }
            let key = blocks(&value, "tls.key", content_type);
            assert_eq!(key.len(), 1, "{name}");
            assert_eq!(key[0].0, "PRIVATE KEY", "{name}");
            assert_eq!(
                keys::pkcs8_of(&key[0].1).as_deref(),
                Some(&key[0].1),
                "{name}"
            );
            if certificates == 1 {
                let error = part(&value, "ca.crt", Some(content_type))
                    .unwrap()
                    .unwrap_err();
                assert!(error.ends_with("the server's certificate only"), "{error}");
                continue;
            }
            let authority = blocks(&value, "ca.crt", content_type);
            let authority = Certificate::parse(&authority[0].1).unwrap();
            assert!(
                authority.is_root() && parsed[1].is_issued_by(&authority),
                "{name}"
            );
        }
    }

    #[test]
    fn the_order_in_the_file_does_not_matter() {
        let text = chain_in_pem();
        let mut turned: Vec<_> = pem::blocks(text.as_bytes())
            .iter()
            .map(pem::Block::encode)
            .collect();
        turned.reverse();
        let turned = SecretValue::new(turned.concat());
        for property in ["tls.crt", "tls.key", "ca.crt"] {
            let of = |value| part(value, property, Some(PEM)).unwrap();
            assert_eq!(
                of(&turned),
                of(&SecretValue::new(text.as_str())),
                "{property}"
            );
        }
    }

    #[test]
    fn other_values_keep_their_paths() {
        let pem = SecretValue::new(chain_in_pem());
        assert!(part(&pem, "tls.crt", None).is_none());
        assert!(part(&pem, "tls.crt", Some("text/plain")).is_none());
        assert!(part(&pem, "tls", Some(PEM)).is_none());
        let json = SecretValue::new(r#" {"tls.crt": "x"}"#);
        assert!(part(&json, "tls.crt", Some(PEM)).is_none());
    }

    #[test]
    fn what_is_not_of_its_content_type_is_told() {
        let text = |value: &str, property, content_type| {
            let value = SecretValue::new(value);
            part(&value, property, Some(content_type))
                .unwrap()
                .unwrap_err()
        };
        assert!(text("x", "tls.crt", PEM).ends_with("it holds no certificate"));
        assert!(text("%", "tls.crt", PKCS12).contains("no base64"));
        assert!(text("AAAA", "tls.crt", PKCS12).contains("not an archive"));
        let chain = chain_in_pem();
        let without_key: String = pem::blocks(chain.as_bytes())
            .iter()
            .filter(|block| block.kind == b"CERTIFICATE")
            .map(pem::Block::encode)
            .collect();
        assert!(text(&without_key, "tls.key", PEM).contains("no private key"));
    }
}
