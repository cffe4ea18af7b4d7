//! Which module may name which: the order of the layers and the walls beside it.
//!
//! The order is the table at the head of src/lib.rs, read from left to right and top to bottom.
//! (Not the order of the `mod` lines, which rustfmt sorts. And an adapter stands above its port:
//! `provider` is named by `azure`, which is named by `provider::azure_key_vault`.)

use anyhow::{Result, ensure};

use super::Violation;
use super::source::{Name, Source};

const LIB: &str = "src/lib.rs";
/// The adapters behind the port `provider`.
const ADAPTERS: [&str; 2] = ["azure_key_vault", "fake"];
/// Who may name an adapter, apart from the adapter itself.
const COMPOSERS: [&str; 2] = ["controller::store::providers", "cli::render_sources"];
/// Modules that never see the cluster.
const CLUSTERLESS: [&str; 2] = ["azure", "provider"];

/// The modules in their order, lowest first; each as its path below the crate's root.
pub(super) struct Layers(Vec<Vec<String>>);

impl Layers {
    /// Reads the table; a module that is declared and not in the table, or the reverse, is a
    /// violation.
    pub(super) fn parse(lib: &str) -> Result<(Self, Vec<Violation>)> {
        let rows = lib.lines().filter(|line| line.starts_with("//! |"));
        let links = rows.flat_map(|row| {
            row.split("[`")
                .skip(1)
                .filter_map(|rest| rest.split_once("`]"))
        });
        let order: Vec<Vec<String>> = links
            .map(|(name, _)| name.split("::").map(str::to_owned).collect())
            .collect();
        ensure!(!order.is_empty(), "{LIB} has no table of layers");
        let file = syn::parse_file(lib)?;
        let declared: Vec<(String, usize)> = file.items.iter().filter_map(module).collect();
        let at = |line, message| Violation {
            path: LIB.to_owned(),
            line,
            rule: "layers",
            message,
        };
        let unlisted = declared
            .iter()
            .filter(|(name, _)| !order.iter().any(|path| path == std::slice::from_ref(name)));
        let mut violations: Vec<Violation> = unlisted
            .map(|(name, line)| at(*line, format!("`{name}` is not in the table of layers")))
            .collect();
        let absent = order
            .iter()
            .filter(|path| !declared.iter().any(|(name, _)| *name == path[0]));
        violations.extend(
            absent.map(|path| at(1, format!("`{}` is in the table and not declared", path[0]))),
        );
        Ok((Self(order), violations))
    }

    /// Judges what a file of src/ names.
    pub(super) fn check(&self, source: &Source) -> Vec<Violation> {
        if source.module.is_empty() {
            return Vec::new();
        }
        source
            .names
            .iter()
            .filter_map(|name| self.judge(source, name))
            .collect()
    }

    fn judge(&self, source: &Source, name: &Name) -> Option<Violation> {
        let told = |message: String| Some(Violation::new(source, name.line, "layers", message));
        let (own, full) = (source.module.join("::"), name.segments.join("::"));
        let is_clusterless = CLUSTERLESS.contains(&source.module[0].as_str());
        match name.segments.split_first() {
            Some((first, target)) if first == "crate" && !target.is_empty() => {
                if let Some(adapter) =
                    adapter(target).filter(|&adapter| !may_name(&source.module, adapter))
                {
                    return told(format!(
                        "`{own}` names the adapter `{adapter}`; only {COMPOSERS:?} may"
                    ));
                }
                let (mine, theirs) = (self.rank(&source.module)?, self.rank(target)?);
                if theirs > mine {
                    let (own, their) = (self.0[mine].join("::"), self.0[theirs].join("::"));
                    return told(format!("`{own}` stands below `{their}` and names {full}"));
                }
                None
            }
            Some((first, _)) if is_clusterless && first == "kube" => told(format!(
                "`{}` never sees the cluster and names {full}",
                source.module[0]
            )),
            Some((first, rest)) if is_clusterless && first == "k8s_openapi" => {
                let is_time = rest.first().is_some_and(|second| second == "jiff");
                if is_time {
                    None
                } else {
                    told(format!("of k8s_openapi only jiff, not {full}"))
                }
            }
            _ => None,
        }
    }

    /// The place of the longest entry that the path begins with.
    fn rank(&self, path: &[String]) -> Option<usize> {
        let entries = self
            .0
            .iter()
            .enumerate()
            .filter(|(_, entry)| path.starts_with(entry));
        entries
            .max_by_key(|(_, entry)| entry.len())
            .map(|(rank, _)| rank)
    }
}

fn module(item: &syn::Item) -> Option<(String, usize)> {
    match item {
        syn::Item::Mod(item) => Some((item.ident.to_string(), item.ident.span().start().line)),
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
    use super::*;

    const LIB: &str = "//! Head.\n//!\n//! | layer | module |\n//! | --- | --- |\n//! | 0 | [`api`] |\n\
        //! | 1 | [`provider`] |\n//! | 2 | [`azure`], [`provider::azure_key_vault`], [`provider::fake`] |\n\
        //! | 3 | [`controller`], [`cli`] |\npub mod api;\npub mod azure;\npub mod cli;\npub mod controller;\npub mod provider;\n";

    fn check(path: &str, text: &str) -> Vec<String> {
        let (layers, violations) = Layers::parse(LIB).unwrap();
        assert_eq!(violations, []);
        let source = Source::parse(path, text).unwrap();
        layers
            .check(&source)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn names_go_downwards() {
        assert_eq!(
            check(
                "src/controller/mod.rs",
                "use crate::{api::A, provider::Error};"
            ),
            [""; 0]
        );
        assert_eq!(
            check(
                "src/provider/azure_key_vault/get.rs",
                "use crate::azure::Http;"
            ),
            [""; 0]
        );
        assert_eq!(
            check("src/azure/mod.rs", "use crate::provider::Error;"),
            [""; 0]
        );
        assert_eq!(
            check("src/provider/mod.rs", "//! .\nuse crate::azure::Http;"),
            [
                "src/provider/mod.rs:2: layers: `provider` stands below `azure` and names crate::azure::Http"
            ]
        );
        let upwards = check("src/api/mod.rs", "fn f() { log!(crate::controller::X); }");
        assert_eq!(upwards.len(), 1, "{upwards:?}");
    }

    #[test]
    fn adapters_are_named_by_composers_only() {
        let text = "use crate::provider::fake::Fake;";
        assert_eq!(check("src/controller/store/providers.rs", text), [""; 0]);
        assert_eq!(check("src/cli/render_sources.rs", text), [""; 0]);
        assert_eq!(
            check("src/provider/fake.rs", "use super::fake::Fake;"),
            [""; 0]
        );
        for path in [
            "src/controller/mod.rs",
            "src/cli/mod.rs",
            "src/provider/azure_key_vault/mod.rs",
        ] {
            assert_eq!(check(path, text).len(), 1, "{path}");
        }
    }

    #[test]
    fn azure_never_sees_the_cluster() {
        assert_eq!(check("src/azure/mod.rs", "use kube::Client;").len(), 1);
        assert_eq!(
            check(
                "src/provider/error.rs",
                "fn f(s: k8s_openapi::api::core::v1::Secret) {}"
            )
            .len(),
            1
        );
        assert_eq!(
            check("src/provider/error.rs", "use k8s_openapi::jiff::Timestamp;"),
            [""; 0]
        );
        assert_eq!(check("src/controller/mod.rs", "use kube::Client;"), [""; 0]);
    }

    #[test]
    fn table_and_declarations_agree() {
        let (_, violations) =
            Layers::parse(&LIB.replace("pub mod api;", "pub mod other;")).unwrap();
        let messages: Vec<&str> = violations
            .iter()
            .map(|violation| violation.message.as_str())
            .collect();
        assert_eq!(
            messages,
            [
                "`other` is not in the table of layers",
                "`api` is in the table and not declared"
            ]
        );
    }
}
