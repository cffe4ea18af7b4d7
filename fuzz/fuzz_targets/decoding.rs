//! Fuzzes `keyferry_fuzz::decoding`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| keyferry_fuzz::decoding(input));
