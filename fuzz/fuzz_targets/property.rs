//! Fuzzes `keyferry_fuzz::property`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| keyferry_fuzz::property(input));
