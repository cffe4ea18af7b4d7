//! Runs the cases of the functions, and archives that others wrote.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gotemplate::{MissingKey, Options, Template};

use super::*;
use crate::pki::keys;
use crate::template::engine::FUNCTIONS;

#[derive(serde::Deserialize)]
struct Case {
    name: String,
    #[serde(default)]
    data: BTreeMap<String, String>,
    template: String,
    expect: Option<String>,
    #[serde(default)]
    error_contains: String,
}

impl Case {
    fn check(&self) -> Result<(), String> {
        match (render(&self.template, &self.data), &self.expect) {
            (Ok(output), Some(expected)) if output == expected.as_bytes() => Ok(()),
            (Err(error), None) if error.to_string().contains(&self.error_contains) => Ok(()),
            (Ok(output), expected) => Err(format!(
                "{}\n got  {:?}\n want {expected:?}",
                self.name,
                String::from_utf8_lossy(&output)
            )),
            (Err(error), expected) => Err(format!(
                "{}\n got  {error}\n want {expected:?} {}",
                self.name, self.error_contains
            )),
        }
    }
}

/// Renders as an ExternalSecret's template does.
fn render(template: &str, data: &BTreeMap<String, String>) -> Result<Vec<u8>, gotemplate::Error> {
    let options = Options {
        missing_key: MissingKey::Error,
        ..Options::default()
    };
    let template = Template::parse_with("case", template, &FUNCTIONS, &options)?;
    template.execute(&Value::string_map(data))
}

#[test]
fn the_functions_give_what_go_gives() {
    let cases = include_str!("../../../tests/template/function-cases.yaml");
    let cases: Vec<Case> = serde_saphyr::from_str(cases).unwrap();
    assert_eq!(cases.len(), 60);
    let wrong: Vec<_> = cases.iter().filter_map(|case| case.check().err()).collect();
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

fn archive(name: &str) -> BTreeMap<String, String> {
    let path = format!(
        "{}/tests/golden/fixtures/{name}",
        env!("CARGO_MANIFEST_DIR")
    );
    let archive = STANDARD.encode(std::fs::read(path).unwrap());
    BTreeMap::from([("pfx".to_owned(), archive)])
}

/// Blocks of a fixture.
fn blocks(kind: &str, name: &str) -> String {
    certificates::filter_pem(kind.as_bytes(), fixture(name).as_bytes()).unwrap()
}

fn fixture(name: &str) -> String {
    let path = format!(
        "{}/tests/golden/fixtures/{name}",
        env!("CARGO_MANIFEST_DIR")
    );
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn archives_of_key_vault_are_read() {
    let chain = blocks("CERTIFICATE", "web-chain.pem");
    for name in ["web.pfx", "web-aes.pfx"] {
        let data = archive(name);
        let certificates = render("{{ .pfx | b64dec | pkcs12cert }}", &data).unwrap();
        assert_eq!(String::from_utf8(certificates).unwrap(), chain, "{name}");
        let key = render("{{ .pfx | b64dec | pkcs12key }}", &data).unwrap();
        let key = String::from_utf8(key).unwrap();
        assert_eq!(key, blocks("PRIVATE KEY", "web-chain.pem"), "{name}");
    }
}

#[test]
fn archives_that_are_written_can_be_read() {
    for (key, password) in [
        ("key-rsa.pem", ""),
        ("key-rsa.pem", "p\u{e4}ss\u{1f600}"),
        ("web-ec.pem", "x"),
    ] {
        let chain = blocks("CERTIFICATE", "web-chain.pem");
        let data = BTreeMap::from([
            ("chain".to_owned(), chain.clone()),
            ("key".to_owned(), fixture(key)),
            ("password".to_owned(), password.to_owned()),
        ]);
        let template = "{{ $p := fullPemToPkcs12Pass .chain .key .password | b64dec }}\
            {{ pkcs12certPass .password $p }}|{{ pkcs12keyPass .password $p }}";
        let output = String::from_utf8(render(template, &data).unwrap()).unwrap();
        let (certificates, pem) = output.split_once('|').unwrap();
        assert_eq!(certificates, chain);
        let again = "{{ $p := pemToPkcs12 .chain .key | b64dec }}{{ pkcs12key $p }}";
        assert_eq!(
            String::from_utf8(render(again, &data).unwrap()).unwrap(),
            pem
        );
    }
}

#[test]
fn trust_stores_hold_certificates_of_the_same_name() {
    let root = blocks("CERTIFICATE", "web-chain.pem");
    let data = BTreeMap::from([("roots".to_owned(), root.repeat(2))]);
    for template in [
        "{{ pemTruststoreToPKCS12 .roots | b64dec | pkcs12key }}",
        "{{ pemTruststoreToPKCS12Pass .roots \"x\" | b64dec | pkcs12keyPass \"x\" }}",
        "{{ pemTruststoreToPKCS12 \"\" | b64dec | pkcs12key }}",
    ] {
        let error = render(template, &data).unwrap_err().to_string();
        assert!(error.ends_with("pkcs12: private key missing"), "{error}");
    }
}

#[test]
fn mutilated_archives_do_not_panic() {
    for name in ["web.pfx", "web-aes.pfx"] {
        let data = archive(name);
        let whole = STANDARD.decode(&data["pfx"]).unwrap();
        for at in (0..whole.len()).step_by(67) {
            let mut changed = whole.clone();
            changed[at] ^= 0x55;
            // nothing protects the parameters of the MAC, which are last
            let changed = pkcs12::key(b"", &changed);
            let cut = pkcs12::key(b"", &whole[..at]);
            assert!(cut.is_err(), "{name} cut at {at}");
            assert!(
                changed.is_err() || at + 80 > whole.len(),
                "{name} changed at {at}"
            );
        }
    }
}

#[test]
fn errors_of_functions_do_not_repeat_secrets() {
    let data = BTreeMap::from([("secret".to_owned(), "hunter2".to_owned())]);
    for call in [
        "pkcs12key .secret",
        "pkcs12certPass .secret .secret",
        "pemToPkcs12Pass .secret .secret .secret",
        "filterPEM .secret .secret",
        "filterCertChain .secret .secret",
        "certSANs .secret",
        "jwkPublicKeyPem .secret",
        "jwkPrivateKeyPem .secret",
        "rsaDecrypt .secret .secret .secret .secret",
    ] {
        let error = render(&format!("{{{{ {call} }}}}"), &data).unwrap_err();
        assert!(
            !error.redacted().contains("hunter2"),
            "{}",
            error.redacted()
        );
    }
}

#[test]
fn keys_of_all_curves_get_their_public_point() {
    // the key 1 has the curve's base point (FIPS 186-4, D.1.2)
    for (curve, x) in [
        (
            keys::Curve::P256,
            "6b17d1f2e12c4247f8bce6e563a440f277037d81",
        ),
        (
            keys::Curve::P384,
            "aa87ca22be8b05378eb1c71ef320ad746e1d3b62",
        ),
        (
            keys::Curve::P521,
            "00c6858e06b70404e9cd9e3ecb662395b4429c64",
        ),
    ] {
        let key = keys::ec_pkcs8(curve, &[0, 1]).unwrap();
        let hex = key
            .iter()
            .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        assert!(hex.contains(&format!("04{x}")), "{curve:?} {hex}");
        assert_eq!(keys::pkcs8_of(&key), Some(key), "{curve:?}");
        assert!(keys::ec_pkcs8(curve, &[0]).is_none(), "{curve:?}");
        assert!(keys::ec_pkcs8(curve, &[0xff; 80]).is_none(), "{curve:?}");
    }
}
