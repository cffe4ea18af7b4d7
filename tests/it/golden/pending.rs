//! pending.txt: the cases whose feature is yet to come. One name a line, `# needs: …` behind it.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, bail};

/// Names of cases with what they wait for.
#[derive(Debug, Default)]
pub(crate) struct Pending(BTreeMap<String, String>);

impl Pending {
    /// Reads the list; a missing file is an empty one.
    pub(crate) fn load(file: &Path) -> anyhow::Result<Self> {
        match std::fs::read_to_string(file) {
            Ok(text) => Self::parse(&text).with_context(|| format!("in {}", file.display())),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(e) => Err(e).with_context(|| format!("reading {}", file.display())),
        }
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let mut names = BTreeMap::new();
        for line in text.lines().map(str::trim) {
            let (name, why) = line.split_once([' ', '\t', '#']).unwrap_or((line, ""));
            let why = why.trim_matches([' ', '\t', '#']);
            if !name.is_empty() && names.insert(name.to_owned(), why.to_owned()).is_some() {
                bail!("{name} stands there twice");
            }
        }
        Ok(Self(names))
    }

    /// Whether the case waits.
    pub(crate) fn holds(&self, case: &str) -> bool {
        self.0.contains_key(case)
    }

    /// Names that belong to no case.
    pub(crate) fn unknown(&self, known: impl Fn(&str) -> bool) -> Vec<String> {
        let unknown = self.0.keys().filter(|name| !known(name));
        unknown
            .map(|name| format!("pending.txt: there is no case {name}"))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Pending;

    #[test]
    fn names_stand_alone_or_with_what_they_need() {
        let pending = Pending::parse("# comment\n\na-b  # needs: template engine\nc\n").unwrap();
        assert!(pending.holds("a-b") && pending.holds("c") && !pending.holds("comment"));
        assert_eq!(pending.0["a-b"], "needs: template engine");
        assert_eq!(
            pending.unknown(|name| name == "c"),
            ["pending.txt: there is no case a-b"]
        );
    }

    #[test]
    fn a_name_twice_is_an_error() {
        assert!(Pending::parse("a\na # needs: x").is_err());
    }
}
