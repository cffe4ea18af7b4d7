//! Fuzzes `keyferry_fuzz::cron`.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| keyferry_fuzz::cron(input));
