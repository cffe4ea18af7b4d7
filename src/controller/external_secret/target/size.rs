//! How large a target may be. The API server says so too, but not by how much, nor what to do. Pure.

use k8s_openapi::api::core::v1::Secret;

use super::plan::TargetPlan;

/// Bytes of all values of a Secret together, at most (Kubernetes API, `core/v1.MaxSecretSize`).
const MAX_DATA: usize = 1024 * 1024;

/// The values are more than a Secret holds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the data of secret {name} would be {bytes} bytes in {keys} keys, and a Secret holds \
     {MAX_DATA} bytes (1 MiB); the largest is {largest} with {most} bytes; read less into it, or \
     give parts of it to other ExternalSecrets"
)]
pub struct TooLarge {
    name: String,
    bytes: usize,
    keys: usize,
    largest: String,
    most: usize,
}

/// Checks the Secret that is going to be written.
///
/// # Errors
/// Its values are too large.
pub fn check(target: &TargetPlan) -> Result<(), TooLarge> {
    match target {
        TargetPlan::Create(secret) | TargetPlan::Update { secret, .. } => check_secret(secret),
        // the data stays as it is
        TargetPlan::Keep | TargetPlan::Delete(_) | TargetPlan::Frozen(_) => Ok(()),
    }
}

fn check_secret(secret: &Secret) -> Result<(), TooLarge> {
    let sizes = || {
        let data = secret.data.iter().flatten();
        data.map(|(key, value)| (value.0.len(), key))
    };
    let bytes = sizes().map(|(size, _)| size).sum();
    let Some((most, largest)) = sizes().max().filter(|_| bytes > MAX_DATA) else {
        return Ok(());
    };
    Err(TooLarge {
        name: secret.metadata.name.clone().unwrap_or_default(),
        bytes,
        keys: sizes().count(),
        largest: largest.clone(),
        most,
    })
}

#[cfg(test)]
mod tests {
    use k8s_openapi::ByteString;

    use super::*;

    fn secret(sizes: &[usize]) -> Box<Secret> {
        let values = sizes.iter().enumerate();
        let data = values.map(|(index, size)| (format!("k{index}"), ByteString(vec![0; *size])));
        let mut secret = Secret {
            data: Some(data.collect()),
            ..Secret::default()
        };
        secret.metadata.name = Some("app".to_owned());
        Box::new(secret)
    }

    #[test]
    fn one_mebibyte_of_values_is_the_most() {
        let full = secret(&[MAX_DATA - 1, 1]);
        assert_eq!(check(&TargetPlan::Create(full)), Ok(()));
        let over = TargetPlan::Update {
            secret: secret(&[1, MAX_DATA]),
            adopted: None,
        };
        assert_eq!(
            check(&over).unwrap_err().to_string(),
            "the data of secret app would be 1048577 bytes in 2 keys, and a Secret holds 1048576 \
             bytes (1 MiB); the largest is k1 with 1048576 bytes; read less into it, or give parts \
             of it to other ExternalSecrets"
        );
    }

    #[test]
    fn what_is_not_written_is_not_measured() {
        let frozen = TargetPlan::Frozen(Some(secret(&[2 * MAX_DATA])));
        assert_eq!(check(&frozen), Ok(()));
        assert_eq!(check(&TargetPlan::Keep), Ok(()));
    }
}
