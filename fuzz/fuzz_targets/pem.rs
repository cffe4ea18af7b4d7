//! Fuzzes `keyferry_fuzz::pem`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| keyferry_fuzz::pem(input));
