//! podman with a storage of its own, which vanishes with it. Knows how the chart confines a container; knows nothing of
//! what is in the image.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Resource, getrlimit};
use tempfile::TempDir;

use super::rootfs::{PROGRAM, Rootfs};

const REMEDY: &str =
    "install podman and runc (Debian, Ubuntu: apt-get install --no-install-recommends podman runc)";
/// A container whose `podman run` was killed ends by itself.
const TIMEOUT: &str = "--timeout=600";
/// Threads count too; the operator has as many as there are cores, and some.
const PROCESSES: &str = "--ulimit=nproc=4096:4096";
/// Where this machine sets no limit.
const MOST_FILES: u64 = 1_048_576;

/// How podman is called.
pub(super) struct Podman {
    storage: TempDir,
    /// Its version.
    pub(super) version: String,
    /// runc where there is one: crun up to 1.8 starts nothing where cgroups are hybrid.
    pub(super) runtime: Option<&'static str>,
}

impl Podman {
    /// Looks for podman on PATH.
    ///
    /// # Errors
    /// There is none; the message says how to get it.
    pub(super) fn find() -> Result<Self> {
        let version = match Command::new("podman").arg("--version").output() {
            Ok(output) => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                bail!("there is no podman on PATH: {REMEDY}")
            }
            Err(error) => return Err(error).context("run podman"),
        };
        let has_runc = Command::new("runc").arg("--version").output().is_ok();
        Ok(Self {
            storage: tempfile::tempdir().context("make a temporary directory")?,
            version,
            runtime: has_runc.then_some("runc"),
        })
    }

    /// The options that come before podman's command.
    pub(super) fn options(&self) -> Vec<String> {
        let folder = |name: &str| self.storage.path().join(name).display().to_string();
        let mut options = vec![
            format!("--root={}", folder("root")),
            format!("--runroot={}", folder("run")),
            format!("--tmpdir={}", folder("tmp")),
            "--storage-driver=vfs".to_owned(),
            "--cgroup-manager=cgroupfs".to_owned(),
            "--events-backend=none".to_owned(),
        ];
        options.extend(self.runtime.map(|runtime| format!("--runtime={runtime}")));
        options
    }

    /// The arguments that run a container as the chart's securityContext confines it, on the host's network.
    pub(super) fn confined(&self) -> Vec<String> {
        let mut arguments = self.options();
        arguments.extend(
            [
                "run",
                "--rm",
                "--pull=never",
                "--network=host",
                "--read-only",
                "--read-only-tmpfs=false",
                "--cap-drop=all",
                "--security-opt=no-new-privileges",
                "--http-proxy=false",
                "--log-driver=k8s-file",
                TIMEOUT,
            ]
            .map(ToOwned::to_owned),
        );
        // podman would raise both to 1048576, which it may not everywhere
        let files = getrlimit(Resource::Nofile).maximum.unwrap_or(MOST_FILES);
        arguments.push(format!("--ulimit=nofile={files}:{files}"));
        arguments.push(PROCESSES.to_owned());
        arguments
    }

    /// Makes an image of one layer and returns its id. `time` is in seconds since 1970.
    ///
    /// # Errors
    /// podman fails; the message is its own.
    pub(super) fn build(
        &self,
        root: &Rootfs,
        user: &str,
        commit: &str,
        time: &str,
    ) -> Result<String> {
        let file = self.storage.path().join("Containerfile");
        fs::write(&file, containerfile(user, commit)).context("write the Containerfile")?;
        let (file, timestamp) = (
            format!("--file={}", file.display()),
            format!("--timestamp={time}"),
        );
        let context = root.path().display().to_string();
        let id = self.ask(&[
            "build",
            "--quiet",
            "--no-cache",
            "--layers=false",
            "--isolation=chroot",
            &timestamp,
            &file,
            &context,
        ])?;
        Ok(id.trim().to_owned())
    }

    /// The bytes of its files.
    ///
    /// # Errors
    /// podman fails.
    pub(super) fn size(&self, image: &str) -> Result<u64> {
        let size = self.ask(&["image", "inspect", "--format={{.Size}}", image])?;
        size.trim().parse().context("podman tells no size")
    }

    /// Writes an OCI archive, whose layer is compressed.
    ///
    /// # Errors
    /// podman fails.
    pub(super) fn save(&self, image: &str, archive: &Path) -> Result<()> {
        if archive.exists() {
            fs::remove_file(archive).context("remove the old archive")?;
        }
        let output = format!("--output={}", archive.display());
        self.ask(&["save", "--quiet", "--format=oci-archive", &output, image])
            .map(drop)
    }

    /// Runs a confined container to its end and returns what it printed.
    ///
    /// # Errors
    /// It does not start or fails.
    pub(super) fn run_once(&self, image: &str, arguments: &[&str]) -> Result<String> {
        let mut all = self.confined();
        all.push(image.to_owned());
        all.extend(arguments.iter().map(ToString::to_string));
        run(&all)
    }

    /// The process of a running container, as the host numbers it.
    ///
    /// # Errors
    /// There is no such container.
    pub(super) fn pid(&self, container: &str) -> Result<u32> {
        let pid = self.ask(&["inspect", "--format={{.State.Pid}}", container])?;
        pid.trim().parse().context("podman tells no pid")
    }

    fn ask(&self, arguments: &[&str]) -> Result<String> {
        let mut all = self.options();
        all.extend(arguments.iter().map(ToString::to_string));
        run(&all)
    }
}

fn run(arguments: &[String]) -> Result<String> {
    let output = Command::new("podman").args(arguments).output();
    let output = output.context("run podman")?;
    ensure!(
        output.status.success(),
        "podman {}: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Label by label what the Dockerfile has, but for `source`, which a checkout does not know.
fn containerfile(user: &str, commit: &str) -> String {
    format!(
        r#"FROM scratch
LABEL org.opencontainers.image.title="keyferry" \
      org.opencontainers.image.description="{}" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="{}" \
      org.opencontainers.image.revision="{commit}"
COPY . /
USER {user}
EXPOSE 8080 8082
ENTRYPOINT ["{PROGRAM}"]
"#,
        "Keeps Kubernetes Secrets in step with Azure Key Vault; serves the external-secrets.io kinds",
        env!("CARGO_PKG_VERSION"),
    )
}
