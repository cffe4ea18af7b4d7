//! `--loglevel`: modules differ, a failure is one line, and what is no level ends the start.

use serde_json::Value;
use tokio::process::Command;

use super::corner::Corner;
use crate::support::{run, settings};

#[test]
fn modules_have_levels_of_their_own_and_a_failure_is_one_line() {
    run(async {
        let levels = "--loglevel=warn,keyferry::provider=debug";
        let corner = Corner::new("log", &[levels]).await;
        corner.good_and_bad().await;
        let log = corner.operator.log().unwrap();
        let lines: Vec<Value> = log
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let of = |module: &str, level: &str| {
            let fits = |line: &&Value| {
                let target = line["target"].as_str().unwrap();
                target.starts_with(module) && line["level"] == level
            };
            lines.iter().filter(fits).count()
        };
        assert!(of("keyferry::provider", "DEBUG") >= 2, "{log}");
        assert_eq!(of("keyferry::controller", "INFO"), 0, "{log}");
        let of_bad = |line: &&Value| line["name"] == "bad";
        let failures: Vec<_> = lines.iter().filter(of_bad).collect();
        // one more for each try since
        for (line, number) in failures.iter().zip(1..) {
            assert_eq!(line["failures"], number, "{log}");
            assert_eq!(line["level"], "WARN", "{log}");
        }
        assert!(!failures.is_empty(), "{log}");
        assert_eq!(of("", "WARN"), failures.len(), "{log}");
    });
}

#[test]
fn what_is_no_level_ends_the_start_with_a_word_on_what_would_be_one() {
    run(async {
        for (levels, said) in [
            ("loud", "\"loud\" is no level; write trace, debug, info"),
            ("info,keyferry=loud", "\"loud\" is no level"),
            ("info,debug", "write MODULE=debug for a module"),
        ] {
            let mut command = Command::new(settings::operator());
            command.env_clear().arg(format!("--loglevel={levels}"));
            let ended = command.output().await.unwrap();
            let told = String::from_utf8(ended.stderr).unwrap();
            assert_eq!(ended.status.code(), Some(2), "{told}");
            assert!(told.contains(said), "{told}");
        }
    });
}
