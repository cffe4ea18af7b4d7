//! Parsing and executing a template.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gotemplate::fuzz::execute(data));
