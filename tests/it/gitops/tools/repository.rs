//! An application as Argo CD has it: a folder of a local Git repository, and a namespace of the cluster.

#![expect(
    clippy::unwrap_used,
    reason = "clippy's exception for tests does not reach their helpers"
)]

use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::gitops;
use crate::support::cluster::text;
use crate::support::scene::Scene;

/// A repository and where it is synced to. Its methods end the test where they do not succeed.
pub(super) struct Application<'a> {
    scene: &'a Scene,
    folder: TempDir,
    flags: Vec<String>,
}

impl<'a> Application<'a> {
    /// An empty repository for the scene's namespace; flags are those of the program.
    pub(super) fn new(scene: &'a Scene, flags: &[&str]) -> Self {
        let mut all = vec![
            format!("-namespace={}", scene.namespace),
            format!("-app={}", scene.namespace),
        ];
        all.extend(flags.iter().map(|&flag| flag.to_owned()));
        let folder = tempfile::tempdir().unwrap();
        let application = Self {
            scene,
            folder,
            flags: all,
        };
        application.git(&["init", "--quiet"]);
        application
    }

    /// Commits this file with these objects; none removes it.
    pub(super) fn commit(&self, file: &str, objects: &[Value]) {
        let documents: Vec<String> = objects.iter().map(Value::to_string).collect();
        self.commit_text(file, &documents.join("\n---\n"));
    }

    /// Commits this file with this text; an empty one removes it.
    pub(super) fn commit_text(&self, file: &str, content: &str) {
        let path = self.folder.path().join(file);
        if content.is_empty() {
            std::fs::remove_file(path).unwrap();
        } else {
            std::fs::write(path, content).unwrap();
        }
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message=change"]);
    }

    fn git(&self, arguments: &[&str]) {
        let mut command = Command::new("git");
        command
            .args(["-c", "user.name=test", "-c", "user.email=test@localhost"])
            .args(["-c", "commit.gpgsign=false"])
            .args(arguments)
            .current_dir(self.folder.path());
        let output = command.output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}: {told}");
    }

    /// What the engine makes of HEAD: phase, message, and `results` per object.
    pub(super) async fn sync(&self) -> Value {
        self.play("sync").await
    }

    /// Syncs and ends the test unless it succeeds; returns `Kind/name: status` of each object.
    pub(super) async fn synced(&self) -> Vec<String> {
        let outcome = self.sync().await;
        assert_eq!(outcome["phase"], "Succeeded", "{outcome}");
        let results = outcome["results"].as_array().unwrap();
        let line = |step: &Value| format!("{}: {}", text(&step["object"]), text(&step["status"]));
        let mut lines: Vec<String> = results.iter().map(line).collect();
        lines.sort();
        lines
    }

    /// Ends the test if Argo CD sees a difference between HEAD and the cluster; it looks at so many objects.
    pub(super) async fn is_in_sync(&self, objects: usize) {
        let differences = self.play("diff").await;
        let differences = differences.as_array().unwrap();
        assert_eq!(differences.len(), objects, "{differences:?}");
        for difference in differences {
            assert_eq!(difference["modified"], false, "{difference}");
        }
    }

    /// The objects that differ, as `Kind/name`.
    pub(super) async fn differing(&self) -> Vec<String> {
        let differences = self.play("diff").await;
        let differing = differences.as_array().unwrap().iter();
        differing
            .filter(|difference| difference["modified"] == true)
            .map(|difference| text(&difference["object"]).to_owned())
            .collect()
    }

    async fn play(&self, command: &str) -> Value {
        let mut arguments = vec![command];
        arguments.extend(self.flags.iter().map(String::as_str));
        arguments.push(self.folder.path().to_str().unwrap());
        gitops(self.scene, &arguments, &Value::Null).await
    }
}
