//! Where the binaries come from: `KUBEBUILDER_ASSETS`, else PATH, else a cache that is filled by
//! building the Go modules below `testbed/`. Helm, the linters, the programs that speak for Go's templates and for Argo CD
//! and Flux, and the suites of the Azure SDKs are always built.

mod build;
mod cache;
mod cargo;
mod go;
mod modules;
mod python;

use std::env;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::process::on_path;
pub use python::Python;

/// Names the directory with the binaries, as other Kubernetes test tools do.
const ASSETS_VARIABLE: &str = "KUBEBUILDER_ASSETS";

/// Told, line by line, what takes long.
pub type Progress<'a> = &'a dyn Fn(&str);

/// The binaries of a control plane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kubernetes {
    /// etcd
    pub etcd: PathBuf,
    /// kube-apiserver
    pub api_server: PathBuf,
    /// kube-controller-manager
    pub controller_manager: PathBuf,
    /// kubectl
    pub kubectl: PathBuf,
}

impl Kubernetes {
    fn in_directory(directory: &Path) -> Self {
        Self {
            etcd: directory.join("etcd"),
            api_server: directory.join("kube-apiserver"),
            controller_manager: directory.join("kube-controller-manager"),
            kubectl: directory.join("kubectl"),
        }
    }

    fn missing(&self) -> Vec<String> {
        let all = [
            &self.etcd,
            &self.api_server,
            &self.controller_manager,
            &self.kubectl,
        ];
        let absent = all.into_iter().filter(|path| !path.is_file());
        absent
            .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
            .collect()
    }
}

/// Finds the control plane's binaries, or builds them into the cache: minutes the first time on a
/// machine, nothing after. Blocks.
///
/// # Errors
/// `KUBEBUILDER_ASSETS` is set and incomplete, or the build fails (see the message for the remedy).
pub fn kubernetes(progress: Progress<'_>) -> Result<Kubernetes> {
    if let Some(directory) = env::var_os(ASSETS_VARIABLE).filter(|value| !value.is_empty()) {
        return given(Path::new(&directory));
    }
    if let Some(found) = installed() {
        return Ok(found);
    }
    build::module(&modules::KUBERNETES, progress)
        .map(|directory| Kubernetes::in_directory(&directory))
}

/// The program that tells what Go makes of templates (`testbed/gotemplate`), built into the cache if
/// need be. Blocks.
///
/// # Errors
/// There is no Go, or the build fails (see the message for the remedy).
pub fn gotemplate(progress: Progress<'_>) -> Result<PathBuf> {
    build::module(&modules::GOTEMPLATE, progress).map(|directory| directory.join("gotemplate"))
}

/// The program that speaks for Argo CD and Flux (`testbed/gitops`), built into the cache if need be. Blocks.
///
/// # Errors
/// There is no Go, or the build fails (see the message for the remedy).
pub fn gitops(progress: Progress<'_>) -> Result<PathBuf> {
    build::module(&modules::GITOPS, progress).map(|directory| directory.join("gitops"))
}

/// The tests of the Azure SDK for Go (`testbed/azure-sdk/go`), built into the cache if need be. Blocks.
///
/// # Errors
/// There is no Go, or the build fails (see the message for the remedy).
pub fn azure_sdk_go(progress: Progress<'_>) -> Result<PathBuf> {
    build::module(&modules::AZURE_SDK, progress).map(|directory| directory.join("azure-sdk"))
}

/// A Python that can run `testbed/azure-sdk/python`; its packages are fetched into the cache if need be.
/// Blocks.
///
/// # Errors
/// There is no Python with pip, or the packages cannot be had (see the message for the remedy).
pub fn azure_sdk_python(progress: Progress<'_>) -> Result<Python> {
    python::with_packages("azure-sdk/python", progress)
}

/// Helm and what checks charts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Helm {
    /// Helm 3
    pub helm: PathBuf,
    /// Helm 4
    pub helm4: PathBuf,
    /// Runs the unit tests of a chart.
    pub unittest: PathBuf,
    /// Checks manifests against JSON schemas.
    pub kubeconform: PathBuf,
}

/// Helm 3 and 4, helm-unittest and kubeconform, built into the cache if need be. Blocks.
///
/// # Errors
/// There is no Go, or the build fails (see the message for the remedy).
pub fn helm(progress: Progress<'_>) -> Result<Helm> {
    let third = build::module(&modules::HELM, progress)?;
    let fourth = build::module(&modules::HELM4, progress)?;
    Ok(Helm {
        helm: third.join("helm"),
        helm4: fourth.join("helm4"),
        unittest: third.join("helm-unittest"),
        kubeconform: third.join("kubeconform"),
    })
}

/// What checks files that are not Rust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linters {
    /// Checks GitHub workflows.
    pub actionlint: PathBuf,
    /// Checks Dockerfiles as BuildKit does (`testbed/lint`).
    pub dockerfile: PathBuf,
    /// Checks and tests alerting rules.
    pub promtool: PathBuf,
    /// Checks shell scripts.
    pub shellcheck: PathBuf,
}

/// The linters, built or (shellcheck, which is no Go program) fetched by pip into the cache if need be.
/// Blocks.
///
/// # Errors
/// There is no Go or no Python with pip, or a build or a download fails (see the message for the remedy).
pub fn linters(progress: Progress<'_>) -> Result<Linters> {
    let lint = build::module(&modules::LINT, progress)?;
    Ok(Linters {
        actionlint: lint.join("actionlint"),
        dockerfile: lint.join("dockerfile"),
        promtool: build::module(&modules::PROMTOOL, progress)?.join("promtool"),
        shellcheck: python::with_packages("shellcheck", progress)?
            .packages
            .join("bin/shellcheck"),
    })
}

/// The program that lists the crates of a program as CycloneDX, built into the cache if need be. Blocks.
///
/// # Errors
/// There is no cargo, or the build fails (see the message for the remedy).
pub fn cyclonedx(progress: Progress<'_>) -> Result<PathBuf> {
    cargo::program("cargo-cyclonedx", "0.5.9", progress)
}

/// Writes a progress line to standard error.
pub fn to_stderr(line: &str) {
    // nobody to tell if this fails
    let _ = writeln!(std::io::stderr(), "testbed: {line}");
}

fn given(directory: &Path) -> Result<Kubernetes> {
    let found = Kubernetes::in_directory(directory);
    let missing = found.missing();
    if !missing.is_empty() {
        bail!(
            "{ASSETS_VARIABLE}={} lacks {} (bundles made for envtest have no kube-controller-manager, which this bed \
             needs): add what is missing, or unset {ASSETS_VARIABLE} to have all built",
            directory.display(),
            missing.join(", ")
        );
    }
    Ok(found)
}

/// All four on PATH, or none of them.
fn installed() -> Option<Kubernetes> {
    Some(Kubernetes {
        etcd: on_path("etcd")?,
        api_server: on_path("kube-apiserver")?,
        controller_manager: on_path("kube-controller-manager")?,
        kubectl: on_path("kubectl")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incomplete_directory_is_an_error_that_names_what_is_missing() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["etcd", "kube-apiserver", "kubectl"] {
            std::fs::write(directory.path().join(name), "").unwrap();
        }
        let error = given(directory.path()).unwrap_err().to_string();
        assert!(error.contains("lacks kube-controller-manager ("), "{error}");
        std::fs::write(directory.path().join("kube-controller-manager"), "").unwrap();
        assert_eq!(
            given(directory.path()).unwrap(),
            Kubernetes::in_directory(directory.path())
        );
    }
}
