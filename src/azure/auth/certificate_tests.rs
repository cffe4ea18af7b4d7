//! Tests of `certificate`: the forms that are read, and what is told of those that are not.

use super::*;

const PASSWORD: &[u8] = b"s3cret \xc3\xa9";

/// Bytes, password, and words of the refusal.
type Case<'a> = (Vec<u8>, Option<&'a [u8]>, &'a str);

fn fixture(name: &str) -> Vec<u8> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/fixtures");
    std::fs::read(format!("{directory}/{name}")).unwrap()
}

/// Key and chain of the web server's archive.
fn archive() -> pkcs12::Contents {
    pkcs12::read(&fixture("web.pfx"), b"").unwrap()
}

fn chain() -> Vec<Certificate> {
    let certificates = archive().certificates;
    let parsed = certificates.iter().map(|der| Certificate::parse(der));
    parsed.collect::<Result<_, _>>().unwrap()
}

fn refused(bytes: &[u8], password: Option<&[u8]>) -> String {
    ClientKey::parse(bytes, password).unwrap_err().to_string()
}

#[test]
fn every_form_gives_the_same_key_with_its_certificate_first() {
    let contents = archive();
    let want = ClientKey::parse(&fixture("web.pfx"), None).unwrap();
    assert_eq!(want.chain.len(), contents.certificates.len());
    let pkcs1 = pem::encode("RSA PRIVATE KEY", keys::pkcs1_of(&contents.key).unwrap());
    let pkcs8 = pem::encode("PRIVATE KEY", &contents.key);
    let hidden = pkcs12::encrypt_key(&contents.key, PASSWORD).unwrap();
    let hidden = pem::encode("ENCRYPTED PRIVATE KEY", &hidden);
    let mut certificates: Vec<String> = chain().iter().map(Certificate::pem).collect();
    certificates.reverse();
    let backwards = certificates.concat();
    let sealed = pkcs12::archive(&chain(), &contents.key, PASSWORD).unwrap();
    let forms: [(Vec<u8>, Option<&[u8]>); 7] = [
        (format!("{pkcs1}{backwards}").into(), None),
        (format!("text\n{backwards}{pkcs8}\n").into(), None),
        // the password of what is not encrypted is not looked at
        (format!("{backwards}{pkcs8}").into(), Some(PASSWORD)),
        (format!("{hidden}{backwards}").into(), Some(PASSWORD)),
        (sealed.to_vec(), Some(PASSWORD)),
        (
            format!("{}\n", STANDARD.encode(&*sealed)).into(),
            Some(PASSWORD),
        ),
        (fixture("web-aes.pfx"), None),
    ];
    for (i, (bytes, password)) in forms.iter().enumerate() {
        let key = ClientKey::parse(bytes, *password).unwrap();
        assert_eq!(key.thumbprint().len(), 40, "form {i}");
        assert!(key.sign(b"x").is_some(), "form {i}");
        if i < 6 {
            assert_eq!(key.thumbprint(), want.thumbprint(), "form {i}");
            assert_eq!(key.sign(b"x"), want.sign(b"x"), "form {i}");
        }
    }
}

/// A key block of OpenSSL's old encryption; its content is never looked at.
fn in_openssls_old_form() -> String {
    let headers = "-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n";
    pem::encode("RSA PRIVATE KEY", &[0; 3]).replacen("-----\n", headers, 1)
}

#[test]
fn what_cannot_sign_in_says_why() {
    let contents = archive();
    let certificates: String = chain().iter().map(Certificate::pem).collect();
    let key = pem::encode("PRIVATE KEY", &contents.key);
    let other = String::from_utf8(fixture("key-rsa.pem")).unwrap();
    let sealed = pkcs12::archive(&chain(), &contents.key, PASSWORD).unwrap();
    let hidden = pkcs12::encrypt_key(&contents.key, PASSWORD).unwrap();
    let hidden = pem::encode("ENCRYPTED PRIVATE KEY", &hidden) + &certificates;
    let old = in_openssls_old_form();
    let cases: [Case; 12] = [
        (
            b"fake-client-secret".into(),
            None,
            "no certificate found in PEM file",
        ),
        (key.clone().into(), None, "no certificate found in PEM file"),
        (Vec::new(), None, "no certificate found in PEM file"),
        (
            certificates.clone().into(),
            None,
            "no private key found in PEM file",
        ),
        (
            format!("{certificates}{other}").into(),
            None,
            "belongs to none of the certificates",
        ),
        (fixture("web-ec.pem"), None, "unknown private key type"),
        (
            format!("{key}{}", pem::encode("CERTIFICATE", b"x")).into(),
            None,
            "failed to parse PEM certificate",
        ),
        (
            format!("{certificates}{}", pem::encode("PRIVATE KEY", b"x")).into(),
            None,
            "failed to parse private key",
        ),
        (
            format!("{certificates}{old}").into(),
            None,
            "openssl pkcs8 -topk8",
        ),
        (sealed.to_vec(), None, "it is encrypted"),
        (sealed.to_vec(), Some(b"other"), "its password does not fit"),
        (hidden.into(), Some(b"other"), "its password does not fit"),
    ];
    for (bytes, password, want) in cases {
        let text = refused(&bytes, password);
        assert!(text.contains(want), "{text}; wanted {want}");
    }
    let small = rsa::PrivateKey::new(&mut getrandom::SysRng, 1024).unwrap();
    let small = {
        use rsa::pkcs1::EncodeRsaPrivateKey as _;
        keys::rsa_pkcs8(small.to_pkcs1_der().unwrap().as_bytes())
    };
    let text = refused(
        format!("{certificates}{}", pem::encode("PRIVATE KEY", &small)).as_bytes(),
        None,
    );
    assert!(text.contains("2048 to 4096 bits"), "{text}");
}

#[test]
fn debug_shows_the_thumbprint_only() {
    let key = ClientKey::parse(&fixture("web.pfx"), None).unwrap();
    assert_eq!(
        format!("{key:?}"),
        format!("ClientKey({})", key.thumbprint())
    );
    assert!(key.not_after() > 1_700_000_000);
}
