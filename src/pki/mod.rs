//! Keys and certificates in the forms people keep them in: PEM, PKCS#8, X.509, PKCS#12. Verifies no
//! signature and no chain; knows neither templates nor who signs in with them.

pub mod certificate;
pub mod encode;
pub mod keys;
pub mod pem;
pub mod pkcs12;
