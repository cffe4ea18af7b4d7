//! The folder that shows later what happened: redacted texts, a timeline, the HOWTO's checklist.
//! Everything is redacted before it is kept, written at the end of the run, and searched after that.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use k8s_openapi::jiff::Timestamp;

use super::sensitive::Sensitive;

/// The folder of one run.
pub(super) struct Evidence<'a> {
    folder: PathBuf,
    sensitive: &'a Sensitive,
    files: Vec<File>,
    timeline: Vec<String>,
    checklist: Vec<Item>,
}

/// A file besides the summary.
struct File {
    name: String,
    /// What it shows, for the summary.
    what: &'static str,
    text: String,
}

/// A line of the checklist.
struct Item {
    /// `None`: this run cannot tell.
    holds: Option<bool>,
    text: String,
}

impl<'a> Evidence<'a> {
    /// `docs/proof/secrets/eso-akv-netbox-DATE/` below a directory; nothing is written yet.
    pub(super) fn new(directory: &Path, sensitive: &'a Sensitive) -> Self {
        let date: String = now().chars().take("2026-01-01".len()).collect();
        let (files, timeline, checklist) = Default::default();
        Self {
            folder: directory
                .join("docs/proof/secrets")
                .join(format!("eso-akv-netbox-{date}")),
            sensitive,
            files,
            timeline,
            checklist,
        }
    }

    /// Where it is.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Keeps a text for a file of this name, redacted; `what` it shows is in the summary.
    pub(super) fn save(&mut self, name: &str, what: &'static str, text: &str) {
        self.files.push(File {
            name: name.to_owned(),
            what,
            text: self.sensitive.redact(text),
        });
    }

    /// Notes what happened just now.
    pub(super) fn note(&mut self, what: &str) {
        self.timeline.push(format!("| {} | {what} |", now()));
    }

    /// Adds a line to the checklist.
    pub(super) fn verified(&mut self, holds: bool, text: impl Into<String>) {
        self.checklist.push(Item {
            holds: Some(holds),
            text: text.into(),
        });
    }

    /// Adds a line that this run cannot verify.
    pub(super) fn open(&mut self, text: impl Into<String>) {
        self.checklist.push(Item {
            holds: None,
            text: text.into(),
        });
    }

    /// Writes the files and the summary over those of an earlier run of the same day.
    ///
    /// # Errors
    /// The folder cannot be made, or a file not be written.
    pub(super) fn write(&self, facts: &str) -> Result<()> {
        for file in &self.files {
            self.write_file(&file.name, &file.text)?;
        }
        self.write_file("README.md", &self.sensitive.redact(&self.summary(facts)))
    }

    fn summary(&self, facts: &str) -> String {
        let mut text = String::from(
            "# Evidence: a secret from Azure Key Vault in the Secret of NetBox, and its rotation\n\n\
             Made by `cargo xtask demo`: a real Kubernetes control plane and the operator as its ServiceAccount, with azfake\n\
             in place of Azure. Values are redacted; fingerprints are salted and compare within this run only.\n\n",
        );
        let checklist: Vec<String> = self.checklist.iter().map(Item::line).collect();
        let files = self.files.iter();
        let files: Vec<String> = files
            .map(|file| format!("| [{0}]({0}) | {1} |", file.name, file.what))
            .collect();
        let (times, shows) = ("| when | what |\n", "| file | shows |\n");
        for (title, head, lines) in [
            ("Checklist (HOWTO, section 9)", "", &checklist),
            ("Before and after", "", &vec![facts.trim_end().to_owned()]),
            ("Times (UTC)", times, &self.timeline),
            ("Files", shows, &files),
        ] {
            let rule = if head.is_empty() {
                ""
            } else {
                "| --- | --- |\n"
            };
            // writing into a String cannot fail
            let _ = write!(text, "## {title}\n\n{head}{rule}{}\n\n", lines.join("\n"));
        }
        text.trim_end().to_owned() + "\n"
    }

    /// Searches every file of the folder for secret values and removes those that have one: their
    /// names and what they have.
    pub(super) fn purge(&self) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for file in files_below(&self.folder)? {
            let bytes = fs::read(&file).with_context(|| format!("read {}", file.display()))?;
            let leaks = self.sensitive.found_in(&bytes);
            if !leaks.is_empty() {
                fs::remove_file(&file).with_context(|| format!("remove {}", file.display()))?;
                found.push(format!("{}: {}", file.display(), leaks.join(", ")));
            }
        }
        Ok(found)
    }

    fn write_file(&self, name: &str, text: &str) -> Result<()> {
        let file = self.folder.join(name);
        let written = fs::create_dir_all(file.parent().unwrap_or(&self.folder));
        let written = written.and_then(|()| fs::write(&file, text));
        written.with_context(|| format!("write {}", file.display()))
    }
}

impl Item {
    fn line(&self) -> String {
        match self.holds {
            Some(true) => format!("- [x] {}", self.text),
            Some(false) => format!("- [ ] {} (**failed**)", self.text),
            None => format!("- [ ] {}", self.text),
        }
    }
}

fn now() -> String {
    format!("{:.0}", Timestamp::now())
}

fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(files_below(&path)?);
        } else {
            files.push(path);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_redacted_and_the_summary_lists_them() {
        let mut sensitive = Sensitive::new().unwrap();
        let value = sensitive.make("password").unwrap();
        let directory = tempfile::tempdir().unwrap();
        let mut evidence = Evidence::new(directory.path(), &sensitive);
        evidence.save("before/secret.yaml", "the Secret", &format!("a: {value}\n"));
        evidence.note("rotated");
        evidence.verified(true, "stored");
        evidence.verified(false, "ready");
        evidence.open("runs (no kubelet)");
        assert!(!evidence.folder().exists());
        evidence.write(&format!("value {value}")).unwrap();
        let read = |name: &str| fs::read_to_string(evidence.folder().join(name)).unwrap();
        assert_eq!(read("before/secret.yaml"), "a: <redacted, 32 bytes>\n");
        let summary = read("README.md");
        for part in [
            "- [x] stored\n- [ ] ready (**failed**)\n- [ ] runs (no kubelet)\n",
            "value <redacted, 32 bytes>",
            "Z | rotated |",
            "| [before/secret.yaml](before/secret.yaml) | the Secret |",
        ] {
            assert!(summary.contains(part), "{part} in {summary}");
        }
        assert!(evidence.purge().unwrap().is_empty());
    }

    #[test]
    fn a_file_with_a_value_is_removed_and_named() {
        let mut sensitive = Sensitive::new().unwrap();
        let value = sensitive.make("client secret").unwrap();
        let directory = tempfile::tempdir().unwrap();
        let evidence = Evidence::new(directory.path(), &sensitive);
        fs::create_dir_all(evidence.folder().join("after")).unwrap();
        fs::write(
            evidence.folder().join("after/leak.txt"),
            format!("x{value}x"),
        )
        .unwrap();
        fs::write(evidence.folder().join("fine.txt"), "fine").unwrap();
        let found = evidence.purge().unwrap();
        assert_eq!(found.len(), 1);
        assert!(
            found[0].ends_with("after/leak.txt: client secret"),
            "{found:?}"
        );
        assert!(!evidence.folder().join("after/leak.txt").exists());
        assert!(evidence.folder().join("fine.txt").exists());
    }
}
