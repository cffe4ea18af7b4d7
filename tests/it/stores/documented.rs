//! docs/identities.md: every manifest is one that the API server takes as it stands.

use crate::golden::documents;
use crate::support::run;
use crate::support::scene::Scene;
use crate::support::settings::repository;

#[test]
fn every_manifest_of_the_page_on_identities_is_accepted() {
    run(async {
        let page = std::fs::read_to_string(repository().join("docs/identities.md")).unwrap();
        let blocks: Vec<&str> = page
            .split("```yaml\n")
            .skip(1)
            .map(|block| block.split("```").next().unwrap())
            .collect();
        let sections = page.matches("\n## ").count();
        assert_eq!(blocks.len(), sections, "one manifest per section");
        let scene = Scene::new("documented").await;
        for block in blocks {
            for object in documents(block).unwrap() {
                // strictly: a field that is unknown is refused, one that is dropped is missing here
                let applied = scene.apply(object.clone()).await;
                assert_eq!(
                    applied["spec"]["provider"]["azurekv"]["vaultUrl"],
                    object["spec"]["provider"]["azurekv"]["vaultUrl"]
                );
            }
        }
    });
}
