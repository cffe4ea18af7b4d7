//! The tokens of a template's text.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gotemplate::fuzz::lexer(data));
