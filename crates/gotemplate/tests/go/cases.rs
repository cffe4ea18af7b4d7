//! Verifies that `go-cases.json` holds what Go says.

use std::fs::File;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

#[test]
fn go_stands_by_every_case() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/go-cases.json");
    let output = Command::new(crate::oracle())
        .arg("cases")
        .stdin(File::open(&path).unwrap())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let said: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let written: Vec<Value> = serde_json::from_reader(File::open(&path).unwrap()).unwrap();
    assert!(written.len() > 1700);
    assert_eq!(said.len(), written.len());
    for (said, written) in said.iter().zip(&written) {
        assert_eq!(said, written);
    }
}
