//! Walls beside the order of the layers: who may name an adapter, and who never sees the cluster.

use super::source::{Name, Source};
use super::violation::Violation;

/// The adapters behind the port `provider`.
const ADAPTERS: [&str; 2] = ["azure_key_vault", "fake"];
/// Who may name an adapter, apart from the adapter itself.
const COMPOSERS: [&str; 2] = ["controller::store::providers", "cli::render::sources"];
/// Modules that never see the cluster.
const CLUSTERLESS: [&str; 2] = ["azure", "provider"];

/// Judges what a file of src/ names.
pub(super) fn check(source: &Source) -> Vec<Violation> {
    if source.root != "src" || source.module.is_empty() {
        return Vec::new();
    }
    let judge = |name: &Name| {
        let message = adapter_named(source, name).or_else(|| cluster_seen(source, name))?;
        Some(Violation::new(source, name.line, "layers", message))
    };
    source.names.iter().filter_map(judge).collect()
}

fn adapter_named(source: &Source, name: &Name) -> Option<String> {
    let target = name
        .segments
        .strip_prefix(["crate".to_owned()].as_slice())?;
    let adapter = adapter(target).filter(|&adapter| !may_name(&source.module, adapter))?;
    let own = source.module.join("::");
    Some(format!(
        "`{own}` names the adapter `{adapter}`; only {COMPOSERS:?} may"
    ))
}

fn cluster_seen(source: &Source, name: &Name) -> Option<String> {
    let first = source.module[0].as_str();
    if !CLUSTERLESS.contains(&first) {
        return None;
    }
    let full = name.segments.join("::");
    let mut segments = name.segments.iter().map(String::as_str);
    match (segments.next()?, segments.next()) {
        ("k8s_openapi", Some("jiff")) => None,
        ("k8s_openapi", _) => Some(format!("of k8s_openapi only jiff, not {full}")),
        ("kube", _) => Some(format!("`{first}` never sees the cluster and names {full}")),
        _ => None,
    }
}

/// The adapter that a path below the crate's root lies in.
fn adapter(path: &[String]) -> Option<&str> {
    let second = path.get(1).filter(|_| path[0] == "provider")?;
    ADAPTERS.contains(&second.as_str()).then_some(second)
}

fn may_name(module: &[String], target: &str) -> bool {
    let own = module.join("::");
    adapter(module) == Some(target) || COMPOSERS.iter().any(|composer| own.starts_with(composer))
}

#[cfg(test)]
mod tests {
    use crate::tidy::reader::parse;

    fn check(path: &str, text: &str) -> usize {
        super::check(&parse(path, text).unwrap()).len()
    }

    #[test]
    fn adapters_are_named_by_composers_only() {
        let text = "use crate::provider::fake::Fake;";
        assert_eq!(check("src/controller/store/providers.rs", text), 0);
        assert_eq!(check("src/cli/render/sources.rs", text), 0);
        assert_eq!(check("src/provider/fake.rs", "use super::fake::Fake;"), 0);
        for path in [
            "src/controller/mod.rs",
            "src/cli/mod.rs",
            "src/provider/azure_key_vault/mod.rs",
        ] {
            assert_eq!(check(path, text), 1, "{path}");
        }
    }

    #[test]
    fn azure_never_sees_the_cluster() {
        assert_eq!(check("src/azure/mod.rs", "use kube::Client;"), 1);
        let secret = "fn f(s: k8s_openapi::api::core::v1::Secret) {}";
        assert_eq!(check("src/provider/error.rs", secret), 1);
        let time = "use k8s_openapi::jiff::Timestamp;";
        assert_eq!(check("src/provider/error.rs", time), 0);
        assert_eq!(check("src/controller/mod.rs", "use kube::Client;"), 0);
    }
}
