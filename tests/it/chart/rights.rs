//! What the operator and people may do after an installation, as the API server tells it.

use super::helm::{CHART, Major, NAMESPACE, Stage};
use crate::support::run;
use crate::support::settings::repository;

const PAGE: &str = "docs/rbac.md";

#[test]
fn the_documented_rights_are_those_that_a_release_has() {
    let test = async {
        let mut stage = Stage::start().await?;
        let install = ["install", "keyferry", CHART, "--namespace", NAMESPACE];
        stage.helm(Major::Third, &install).await?.success()?;
        let everybody = stage.rights_of("default").await?;
        let told: Vec<String> = stage.rights_of("keyferry").await?;
        let told: Vec<&str> = told
            .iter()
            .filter(|line| !everybody.contains(line))
            .map(String::as_str)
            .collect();
        let page = std::fs::read_to_string(repository().join(PAGE))?;
        let documented = page.split("```\n").nth(1).unwrap_or_default();
        let documented: Vec<&str> = documented.lines().collect();
        assert!(
            documented == told,
            "{PAGE} should say:\n{}",
            told.join("\n")
        );

        let plane = stage.bed.plane();
        let people = plane.client_certificate_kubeconfig("jane", &[])?;
        for (role, verb, allowed) in [
            ("view", "get", true),
            ("view", "create", false),
            ("edit", "create", true),
            ("admin", "deletecollection", true),
        ] {
            let bind = [
                "create",
                "rolebinding",
                "jane",
                "--user=jane",
                &format!("--clusterrole={role}"),
                "-n",
                "default",
            ];
            plane.kubectl(bind).await?.success()?;
            let ask = [
                "auth",
                "can-i",
                verb,
                "externalsecrets.external-secrets.io",
                "-n",
                "default",
            ];
            let wanted = if allowed { "yes" } else { "no" };
            crate::support::scene::eventually(&format!("{role} {verb}: {wanted}"), async || {
                let answer = plane.kubectl_as(&people, ask, "").await.ok()?;
                (answer.stdout.trim() == wanted).then_some(())
            })
            .await;
            plane
                .kubectl(["delete", "rolebinding", "jane", "-n", "default"])
                .await?
                .success()?;
        }
        anyhow::Ok(())
    };
    run(test).unwrap();
}

impl Stage {
    /// `kubectl auth can-i --list` of a ServiceAccount, in the order of the names.
    async fn rights_of(&mut self, account: &str) -> anyhow::Result<Vec<String>> {
        self.bed.sign_in(NAMESPACE, account).await?;
        let environment = self.bed.environment();
        let kubeconfig = environment.iter().find(|(name, _)| name == "KUBECONFIG");
        let kubeconfig = std::path::Path::new(&kubeconfig.unwrap().1);
        let list = ["auth", "can-i", "--list", "--no-headers"];
        let told = self
            .bed
            .plane()
            .kubectl_as(kubeconfig, list, "")
            .await?
            .success()?;
        let line = |line: &str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let (resource, verbs) = (words[0], line.rsplit_once('[').unwrap().1);
            format!("{resource:<49}{}", verbs.trim_end_matches(']'))
        };
        let mut lines: Vec<String> = told
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(line)
            .collect();
        lines.sort();
        Ok(lines)
    }
}
