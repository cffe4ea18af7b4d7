//! The differential test: templates and data made at random, given to Go and to us. Knows how outcomes
//! are compared; what is generated is `generate`'s.

use std::collections::BTreeMap;
use std::env;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use data_encoding::BASE64;
use gotemplate::{Functions, Options, Template};
use serde::Deserialize;

use crate::generate::{Pair, pair};
use crate::support;

/// How many disagreements are shown.
const SHOWN: usize = 40;

/// What Go said.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    o: String,
    e: Option<String>,
}

type Outcome = Result<Vec<u8>, String>;

impl Answer {
    fn outcome(self) -> Outcome {
        match self.e {
            Some(error) => Err(error),
            None => Ok(BASE64.decode(self.o.as_bytes()).unwrap()),
        }
    }
}

fn ours(pair: &Pair, functions: &Functions) -> Outcome {
    let options = Options {
        missing_key: pair.missing_key,
        ..Options::default()
    };
    Template::parse_with("case", &pair.template, functions, &options)
        .and_then(|template| template.execute(&pair.data.value()))
        .map_err(|error| error.to_string())
}

/// How two outcomes relate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    SameOutput,
    SameError,
    /// both stopped counting, each in its own words
    Limit,
    OutputDiffers,
    OnlyGoFails,
    OnlyWeFail,
    /// both fail, with different texts
    ErrorTextDiffers,
}

fn verdict(go: &Outcome, ours: &Outcome) -> Verdict {
    match (go, ours) {
        (Ok(go), Ok(ours)) if go == ours => Verdict::SameOutput,
        (Ok(_), Ok(_)) => Verdict::OutputDiffers,
        (Err(go), Err(ours)) if go == ours => Verdict::SameError,
        (Err(go), Err(ours)) if go == "too much output" && ours.contains(" more than ") => {
            Verdict::Limit
        }
        (Err(_), Err(_)) => Verdict::ErrorTextDiffers,
        (Err(_), Ok(_)) => Verdict::OnlyGoFails,
        (Ok(_), Err(_)) => Verdict::OnlyWeFail,
    }
}

fn shown(outcome: &Outcome) -> String {
    match outcome {
        Ok(bytes) => format!("{:?}", String::from_utf8_lossy(bytes)),
        Err(error) => format!("error: {error}"),
    }
}

#[allow(clippy::disallowed_methods, reason = "a test has no flags of its own")]
fn setting(name: &str, default: u64) -> u64 {
    env::var(name).map_or(default, |text| text.parse().unwrap())
}

#[test]
fn random_templates_give_what_go_gives() {
    let count = setting("GOTEMPLATE_PAIRS", 5_000);
    let seed = setting("GOTEMPLATE_SEED", 1);

    let mut go = Command::new(crate::oracle())
        .arg("pairs")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut questions = BufWriter::new(go.stdin.take().unwrap());
    let writer = thread::spawn(move || {
        for index in 0..count {
            // who reads the answers says why nobody reads the questions
            if writeln!(questions, "{}", pair(seed, index).line()).is_err() {
                break;
            }
        }
    });
    let functions = support::functions();
    let start = Instant::now();
    let mut counts = BTreeMap::<Verdict, usize>::new();
    let mut wrong = Vec::new();
    let mut answers = BufReader::new(go.stdout.take().unwrap()).lines();
    for index in 0..count {
        let pair = pair(seed, index);
        let line = answers.next().unwrap_or_else(|| {
            panic!("Go died of pair {index} of seed {seed}:\n{}", pair.text());
        });
        let answer: Answer = serde_json::from_str(&line.unwrap()).unwrap();
        let (go, ours) = (answer.outcome(), ours(&pair, &functions));
        let verdict = verdict(&go, &ours);
        *counts.entry(verdict).or_default() += 1;
        if verdict >= Verdict::OutputDiffers && wrong.len() < SHOWN {
            wrong.push(format!(
                "pair {index}: {verdict:?}\n{}\n go   {}\n ours {}\n",
                pair.text(),
                shown(&go),
                shown(&ours)
            ));
        }
    }
    writer.join().unwrap();
    assert!(go.wait().unwrap().success());
    let seconds = start.elapsed().as_secs_f64();
    let summary = format!("{count} pairs of seed {seed} in {seconds:.0} s: {counts:?}");
    support::say(&summary);
    assert!(wrong.is_empty(), "{summary}\n{}", wrong.join("\n"));
    // a generator that makes mostly errors would test little
    assert!(counts[&Verdict::SameOutput] as u64 * 2 > count, "{summary}");
}
