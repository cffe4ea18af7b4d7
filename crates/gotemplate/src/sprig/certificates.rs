//! Private keys and certificates: genPrivateKey, genCA, genSignedCert and their kin. Knows what
//! upstream puts into a certificate; the encoding is rcgen's.

use std::any::Any;
use std::net::IpAddr;
use std::time::{Duration, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType, SerialNumber,
};

use crate::functions::{CallError, Function, Functions, Type};
use crate::printf::shown;
use crate::sprig::encoding::decode_base64;
use crate::sprig::keys::{PrivateKey, pem_block};
use crate::sprig::{Env, INT, TEXT, bytes, int, list_of, lossy};
use crate::value::{Kind, Object, Value};

const TYPE_NAME: &str = "sprig.certificate";
const CERTIFICATE: Type = Type::Object(TYPE_NAME);
const LIST: Type = Type::List;

/// Steps that making a key counts for.
const KEY_COST: u64 = 300_000;

/// Bits of the keys of certificates.
const CERTIFICATE_BITS: usize = 2048;

/// Bits of the keys of `genPrivateKey`.
const KEY_BITS: usize = 4096;

/// The longest that Go's durations can be.
const MAX_DAYS: i64 = 106_751;

pub(super) fn add_to(functions: &mut Functions, environment: &Env) {
    let env = environment.clone();
    functions.add(
        "genPrivateKey",
        Function::new(&[TEXT], move |args| {
            Ok(private_key(&env, &lossy(args, 0)).into())
        })
        .costing(2 * KEY_COST),
    );
    functions.add(
        "buildCustomCert",
        Function::new(&[TEXT, TEXT], |args| custom(bytes(args, 0), bytes(args, 1))),
    );
    add(
        functions,
        environment,
        ["genCA", "genCAWithKey"],
        &[TEXT, INT],
        |env, args, key| {
            let params = Request {
                env,
                args,
                days: int(args, 1),
                alternatives: false,
            }
            .params(true)?;
            issue(&params, &key, None)
        },
    );
    add_leaves(functions, environment);
}

/// Certificates that are no authority.
fn add_leaves(functions: &mut Functions, environment: &Env) {
    let own = &[TEXT, LIST, LIST, INT];
    add(
        functions,
        environment,
        ["genSelfSignedCert", "genSelfSignedCertWithKey"],
        own,
        |env, args, key| {
            let params = Request {
                env,
                args,
                days: int(args, 3),
                alternatives: true,
            }
            .params(false)?;
            issue(&params, &key, None)
        },
    );
    let signed = &[TEXT, LIST, LIST, INT, CERTIFICATE];
    add(
        functions,
        environment,
        ["genSignedCert", "genSignedCertWithKey"],
        signed,
        |env, args, key| {
            let issuer = issuer(&args[4])?;
            let mut params = Request {
                env,
                args,
                days: int(args, 3),
                alternatives: true,
            }
            .params(false)?;
            params.use_authority_key_identifier_extension = true;
            issue(&params, &key, Some(&issuer))
        },
    );
}

type Generate = fn(&Env, &[Value], PrivateKey) -> Result<Value, String>;

/// Adds a function that makes a key and one that takes it as its last argument.
fn add(functions: &mut Functions, env: &Env, names: [&str; 2], params: &[Type], run: Generate) {
    let [with_new, with_given] = names;
    let new_env = env.clone();
    functions.add(
        with_new,
        Function::new(params, move |args| {
            let key = PrivateKey::rsa(&new_env, CERTIFICATE_BITS)
                .map_err(|error| CallError::new(format!("error generating rsa key: {error}")))?;
            run(&new_env, args, key).map_err(CallError::new)
        })
        .costing(KEY_COST),
    );
    let env = env.clone();
    let params = [params, &[TEXT]].concat();
    functions.add(
        with_given,
        Function::new(&params, move |args| {
            let key = PrivateKey::from_pem(bytes(args, args.len() - 1))
                .map_err(|error| CallError::new(format!("parsing private key: {error}")))?;
            run(&env, args, key).map_err(CallError::new)
        }),
    );
}

/// A key as PEM; what goes wrong is returned as text, as upstream does.
fn private_key(env: &Env, kind: &str) -> String {
    let key = match kind {
        "" | "rsa" => PrivateKey::rsa(env, KEY_BITS),
        "ecdsa" => PrivateKey::p256(env),
        "ed25519" => Ok(PrivateKey::ed25519(env)),
        "dsa" => Err("DSA keys are not supported".to_owned()),
        kind => return format!("Unknown type {kind}"),
    };
    let pem = key.and_then(|key| key.to_pem());
    pem.unwrap_or_else(|error| format!("failed to generate private key: {error}"))
}

/// What a certificate is asked for: the common name first, then names and addresses.
struct Request<'a> {
    env: &'a Env,
    args: &'a [Value],
    days: i64,
    /// whether the second and third argument list addresses and names
    alternatives: bool,
}

impl Request<'_> {
    fn params(&self, is_ca: bool) -> Result<CertificateParams, String> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params
            .distinguished_name
            .push(DnType::CommonName, lossy(self.args, 0).as_ref());
        if self.alternatives {
            params.subject_alt_names = self.alternatives()?;
        }
        let mut serial = [0; 16];
        self.env.fill_random(&mut serial);
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        let since_1970 = self
            .env
            .now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let now = rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(since_1970.as_secs());
        let days = self.days.clamp(-MAX_DAYS, MAX_DAYS);
        let valid = Duration::from_secs(days.unsigned_abs() * 86_400);
        params.not_before = now;
        params.not_after = if days < 0 { now - valid } else { now + valid };
        params.key_usages = vec![
            KeyUsagePurpose::DigitalSignature,
            KeyUsagePurpose::KeyEncipherment,
        ];
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        if is_ca {
            params.key_usages.push(KeyUsagePurpose::KeyCertSign);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        } else {
            // basic constraints that say nothing, without the key identifier that rcgen adds
            let mut constraints =
                CustomExtension::from_oid_content(&[2, 5, 29, 19], vec![0x30, 0x00]);
            constraints.set_criticality(true);
            params.custom_extensions.push(constraints);
        }
        Ok(params)
    }

    fn alternatives(&self) -> Result<Vec<SanType>, String> {
        let items = |index| list_of(self.args, index).map(|list| list.items().to_vec());
        let mut names = Vec::new();
        for name in items(2).unwrap_or_default() {
            let text = match &name {
                Value::Str(text) => String::from_utf8_lossy(text).into_owned(),
                other => {
                    let other = shown(other);
                    return Err(format!(
                        "error processing alternate dns name: {other} is not a string"
                    ));
                }
            };
            let text = text.as_str().try_into();
            names.push(SanType::DnsName(
                text.map_err(|error: rcgen::Error| error.to_string())?,
            ));
        }
        for address in items(1).unwrap_or_default() {
            let Value::Str(text) = &address else {
                let other = shown(&address);
                return Err(format!("error parsing ip: {other} is not a string"));
            };
            let text = String::from_utf8_lossy(text);
            let address: Result<IpAddr, _> = text.parse();
            names.push(SanType::IpAddress(
                address
                    .map_err(|_| format!("error parsing ip: {text}"))?
                    .to_canonical(),
            ));
        }
        Ok(names)
    }
}

/// Signs with the issuer's key, or the certificate's own.
fn issue(
    params: &CertificateParams,
    key: &PrivateKey,
    issuer: Option<&Issuer<'_, KeyPair>>,
) -> Result<Value, String> {
    let failed = |error: rcgen::Error| format!("error creating certificate: {error}");
    let signer = key.to_signer()?;
    let certificate = match issuer {
        Some(issuer) => params.signed_by(&signer, issuer).map_err(failed)?,
        None => params.self_signed(&signer).map_err(failed)?,
    };
    let cert = pem_block("CERTIFICATE", certificate.der()).into_bytes();
    Ok(Value::object(Certificate {
        cert,
        key: key.to_pem()?.into_bytes(),
    }))
}

fn issuer(value: &Value) -> Result<Issuer<'static, KeyPair>, String> {
    let Some(Certificate { cert, key }) = value.downcast() else {
        return Err("certificate expected".to_owned());
    };
    let block = pem::parse(cert).map_err(|_| "unable to decode certificate".to_owned())?;
    let key = PrivateKey::from_pem(key).and_then(|key| key.to_signer());
    let key = key.map_err(|error| format!("error parsing private key: {error}"))?;
    Issuer::from_ca_cert_der(&block.contents().into(), key)
        .map_err(|error| format!("error parsing certificate: {error}"))
}

/// A certificate and its key, both given as base64 of PEM.
fn custom(cert: &[u8], key: &[u8]) -> Result<Value, CallError> {
    let cert =
        decode_base64(cert).map_err(|_| CallError::new("unable to decode base64 certificate"))?;
    let key =
        decode_base64(key).map_err(|_| CallError::new("unable to decode base64 private key"))?;
    let block = pem::parse(&cert).map_err(|_| CallError::new("unable to decode certificate"))?;
    x509_parser::parse_x509_certificate(block.contents()).map_err(|error| {
        CallError::new(format!(
            "error parsing certificate: decodedCert.Bytes: {error}"
        ))
    })?;
    PrivateKey::from_pem(&key)
        .map_err(|error| CallError::new(format!("error parsing private key: {error}")))?;
    Ok(Value::object(Certificate { cert, key }))
}

/// A certificate with its key, both PEM.
struct Certificate {
    cert: Vec<u8>,
    key: Vec<u8>,
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Certificate")
    }
}

impl Object for Certificate {
    fn type_name(&self) -> &'static str {
        TYPE_NAME
    }

    fn kind(&self) -> Kind {
        Kind::Struct
    }

    fn text(&self) -> String {
        let [cert, key] = [&self.cert, &self.key].map(|pem| String::from_utf8_lossy(pem));
        format!("{{{cert} {key}}}")
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "Cert" => Some(Value::bytes(&self.cert)),
            "Key" => Some(Value::bytes(&self.key)),
            _ => None,
        }
    }

    fn json(&self) -> Value {
        Value::dict([
            ("Cert", Value::bytes(&self.cert)),
            ("Key", Value::bytes(&self.key)),
        ])
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
