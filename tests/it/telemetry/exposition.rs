//! Prometheus' text format, read. Knows no family.

use std::collections::BTreeMap;

/// One series.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sample {
    pub(super) name: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) value: f64,
}

/// What an endpoint shows.
#[derive(Clone, Debug)]
pub(super) struct Exposition {
    pub(super) samples: Vec<Sample>,
}

impl Exposition {
    /// Reads the text; a line that is none ends the test.
    pub(super) fn parse(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        Self {
            samples: lines.map(sample).collect(),
        }
    }

    /// The series of this name that have these labels, others beside.
    pub(super) fn series(&self, name: &str, labels: &[(&str, &str)]) -> Vec<&Sample> {
        let has = |sample: &Sample, (label, value): &(&str, &str)| {
            sample.labels.get(*label).map(String::as_str) == Some(*value)
        };
        let named = self.samples.iter().filter(|sample| sample.name == name);
        named
            .filter(|sample| labels.iter().all(|pair| has(sample, pair)))
            .collect()
    }

    /// The sum of [`Exposition::series`]; `None` where there are none.
    pub(super) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let series = self.series(name, labels);
        (!series.is_empty()).then(|| series.iter().map(|sample| sample.value).sum())
    }
}

fn sample(line: &str) -> Sample {
    let (series, value) = line.rsplit_once(' ').unwrap();
    let (name, labels) = match series.split_once('{') {
        None => (series, BTreeMap::new()),
        Some((name, rest)) => (name, pairs(rest.strip_suffix('}').unwrap())),
    };
    Sample {
        name: name.to_owned(),
        labels,
        value: value.parse().unwrap(),
    }
}

/// `name="value"` pairs with commas between; a backslash goes before what would end a value.
fn pairs(mut text: &str) -> BTreeMap<String, String> {
    let mut pairs = BTreeMap::new();
    while let Some((name, rest)) = text.split_once("=\"") {
        let mut value = String::new();
        let mut characters = rest.char_indices();
        let end = loop {
            match characters.next().unwrap() {
                (at, '"') => break at,
                (_, '\\') => value.push(characters.next().unwrap().1),
                (_, other) => value.push(other),
            }
        };
        pairs.insert(name.trim_start_matches(',').to_owned(), value);
        text = &rest[end + 1..];
    }
    pairs
}

#[test]
fn the_text_format_is_read_with_its_quotes() {
    let text = "# HELP a b\na 1\nb_total{x=\"1\",y=\"a\\\"}b, c\"} 2.5\n";
    let exposition = Exposition::parse(text);
    assert_eq!(exposition.sum("a", &[]), Some(1.0));
    assert_eq!(exposition.sum("b_total", &[("y", "a\"}b, c")]), Some(2.5));
    assert_eq!(exposition.sum("b_total", &[("x", "2")]), None);
}
