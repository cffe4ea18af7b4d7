//! The functions that External Secrets adds to templates: names, parameters, order of arguments
//! (ESO's guide "Advanced templating"). Knows what is called; the parts below know how it is done.

mod certificates;
mod jwk;
mod pkcs12;
mod rsa_decrypt;

use gotemplate::{CallError, Function, Functions, Type, Value};

use super::yaml;

/// Registers the functions, in place of any of the same names.
pub fn add_to(functions: &mut Functions) {
    add_pkcs12(functions);
    add(functions, "filterPEM", |[kind, text]| {
        certificates::filter_pem(kind, text)
    });
    add(functions, "filterCertChain", |[wanted, text]| {
        certificates::filter_chain(wanted, text)
    });
    add(functions, "certSANs", |[text]| certificates::sans(text));
    add(functions, "jwkPublicKeyPem", |[jwk]| jwk::public_pem(jwk));
    add(functions, "jwkPrivateKeyPem", |[jwk]| jwk::private_pem(jwk));
    add(
        functions,
        "rsaDecrypt",
        |[scheme, hash, ciphertext, key]| rsa_decrypt::decrypt(scheme, hash, ciphertext, key),
    );
    add(functions, "fromYaml", |[text]| Ok(yaml::from_yaml(text)));
    let to_yaml = |args: &[Value]| {
        let text = args.first().and_then(yaml::to_yaml);
        Ok(Value::from(text.unwrap_or_default()))
    };
    functions.add("toYaml", Function::new(&[Type::Any], to_yaml));
}

fn add_pkcs12(functions: &mut Functions) {
    add(functions, "pkcs12key", |[pfx]| pkcs12::key(b"", pfx));
    add(functions, "pkcs12keyPass", |[password, pfx]| {
        pkcs12::key(password, pfx)
    });
    add(functions, "pkcs12cert", |[pfx]| {
        pkcs12::certificates(b"", pfx)
    });
    add(functions, "pkcs12certPass", |[password, pfx]| {
        pkcs12::certificates(password, pfx)
    });
    add(functions, "pemToPkcs12", |[certificate, key]| {
        pkcs12::from_pem(certificate, key, b"")
    });
    add(
        functions,
        "pemToPkcs12Pass",
        |[certificate, key, password]| pkcs12::from_pem(certificate, key, password),
    );
    add(functions, "fullPemToPkcs12", |[chain, key]| {
        pkcs12::from_full_pem(chain, key, b"")
    });
    add(
        functions,
        "fullPemToPkcs12Pass",
        |[chain, key, password]| pkcs12::from_full_pem(chain, key, password),
    );
    add(functions, "pemTruststoreToPKCS12", |[certificates]| {
        pkcs12::trust_store(certificates, b"")
    });
    add(
        functions,
        "pemTruststoreToPKCS12Pass",
        |[certificates, password]| pkcs12::trust_store(certificates, password),
    );
}

/// Registers a function of strings.
fn add<const N: usize, T: Into<Value>>(
    functions: &mut Functions,
    name: &str,
    body: impl Fn([&[u8]; N]) -> Result<T, CallError> + Send + Sync + 'static,
) {
    let call = move |args: &[Value]| {
        let mut texts: [&[u8]; N] = [&[]; N];
        for (text, arg) in texts.iter_mut().zip(args) {
            *text = arg.as_bytes().unwrap_or_default();
        }
        body(texts).map(Into::into)
    };
    functions.add(name, Function::new(&[Type::String; N], call));
}

#[cfg(test)]
mod tests;
