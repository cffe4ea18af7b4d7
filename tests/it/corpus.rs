//! The inputs that fuzzing left behind, through the same functions as the fuzz targets (`fuzz/`).

use std::fs;

use crate::support::settings::repository;

#[expect(unreachable_pub, reason = "it is a library to the fuzz targets")]
#[path = "../../fuzz/src/lib.rs"]
mod targets;

fn feed(target: &str, run: fn(&[u8])) {
    let folder = repository().join("fuzz/corpus").join(target);
    let inputs: Vec<_> = fs::read_dir(&folder)
        .expect("the corpus is in the repository")
        .collect();
    assert!(inputs.len() >= 10, "{} has few inputs", folder.display());
    for input in inputs {
        let bytes = input.and_then(|input| fs::read(input.path()));
        run(&bytes.expect("the inputs are readable files"));
    }
}

#[test]
fn properties_are_looked_up() {
    feed("property", targets::property);
}

#[test]
fn values_are_decoded() {
    feed("decoding", targets::decoding);
}

#[test]
fn keys_are_rewritten() {
    feed("rewrite", targets::rewrite);
}

#[test]
fn archives_are_read() {
    feed("pkcs12", targets::pkcs12);
}

#[test]
fn blocks_of_pem_are_read() {
    feed("pem", targets::pem);
}

#[test]
fn certificates_are_read() {
    feed("certificate", targets::certificate);
}

#[test]
fn yaml_is_read_and_written() {
    feed("yaml", targets::yaml);
}

#[test]
fn schedules_fire() {
    feed("cron", targets::cron);
}
