//! Fuzzes `keyferry_fuzz::certificate`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| keyferry_fuzz::certificate(input));
