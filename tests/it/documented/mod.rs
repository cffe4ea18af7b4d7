//! docs/: every manifest of the operator's kinds is one that the API server takes as it stands, and pages that nothing else
//! holds do what they say. The HOWTO and the installation are in `chart::howto_pages`.

mod manifests;
mod migrations;

use crate::support::pages;
use crate::support::run;
use crate::support::scene::Scene;
use crate::support::shell;

#[test]
fn the_commands_of_the_page_on_troubleshooting_show_conditions_and_events() {
    run(async {
        let scene = Scene::synced("page-troubleshooting").await;
        let script = pages::commands("docs/troubleshooting.md").concat();
        let script = script
            .replace("externalsecret NAME", "externalsecret app")
            .replace("secretstore NAME", "secretstore kv")
            .replace("kubectl ", &format!("kubectl -n {} ", scene.namespace));
        let folder = tempfile::tempdir().unwrap();
        let told = shell::run(scene.bed().plane(), folder.path(), &script).await;
        for words in [
            "Kind:         ExternalSecret",
            "SecretSynced",
            "Kind:         SecretStore",
            "Reachable",
            "Events:",
        ] {
            assert!(told.contains(words), "{words}: {told}");
        }
    });
}
