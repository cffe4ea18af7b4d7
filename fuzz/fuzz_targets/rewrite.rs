//! Fuzzes `keyferry_fuzz::rewrite`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| keyferry_fuzz::rewrite(input));
