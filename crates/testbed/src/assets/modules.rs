//! The Go modules below `testbed/` and the tools that each yields. A further module is a further
//! constant here and a function in `assets` that names its binaries.

use anyhow::{Context as _, Result};

/// A directory below `testbed/` with go.mod and go.sum.
pub(crate) struct Module {
    /// The directory's name.
    pub(crate) name: &'static str,
    /// What is built from it, in this order.
    pub(crate) tools: &'static [Tool],
    /// How long a first build takes on two idle cores.
    pub(crate) minutes: u32,
    /// What can be done without Go, as the end of a sentence.
    pub(crate) otherwise: &'static str,
}

/// A binary.
pub(crate) struct Tool {
    /// Its file name.
    pub(crate) name: &'static str,
    /// What the go command does: [`BUILD`] or [`TEST`].
    pub(crate) verb: &'static [&'static str],
    /// The Go package of its `main`, or of its tests.
    pub(crate) package: &'static str,
    /// From the text of go.mod, the linker's `-X` assignments (`variable=value`).
    pub(crate) stamps: fn(&str) -> Result<Vec<String>>,
}

/// Makes a program.
pub(crate) const BUILD: &[&str] = &["build"];
/// Makes a program that runs a package's tests.
pub(crate) const TEST: &[&str] = &["test", "-c"];

/// etcd and Kubernetes. Measured: 830 CPU seconds and 20 more for etcd.
pub(crate) const KUBERNETES: Module = Module {
    name: "k8s",
    tools: &[
        Tool {
            name: "kube-apiserver",
            verb: BUILD,
            package: "k8s.io/kubernetes/cmd/kube-apiserver",
            stamps: kubernetes_stamps,
        },
        Tool {
            name: "kube-controller-manager",
            verb: BUILD,
            package: "k8s.io/kubernetes/cmd/kube-controller-manager",
            stamps: kubernetes_stamps,
        },
        Tool {
            name: "kubectl",
            verb: BUILD,
            package: "k8s.io/kubernetes/cmd/kubectl",
            stamps: kubernetes_stamps,
        },
        Tool {
            name: "etcd",
            verb: BUILD,
            package: "go.etcd.io/etcd/server/v3",
            stamps: |_| Ok(Vec::new()),
        },
    ],
    minutes: 8,
    otherwise: ", or set KUBEBUILDER_ASSETS to a directory with the binaries",
};

/// Go's templates, which gotemplate is compared with.
pub(crate) const GOTEMPLATE: Module = Module {
    name: "gotemplate",
    tools: &[Tool {
        name: "gotemplate",
        verb: BUILD,
        package: ".",
        stamps: |_| Ok(Vec::new()),
    }],
    minutes: 1,
    otherwise: "",
};

/// The tests of the Azure SDK for Go against azfake.
pub(crate) const AZURE_SDK: Module = Module {
    name: "azure-sdk/go",
    tools: &[Tool {
        name: "azure-sdk",
        verb: TEST,
        package: ".",
        stamps: |_| Ok(Vec::new()),
    }],
    minutes: 1,
    otherwise: "",
};

/// Argo CD's and Flux's own code. Measured: 510 CPU seconds.
pub(crate) const GITOPS: Module = Module {
    name: "gitops",
    tools: &[Tool {
        name: "gitops",
        verb: BUILD,
        package: ".",
        stamps: |_| Ok(Vec::new()),
    }],
    minutes: 5,
    otherwise: "",
};

/// Helm 3, the runner of chart unit tests and the checker of manifests against schemas.
pub(crate) const HELM: Module = Module {
    name: "helm",
    tools: &[
        Tool {
            name: "helm",
            verb: BUILD,
            package: "helm.sh/helm/v3/cmd/helm",
            stamps: helm_stamps,
        },
        Tool {
            name: "helm-unittest",
            verb: BUILD,
            package: "github.com/helm-unittest/helm-unittest/cmd/helm-unittest",
            stamps: helm_stamps,
        },
        Tool {
            name: "kubeconform",
            verb: BUILD,
            package: "github.com/yannh/kubeconform/cmd/kubeconform",
            stamps: |_| Ok(Vec::new()),
        },
    ],
    minutes: 3,
    otherwise: "",
};

/// Helm 4, in a module of its own: both keep the dependencies that their releases shipped.
pub(crate) const HELM4: Module = Module {
    name: "helm4",
    tools: &[Tool {
        name: "helm4",
        verb: BUILD,
        package: "helm.sh/helm/v4/cmd/helm",
        stamps: |go_mod| {
            let version = required(go_mod, "helm.sh/helm/v4")?;
            Ok(vec![format!(
                "helm.sh/helm/v4/internal/version.version={version}"
            )])
        },
    }],
    minutes: 3,
    otherwise: "",
};

/// The linter of GitHub workflows and BuildKit's checks of Dockerfiles.
pub(crate) const LINT: Module = Module {
    name: "lint",
    tools: &[
        Tool {
            name: "actionlint",
            verb: BUILD,
            package: "github.com/rhysd/actionlint/cmd/actionlint",
            stamps: |_| Ok(Vec::new()),
        },
        Tool {
            name: "dockerfile",
            verb: BUILD,
            package: ".",
            stamps: |_| Ok(Vec::new()),
        },
    ],
    minutes: 1,
    otherwise: "",
};

/// Prometheus' tool for rules, without the service discoveries that it does not need for them.
pub(crate) const PROMTOOL: Module = Module {
    name: "promtool",
    tools: &[Tool {
        name: "promtool",
        verb: &["build", "-tags", "remove_all_sd"],
        package: "github.com/prometheus/prometheus/cmd/promtool",
        stamps: |_| Ok(Vec::new()),
    }],
    minutes: 3,
    otherwise: "",
};

/// Without them Helm 3 takes itself for a client of Kubernetes 1.20 and refuses newer charts.
fn helm_stamps(go_mod: &str) -> Result<Vec<String>> {
    let version = required(go_mod, "helm.sh/helm/v3")?;
    let client = required(go_mod, "k8s.io/client-go")?;
    let minor = client.split('.').nth(1);
    let minor = minor.context("k8s.io/client-go without a minor version")?;
    let mut stamps = vec![format!(
        "helm.sh/helm/v3/internal/version.version={version}"
    )];
    for package in ["chartutil", "lint/rules"] {
        let variable = format!("helm.sh/helm/v3/pkg/{package}.k8sVersion");
        stamps.push(format!("{variable}Major=1"));
        stamps.push(format!("{variable}Minor={minor}"));
    }
    Ok(stamps)
}

/// Without them the server reports no version that clients can parse.
fn kubernetes_stamps(go_mod: &str) -> Result<Vec<String>> {
    let version = required(go_mod, "k8s.io/kubernetes")?;
    let mut parts = version.trim_start_matches('v').split('.');
    let (major, minor) = parts
        .next()
        .zip(parts.next())
        .context("k8s.io/kubernetes without a version")?;
    let values = [
        ("gitVersion", version),
        ("gitMajor", major),
        ("gitMinor", minor),
        ("gitCommit", "testbed"),
        ("gitTreeState", "archive"),
        ("buildDate", "1970-01-01T00:00:00Z"),
    ];
    let packages = [
        "k8s.io/component-base/version",
        "k8s.io/client-go/pkg/version",
    ];
    let stamp = |package| values.map(|(name, value)| format!("{package}.{name}={value}"));
    Ok(packages.into_iter().flat_map(stamp).collect())
}

/// The version that go.mod requires of a module, with its `v`.
fn required<'a>(go_mod: &'a str, module: &str) -> Result<&'a str> {
    let lines = go_mod
        .lines()
        .map(|line| line.trim().trim_start_matches("require "));
    let mut versions = lines.filter_map(|line| {
        let mut words = line.split_whitespace();
        (words.next()? == module).then(|| words.next())?
    });
    versions
        .next()
        .with_context(|| format!("go.mod does not require {module}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GO_MOD: &str = "module m\n\nrequire (\n\tk8s.io/kubernetes/x v0.1.0\n\tk8s.io/kubernetes v1.37.2 // indirect\n)\n";

    #[test]
    fn stamps_follow_go_mod() {
        let stamps = kubernetes_stamps(GO_MOD).unwrap();
        assert_eq!(stamps.len(), 12);
        assert!(stamps.contains(&"k8s.io/component-base/version.gitVersion=v1.37.2".to_owned()));
        assert!(stamps.contains(&"k8s.io/client-go/pkg/version.gitMinor=37".to_owned()));
        assert!(kubernetes_stamps("module m\n").is_err());
    }
}
