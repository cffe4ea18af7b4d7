//! PKCS#12 archives (RFC 7292): reads the one key and its certificates, writes one profile. The
//! parts below know structures and ciphers.

mod crypto;
mod error;
mod oids;
mod password;
mod read;
mod write;

pub use error::Error;
pub use read::{Contents, decrypt_key, read};
pub use write::{archive, encrypt_key, trust_store};
