//! Paths with slashes, lexically. Knows no file system.

use crate::functions::{Function, Functions};
use crate::sprig::{TEXT, add_both, bytes};
use crate::value::Value;

pub(super) fn add_to(functions: &mut Functions) {
    type Path = (&'static str, &'static str, fn(&[u8]) -> Vec<u8>);
    const PATHS: [Path; 4] = [
        ("base", "osBase", base),
        ("dir", "osDir", dir),
        ("clean", "osClean", clean),
        ("ext", "osExt", ext),
    ];
    for (name, os_name, run) in PATHS {
        let function = Function::new(&[TEXT], move |args| Ok(run(bytes(args, 0)).into()));
        add_both(functions, [name, os_name], &function);
    }
    let is_abs = Function::new(&[TEXT], |args| {
        Ok(Value::from(bytes(args, 0).starts_with(b"/")))
    });
    add_both(functions, ["isAbs", "osIsAbs"], &is_abs);
}

fn base(path: &[u8]) -> Vec<u8> {
    if path.is_empty() {
        return b".".to_vec();
    }
    let mut parts = path.split(|byte| *byte == b'/');
    parts
        .rfind(|part| !part.is_empty())
        .unwrap_or(b"/")
        .to_vec()
}

fn dir(path: &[u8]) -> Vec<u8> {
    let end = path
        .iter()
        .rposition(|byte| *byte == b'/')
        .map_or(0, |slash| slash + 1);
    clean(&path[..end])
}

fn ext(path: &[u8]) -> Vec<u8> {
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    name.iter()
        .rposition(|byte| *byte == b'.')
        .map_or(Vec::new(), |dot| name[dot..].to_vec())
}

fn clean(path: &[u8]) -> Vec<u8> {
    let rooted = path.starts_with(b"/");
    let mut kept: Vec<&[u8]> = Vec::new();
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." if kept.last().is_some_and(|last| *last != b"..") => {
                kept.pop();
            }
            b".." if rooted => {}
            part => kept.push(part),
        }
    }
    let cleaned = kept.join(&b'/');
    match (rooted, cleaned.is_empty()) {
        (true, _) => [b"/", &cleaned[..]].concat(),
        (false, true) => b".".to_vec(),
        (false, false) => cleaned,
    }
}
