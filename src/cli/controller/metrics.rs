//! Flags of /metrics, under ESO's names where the meaning is the same (ESO's page "Controller options").

use std::path::Path;

use anyhow::{Context as _, ensure};
use clap::Args;
use kube::Config;

use crate::cli::go_bool::GoBool as _;
use crate::kubernetes::client;
use crate::kubernetes::write_guard::WriteGuard;
use crate::runtime::admin::{self, MetricsSecurity, Server};
use crate::runtime::tls::{Certificate, Files};
use crate::telemetry::{Metrics, ObjectOptions};

/// The flags.
#[derive(Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "they are switches")]
#[allow(clippy::doc_markdown, reason = "--help shows the texts as they are")]
pub(super) struct MetricsFlags {
    /// Address of /metrics; 0 for none.
    #[arg(long, default_value = ":8080")]
    metrics_addr: String,
    /// Serve /metrics by TLS.
    #[arg(long, go_bool = false)]
    metrics_secure: bool,
    /// Answer only who shows a token that the API server knows (TokenReview) and that may get /metrics
    /// (SubjectAccessReview). The first is remembered for a minute, the second for five minutes, or for 30 s
    /// where it says no. Needs --metrics-secure.
    #[arg(long, go_bool = false)]
    metrics_auth: bool,
    /// Folder of the certificate of /metrics, which is read anew when it changes. Empty, or while a file
    /// is missing: a self-signed one.
    #[arg(long, default_value = "")]
    metrics_cert_dir: String,
    /// The certificate's file in that folder.
    #[arg(long, default_value = "tls.crt")]
    metrics_cert_name: String,
    /// The private key's file in that folder.
    #[arg(long, default_value = "tls.key")]
    metrics_key_name: String,
    /// Tell each ExternalSecret by series of its own, up to six; with false there are sums instead.
    #[arg(long, go_bool = true)]
    metrics_per_object: bool,
    /// Give the series of objects their recommended labels (app.kubernetes.io/name, instance, version,
    /// component, part-of and managed-by).
    #[arg(long, go_bool = false)]
    enable_extended_metric_labels: bool,
}

impl MetricsFlags {
    /// All families.
    pub(super) fn metrics(&self) -> anyhow::Result<Metrics> {
        let options = ObjectOptions {
            per_object: self.metrics_per_object,
            extended_labels: self.enable_extended_metric_labels,
        };
        Metrics::with_objects(options).context("cannot set up metrics")
    }

    /// The server of `metrics`, where there is to be one; it asks the cluster that `config` leads to.
    pub(super) async fn server(
        &self,
        metrics: &Metrics,
        config: &Config,
    ) -> anyhow::Result<Option<Server>> {
        ensure!(
            self.metrics_secure || !self.metrics_auth,
            "--metrics-auth needs --metrics-secure: a token must not be sent in the clear"
        );
        let Some(address) = admin::address("--metrics-addr", &self.metrics_addr)? else {
            return Ok(None);
        };
        let certificate = if self.metrics_secure {
            let certificate = Certificate::new(self.files()).await;
            Some(certificate.context("--metrics-secure")?)
        } else {
            None
        };
        let reviews = if self.metrics_auth {
            // a standby asks too
            let guard = WriteGuard::open();
            Some(client::connect(
                config.clone(),
                &guard,
                None,
                &metrics.requests,
            )?)
        } else {
            None
        };
        let security = MetricsSecurity {
            certificate,
            reviews,
        };
        Ok(Some(
            Server::metrics(address, metrics.clone(), security).await?,
        ))
    }

    fn files(&self) -> Option<Files> {
        let folder = Path::new(&self.metrics_cert_dir);
        (!self.metrics_cert_dir.is_empty()).then(|| Files {
            certificate: folder.join(&self.metrics_cert_name),
            key: folder.join(&self.metrics_key_name),
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        flags: MetricsFlags,
    }

    fn flags(arguments: &[&str]) -> MetricsFlags {
        let line = ["keyferry"].iter().chain(arguments);
        Line::try_parse_from(line).unwrap().flags
    }

    #[test]
    fn a_file_may_be_named_with_its_folder_as_in_esos_values() {
        let files = |arguments| flags(arguments).files();
        assert!(files(&["--metrics-secure"]).is_none());
        let plain = files(&["--metrics-cert-dir=/etc/tls"]).unwrap();
        assert_eq!(plain.certificate, Path::new("/etc/tls/tls.crt"));
        let whole = files(&[
            "--metrics-cert-dir=/etc/tls",
            "--metrics-key-name=/etc/tls/tls.key",
        ]);
        assert_eq!(whole.unwrap().key, Path::new("/etc/tls/tls.key"));
    }

    #[tokio::test]
    async fn tokens_are_not_taken_in_the_clear() {
        let flags = flags(&["--metrics-auth", "--metrics-addr=127.0.0.1:0"]);
        let metrics = flags.metrics().unwrap();
        let config = Config::new(http::Uri::from_static("https://127.0.0.1:1"));
        let error = flags.server(&metrics, &config).await.err().unwrap();
        assert!(
            error
                .to_string()
                .contains("--metrics-auth needs --metrics-secure")
        );
    }
}
