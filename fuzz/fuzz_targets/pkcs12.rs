//! Fuzzes `keyferry_fuzz::pkcs12`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| keyferry_fuzz::pkcs12(input));
