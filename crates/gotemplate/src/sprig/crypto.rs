//! Passwords and encryption: bcrypt, htpasswd, derivePassword, AES. Knows formats; randomness comes
//! from outside.

use aes::Aes256;
use cbc::cipher::block_padding::{NoPadding, Pkcs7};
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::functions::{CallError, Function, Functions, Type};
use crate::sprig::encoding::decode_base64;
use crate::sprig::{Env, TEXT, bytes, int, lossy};
use crate::value::Value;

const BCRYPT_COST: u32 = 10;
const BCRYPT_MAX: usize = 72;
/// Steps that a call of a deliberately slow function counts for.
const SLOW: u64 = 100_000;

const AES_BLOCK: usize = 16;
const SEED: &[u8] = b"com.lyndir.masterpassword";

pub(super) fn add_to(functions: &mut Functions, environment: &Env) {
    let env = environment.clone();
    functions.add(
        "bcrypt",
        Function::new(&[TEXT], move |args| Ok(bcrypt(&env, bytes(args, 0)).into())).costing(SLOW),
    );
    let env = environment.clone();
    functions.add(
        "htpasswd",
        Function::new(&[TEXT, TEXT, TEXT], move |args| {
            Ok(htpasswd(&env, &lossy(args, 0), bytes(args, 1), bytes(args, 2)).into())
        })
        .costing(SLOW),
    );
    functions.add(
        "derivePassword",
        Function::new(&[Type::Uint32, TEXT, TEXT, TEXT, TEXT], derive_password).costing(SLOW),
    );
    let env = environment.clone();
    functions.add(
        "encryptAES",
        Function::new(&[TEXT, TEXT], move |args| {
            Ok(encrypt(&env, bytes(args, 0), bytes(args, 1)).into())
        }),
    );
    functions.add(
        "decryptAES",
        Function::new(&[TEXT, TEXT], |args| {
            decrypt(bytes(args, 0), bytes(args, 1)).map(Value::from)
        }),
    );
}

/// The hash, or the reason why there is none: upstream returns that as text too.
fn bcrypt(env: &Env, password: &[u8]) -> String {
    const FAILED: &str = "failed to encrypt string with bcrypt";
    if password.len() > BCRYPT_MAX {
        return format!("{FAILED}: bcrypt: password length exceeds {BCRYPT_MAX} bytes");
    }
    let mut salt = [0; 16];
    env.fill_random(&mut salt);
    match bcrypt::hash_with_salt(password, BCRYPT_COST, salt) {
        Ok(parts) => parts.format_for_version(bcrypt::Version::TwoA),
        Err(error) => format!("{FAILED}: {error}"),
    }
}

fn htpasswd(env: &Env, user: &str, password: &[u8], algorithm: &[u8]) -> String {
    if user.contains(':') {
        return format!("invalid username: {user}");
    }
    match algorithm {
        b"sha" => format!("{user}:{{SHA}}{}", BASE64.encode(&Sha1::digest(password))),
        _ => format!("{user}:{}", bcrypt(env, password)),
    }
}

/// Patterns of a type of password, as version 1 of the Master Password algorithm has them.
fn patterns(kind: &[u8]) -> &'static [&'static str] {
    match kind {
        b"maximum" => &["anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"],
        b"long" => &[
            "CvcvnoCvcvCvcv",
            "CvcvCvcvnoCvcv",
            "CvcvCvcvCvcvno",
            "CvccnoCvcvCvcv",
            "CvccCvcvnoCvcv",
            "CvccCvcvCvcvno",
            "CvcvnoCvccCvcv",
            "CvcvCvccnoCvcv",
            "CvcvCvccCvcvno",
            "CvcvnoCvcvCvcc",
            "CvcvCvcvnoCvcc",
            "CvcvCvcvCvccno",
            "CvccnoCvccCvcv",
            "CvccCvccnoCvcv",
            "CvccCvccCvcvno",
            "CvcvnoCvccCvcc",
            "CvcvCvccnoCvcc",
            "CvcvCvccCvccno",
            "CvccnoCvcvCvcc",
            "CvccCvcvnoCvcc",
            "CvccCvcvCvccno",
        ],
        b"medium" => &["CvcnoCvc", "CvcCvcno"],
        b"short" => &["Cvcn"],
        b"basic" => &["aaanaaan", "aannaaan", "aaannaaa"],
        b"pin" => &["nnnn"],
        _ => &[],
    }
}

/// The characters that a letter of a pattern stands for.
fn characters(class: u8) -> &'static [u8] {
    match class {
        b'C' => b"BCDFGHJKLMNPQRSTVWXYZ",
        b'v' => b"aeiou",
        b'c' => b"bcdfghjklmnpqrstvwxyz",
        b'a' => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
        b'n' => b"0123456789",
        b'o' => b"@&%?,=[]_:-+*$#!'^~;()/.",
        _ => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
    }
}

fn with_length(text: &[u8]) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    [SEED, &length.to_be_bytes(), text].concat()
}

/// derivePassword COUNTER TYPE PASSWORD USER SITE
fn derive_password(args: &[Value]) -> Result<Value, CallError> {
    let failed = |error: &dyn std::fmt::Display| {
        CallError::new(format!("failed to derive password: {error}"))
    };
    let patterns = patterns(bytes(args, 1));
    if patterns.is_empty() {
        return Ok(format!("cannot find password template {}", lossy(args, 1)).into());
    }
    let params = scrypt::Params::new(15, 8, 2).map_err(|error| failed(&error))?;
    let mut key = [0; 64];
    scrypt::scrypt(
        bytes(args, 2),
        &with_length(bytes(args, 3)),
        &params,
        &mut key,
    )
    .map_err(|error| failed(&error))?;
    let counter = u32::try_from(int(args, 0)).unwrap_or_default();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|error| failed(&error))?;
    mac.update(&with_length(bytes(args, 4)));
    mac.update(&counter.to_be_bytes());
    let seed = mac.finalize().into_bytes();
    let pattern = patterns[usize::from(seed[0]) % patterns.len()];
    let password: Vec<u8> = pattern
        .bytes()
        .zip(&seed[1..])
        .map(|(class, byte)| {
            let characters = characters(class);
            characters[usize::from(*byte) % characters.len()]
        })
        .collect();
    Ok(password.into())
}

/// The first 32 bytes of the password, filled up with zeros.
fn aes_key(password: &[u8]) -> [u8; 32] {
    let mut key = [0; 32];
    let length = password.len().min(key.len());
    key[..length].copy_from_slice(&password[..length]);
    key
}

fn encrypt(env: &Env, password: &[u8], text: &[u8]) -> String {
    if text.is_empty() {
        return String::new();
    }
    let mut iv = [0; AES_BLOCK];
    env.fill_random(&mut iv);
    let cipher = cbc::Encryptor::<Aes256>::new(&aes_key(password).into(), &iv.into());
    BASE64.encode(&[&iv[..], &cipher.encrypt_padded_vec::<Pkcs7>(text)].concat())
}

fn decrypt(password: &[u8], encoded: &[u8]) -> Result<Vec<u8>, CallError> {
    if encoded.is_empty() {
        return Ok(Vec::new());
    }
    let encrypted = decode_base64(encoded).map_err(CallError::new)?;
    let Some((iv, blocks)) = encrypted.split_first_chunk::<AES_BLOCK>() else {
        let (length, capacity) = (encrypted.len(), encoded.len() / 4 * 3);
        return Err(CallError::new(if capacity < AES_BLOCK {
            format!("runtime error: slice bounds out of range [:16] with capacity {capacity}")
        } else {
            format!("runtime error: slice bounds out of range [16:{length}]")
        }));
    };
    let cipher = cbc::Decryptor::<Aes256>::new(&aes_key(password).into(), &(*iv).into());
    let mut text = cipher
        .decrypt_padded_vec::<NoPadding>(blocks)
        .map_err(|_| CallError::new("crypto/cipher: input not full blocks"))?;
    // upstream looks at the last byte of the padding only
    let Some(padding) = text.last().map(|padding| usize::from(*padding)) else {
        return Err(CallError::new("runtime error: index out of range [-1]"));
    };
    let Some(length) = text.len().checked_sub(padding) else {
        let beyond = padding - text.len();
        return Err(CallError::new(format!(
            "runtime error: slice bounds out of range [:-{beyond}]"
        )));
    };
    text.truncate(length);
    Ok(text)
}
