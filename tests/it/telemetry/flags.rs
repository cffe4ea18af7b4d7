//! ESO's flags, as users have them in `extraArgs`: all are accepted, those without effect are told of at the
//! start, and what neither ESO nor Keyferry has ends the start.

use serde_json::Value;
use tokio::process::Command;

use super::corner::Corner;
use crate::support::{run, settings};

/// Each flag of ESO 2.9.0's controller but for addresses and namespace, which the test bed gives, with a value
/// as its users have them (ESO's page "Controller options"); those that mean something here.
const MEANT: [&str; 29] = [
    "--metrics-secure=false",
    "--metrics-auth=false",
    "--metrics-cert-dir=/etc/tls",
    "--metrics-cert-name=tls.crt",
    "--metrics-key-name=tls.key",
    "--controller-class=default",
    "--enable-leader-election=false",
    "--leader-election-id=external-secrets-controller",
    "--leader-election-lease-duration=15s",
    "--leader-election-renew-deadline=10s",
    "--leader-election-retry-period=2s",
    "--concurrent=5",
    "--client-qps=200",
    "--client-burst=400",
    "--loglevel=debug",
    // of a flag that is given twice the last counts
    "--loglevel=info",
    "--enable-cluster-store-reconciler=true",
    "--enable-secret-store-reconciler",
    "--enable-cluster-external-secret-reconciler=false",
    "--enable-cluster-push-secret-reconciler=false",
    "--enable-push-secret-reconciler=false",
    "--store-requeue-interval=5m",
    "--enable-flood-gate=true",
    "--enable-extended-metric-labels=false",
    "--unsafe-allow-generic-targets=false",
    "--template-left-delimiter={{",
    "--template-right-delimiter",
    "}}",
    "--namespace=",
];

const CACHES: &str = "Secrets and ConfigMaps are cached by their metadata alone, and read where their content is needed";

/// Those that have no effect, and why.
const WITHOUT_EFFECT: [(&str, &str); 19] = [
    (
        "--zap-time-encoding=epoch",
        "log lines tell the time as RFC 3339 in the field timestamp",
    ),
    ("--enable-secrets-caching", CACHES),
    ("--enable-configmaps-caching=true", CACHES),
    ("--enable-managed-secrets-caching=false", CACHES),
    (
        "--enable-secret-api-read-on-cache-mismatch=true",
        "there is one cache of Secrets, which cannot differ from another",
    ),
    ("--enable-http2=true", "metrics are served by HTTP/1.1"),
    ("--enable-generator-state=true", "generators are not served"),
    (
        "--generator-gc-grace-period=2m",
        "generators are not served",
    ),
    (
        "--enable-vault-token-cache",
        "the provider vault is not served",
    ),
    (
        "--vault-token-cache-size=262144",
        "the provider vault is not served",
    ),
    (
        "--experimental-enable-vault-token-cache",
        "the provider vault is not served",
    ),
    (
        "--experimental-vault-token-cache-size=262144",
        "the provider vault is not served",
    ),
    (
        "--experimental-enable-doppler-oidc-cache=false",
        "the provider doppler is not served",
    ),
    (
        "--experimental-doppler-oidc-cache-size=262144",
        "the provider doppler is not served",
    ),
    (
        "--doppler-etag-cache-size=16384",
        "the provider doppler is not served",
    ),
    (
        "--mysterybox-tokens-cache-size=4096",
        "the provider nebiusmysterybox is not served",
    ),
    (
        "--mysterybox-connections-cache-size=128",
        "the provider nebiusmysterybox is not served",
    ),
    (
        "--experimental-enable-aws-session-cache",
        "the provider aws is not served",
    ),
    (
        "--pulumi-oidc-cache-size=1024",
        "the provider pulumi is not served",
    ),
];

#[test]
fn the_operator_works_with_all_flags_of_eso_and_tells_which_have_no_effect() {
    run(async {
        let without_effect = WITHOUT_EFFECT.iter().map(|(flag, _)| *flag);
        let flags: Vec<_> = MEANT.into_iter().chain(without_effect).collect();
        let corner = Corner::new("flags", &flags).await;
        corner.good_and_bad().await;
        let log = corner.operator.log().unwrap();
        let lines = log.lines().map(serde_json::from_str::<Value>);
        let lines: Vec<Value> = lines.map(Result::unwrap).collect();
        let told: Vec<_> = lines
            .iter()
            .filter(|line| line["flag"].is_string())
            .map(|line| (line["level"].as_str(), line["message"].as_str()))
            .collect();
        let expected = WITHOUT_EFFECT.map(|(flag, why)| {
            let name = flag.split('=').next().unwrap();
            format!("{name} has no effect: {why}")
        });
        let expected: Vec<_> = expected
            .iter()
            .map(|message| (Some("WARN"), Some(message.as_str())))
            .collect();
        assert_eq!(told, expected, "{log}");
    });
}

#[test]
fn what_is_no_flag_ends_the_start() {
    run(async {
        for flag in ["--enable-caching", "--vault-token-caches-size=1"] {
            let mut command = Command::new(settings::operator());
            let ended = command.env_clear().arg(flag).output().await.unwrap();
            let told = String::from_utf8(ended.stderr).unwrap();
            assert_eq!(ended.status.code(), Some(2), "{told}");
            assert!(told.contains("unexpected argument"), "{told}");
        }
    });
}
