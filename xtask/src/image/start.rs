//! Starts the image on the test bed, confined as the chart confines it, and looks whether it works: it becomes ready
//! with the image's own trust roots, writes a Secret from azfake, and ends at SIGTERM. Knows no file of the image.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use azfake::AzFake;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use tempfile::TempDir;
use testbed::{ControlPlane, Launch, Process};
use tokio::time::sleep;

use super::podman::Podman;
use super::say;
use crate::bench::manifests;
use crate::operator;

const NAME: &str = "keyferry";
const TEAM: &str = "image";
/// Where the container finds the kubeconfig and azfake's authority.
const MOUNT: &str = "/run/keyferry";
const TOKEN_LIFE: Duration = Duration::from_hours(1);
const WITHIN: Duration = Duration::from_mins(1);
const GRACE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(5);
const LOG_LINES: usize = 20;

/// Starts it twice, and prints what was seen.
///
/// # Errors
/// It does not start, is not confined, does not sync or does not end.
pub(super) async fn prove(podman: &Podman, image: &str, user: &str) -> Result<()> {
    let (plane, azure) = operator::bed(false).await?;
    let environment = operator::environment(&plane, &azure, TOKEN_LIFE).await?;
    let bed = Bed {
        podman,
        image,
        log: plane.state().join("container.log"),
    };
    let own_roots: Vec<_> = environment
        .iter()
        .filter(|(name, _)| name == "KUBECONFIG")
        .cloned()
        .collect();
    let container = bed.start(&own_roots).await?;
    confinement(container.pid, user)?;
    container.stop().await?;
    let container = bed.start(&environment).await?;
    sync(&plane, &azure).await?;
    container.stop().await
}

/// What a container is started from.
struct Bed<'a> {
    podman: &'a Podman,
    image: &'a str,
    log: std::path::PathBuf,
}

/// A ready operator in a container.
struct Container {
    process: Process,
    pid: u32,
    // mounted while it runs
    _files: TempDir,
}

impl Bed<'_> {
    /// Starts the operator and waits until it is ready.
    async fn start(&self, environment: &[(String, String)]) -> Result<Container> {
        let (files, environment) = mounted(environment)?;
        let live = testbed::free_port()?;
        let mut arguments = self.podman.confined();
        arguments.push(format!("--name={NAME}"));
        let folder = files.path().join("files");
        arguments.push(format!("--volume={}:{MOUNT}:ro", folder.display()));
        for (name, value) in &environment {
            arguments.push(format!("--env={name}={value}"));
        }
        arguments.push(self.image.to_owned());
        arguments.push(format!("--live-addr=127.0.0.1:{live}"));
        arguments.push(format!(
            "--metrics-addr=127.0.0.1:{}",
            testbed::free_port()?
        ));
        let begin = Instant::now();
        let process = Process::spawn(Launch::new("podman", &self.log).args(arguments))?;
        while !operator::is_ready(live).await {
            if !process.is_running() || begin.elapsed() > WITHIN {
                bail!(
                    "the container is not ready\n{}",
                    process.log_tail(LOG_LINES)
                );
            }
            sleep(POLL).await;
        }
        let ready = Instant::now();
        let pid = self.podman.pid(NAME)?;
        let own = testbed::age(pid)?.saturating_sub(ready.elapsed());
        say(&format!(
            "ready: /readyz answers {} ms after the container's process began, {} ms after podman",
            own.as_millis(),
            ready.duration_since(begin).as_millis()
        ))?;
        Ok(Container {
            process,
            pid,
            _files: files,
        })
    }
}

impl Container {
    /// SIGTERM, which the operator must obey as the first process of its container.
    async fn stop(mut self) -> Result<()> {
        let begin = Instant::now();
        let status = self.process.stop(GRACE).await?;
        ensure!(
            status.success(),
            "after SIGTERM the container ended with {status}\n{}",
            self.process.log_tail(LOG_LINES)
        );
        say(&format!(
            "ended with 0 in {} ms after SIGTERM",
            begin.elapsed().as_millis()
        ))
    }
}

/// Copies the files that the environment names to where the container's user may read them.
fn mounted(environment: &[(String, String)]) -> Result<(TempDir, Vec<(String, String)>)> {
    // only its owner may enter, and the mount is of what is below
    let directory = tempfile::tempdir().context("make a temporary directory")?;
    let folder = directory.path().join("files");
    fs::create_dir(&folder)?;
    fs::set_permissions(&folder, Permissions::from_mode(0o755))?;
    let mut inside = Vec::new();
    for (name, value) in environment {
        let value = if Path::new(value).is_file() {
            let target = folder.join(name);
            fs::copy(value, &target).with_context(|| format!("copy {value}"))?;
            fs::set_permissions(&target, Permissions::from_mode(0o644))?;
            format!("{MOUNT}/{name}")
        } else {
            value.clone()
        };
        inside.push((name.clone(), value));
    }
    Ok((directory, inside))
}

/// What the kernel says about the process.
fn confinement(pid: u32, user: &str) -> Result<()> {
    let read = |file: &str| {
        fs::read_to_string(format!("/proc/{pid}/{file}")).with_context(|| format!("read {file}"))
    };
    let problems = loosened(&read("status")?, &read("mountinfo")?, user);
    ensure!(
        problems.is_empty(),
        "the container is not confined: {}",
        problems.join("; ")
    );
    say(&format!(
        "confined: user {user}, no capability, no new privileges, seccomp filter, read-only root"
    ))
}

/// What is not as the chart's securityContext demands, from /proc/PID/status and mountinfo.
fn loosened(status: &str, mounts: &str, user: &str) -> Vec<String> {
    let (uid, gid) = user.split_once(':').unwrap_or((user, user));
    let four = |id: &str| [id; 4].join("\t");
    let none = "0000000000000000".to_owned();
    let wanted = [
        ("Uid", four(uid)),
        ("Gid", four(gid)),
        ("CapPrm", none.clone()),
        ("CapEff", none.clone()),
        ("CapBnd", none.clone()),
        ("CapAmb", none),
        ("NoNewPrivs", "1".to_owned()),
        ("Seccomp", "2".to_owned()),
    ];
    let mut problems = Vec::new();
    for (field, value) in wanted {
        let line = format!("{field}:\t{value}");
        if !status.lines().any(|found| found == line) {
            problems.push(format!("no `{line}` in /proc/PID/status"));
        }
    }
    let is_read_only = mounts.lines().any(|line| {
        let fields: Vec<&str> = line.split(' ').collect();
        fields.get(4) == Some(&"/")
            && fields
                .get(5)
                .is_some_and(|options| options.starts_with("ro"))
    });
    if !is_read_only {
        problems.push("the root is not read-only".to_owned());
    }
    problems
}

/// A value of azfake's vault becomes a Secret.
async fn sync(plane: &ControlPlane, azure: &AzFake) -> Result<()> {
    let content = serde_json::from_value(manifests::secrets(1)).context("content of the vault")?;
    azure.control().seed(TEAM, content)?;
    let mut documents = manifests::team(TEAM);
    documents.push(manifests::reader(TEAM, "app", &["s0".to_owned()], 60));
    plane.apply_yaml(&manifests::text(&documents)).await?;
    let secrets: Api<Secret> = Api::namespaced(plane.admin_client(), TEAM);
    let begin = Instant::now();
    loop {
        let secret = secrets.get_opt("app").await.context("read the Secret")?;
        let value = secret.and_then(|secret| secret.data?.remove("value0"));
        if value.is_some_and(|value| value.0 == b"value 0") {
            return say("a value of the vault is in its Secret");
        }
        ensure!(begin.elapsed() < WITHIN, "no Secret after {WITHIN:?}");
        sleep(POLL).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_loosened_limit_is_told() {
        let status = "Uid:\t7\t7\t7\t7\nGid:\t8\t8\t8\t8\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n\
            CapBnd:\t0000000000000000\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n";
        let mounts = "1 0 0:1 / / ro,relatime - ext4 x rw\n2 1 0:2 / /proc rw - proc proc rw\n";
        assert!(loosened(status, mounts, "7:8").is_empty());
        for (present, other) in [
            ("Uid:\t7\t7", "Uid:\t7\t0"),
            ("CapEff:\t0", "CapEff:\t1"),
            ("NoNewPrivs:\t1", "NoNewPrivs:\t0"),
            ("Seccomp:\t2", "Seccomp:\t0"),
        ] {
            let found = loosened(&status.replace(present, other), mounts, "7:8");
            assert_eq!(found.len(), 1, "{other}: {found:?}");
        }
        let writable = mounts.replace("/ ro,", "/ rw,");
        assert_eq!(loosened(status, &writable, "7:8").len(), 1);
    }
}
