//! ESO's flags that slow the client of the API server down (ESO's page "Controller options"). ESO is slow by default;
//! here there is no limit unless one is asked for: the API server has its own (priority and fairness).

use std::time::Duration;

use clap::Args;
use tower::limit::RateLimitLayer;

/// The flags.
#[derive(Debug, Args)]
pub(super) struct Pace {
    /// Requests to the API server in a second, on average, at most; 0 for no limit. The Lease is renewed
    /// beside it.
    #[arg(long, value_name = "REQUESTS", default_value_t = 0.0)]
    client_qps: f32,
    /// Requests at once where --client-qps limits them, at most.
    #[arg(long, value_name = "REQUESTS", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    client_burst: u32,
}

impl Pace {
    /// So many requests in so long, as a layer around a client; `None`: as many as there are.
    pub(super) fn limit(&self) -> anyhow::Result<Option<RateLimitLayer>> {
        if self.client_qps <= 0.0 {
            return Ok(None);
        }
        let seconds = f64::from(self.client_burst) / f64::from(self.client_qps);
        let period = Duration::try_from_secs_f64(seconds).ok();
        let Some(period) = period.filter(|period| !period.is_zero()) else {
            let (qps, burst) = (self.client_qps, self.client_burst);
            anyhow::bail!(
                "--client-qps {qps} with --client-burst {burst} is no limit; write 0 for none"
            );
        };
        Ok(Some(RateLimitLayer::new(
            u64::from(self.client_burst),
            period,
        )))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use clap::Parser;
    use tower::{Layer as _, Service as _, ServiceExt as _, service_fn};

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        pace: Pace,
    }

    fn pace(arguments: &[&str]) -> Result<Pace, clap::Error> {
        let line = ["keyferry"].iter().chain(arguments);
        Line::try_parse_from(line).map(|line| line.pace)
    }

    #[test]
    fn there_is_no_limit_unless_one_is_asked_for() {
        for flags in [&[][..], &["--client-qps=0"], &["--client-burst=5"]] {
            assert!(pace(flags).unwrap().limit().unwrap().is_none(), "{flags:?}");
        }
        for flags in [["--client-qps=NaN"], ["--client-qps=inf"]] {
            let error = pace(&flags).unwrap().limit().err().unwrap().to_string();
            assert!(error.contains("write 0 for none"), "{error}");
        }
        pace(&["--client-burst=0"]).unwrap_err();
    }

    #[tokio::test]
    async fn after_a_burst_requests_wait_until_the_average_is_kept() {
        let pace = pace(&["--client-qps=100", "--client-burst=5"]).unwrap();
        let layer = pace.limit().unwrap().unwrap();
        let mut service = layer.layer(service_fn(async |()| Ok::<(), std::io::Error>(())));
        let begun = Instant::now();
        for _ in 0..11 {
            service.ready().await.unwrap().call(()).await.unwrap();
        }
        // two bursts have to be over
        assert!(begun.elapsed() >= Duration::from_millis(100));
    }
}
