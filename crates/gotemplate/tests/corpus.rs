//! Runs the corpus of the fuzz targets (`fuzz/corpus`): what once was interesting must stay harmless.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

fn run(target: &str, body: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(target);
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        body(&fs::read(entry.unwrap().path()).unwrap());
        count += 1;
    }
    assert!(count > 100, "only {count} files for {target}");
}

#[test]
fn the_lexer_takes_its_corpus() {
    run("lexer", gotemplate::fuzz::lexer);
}

#[test]
fn the_parser_takes_its_corpus() {
    run("parser", gotemplate::fuzz::parser);
}

#[test]
fn the_executor_takes_its_corpus() {
    run("execute", gotemplate::fuzz::execute);
}
