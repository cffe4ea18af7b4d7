//! Fuzzes `keyferry_fuzz::yaml`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| keyferry_fuzz::yaml(input));
