//! From what the providers have to the data of the target: rewrite, convert, check and decode, then
//! one map over another. Pure.

use crate::api::external_secret::{ConversionStrategy, DecodingStrategy, NullBytePolicy};
use crate::controller::external_secret::spec::{DataEntry, DataFromEntry, DataFromQuery, SyncSpec};
use crate::secret::{SecretData, SecretValue, decoding, keys, rewrite};

use super::collect::Fetched;
use super::entry_error::EntryError;

/// What the target is to hold.
#[derive(Debug, Default, PartialEq)]
pub struct Shaped {
    /// The data.
    pub data: SecretData,
    /// What the providers no longer have, a line each, for events.
    pub missing: Vec<String>,
}

/// Why an entry cannot be used.
pub type ShapeError = EntryError<ShapeFailure>;

/// What failed for one entry. Keys are named, values never.
#[derive(Debug, thiserror::Error)]
pub enum ShapeFailure {
    /// A rewrite operation.
    #[error("error applying rewrite to keys")]
    Rewrite(#[from] rewrite::Error),
    /// Names that cannot be converted.
    #[error("error applying conversion strategy {strategy} to keys")]
    Convert {
        /// The strategy.
        strategy: String,
        /// Why.
        source: keys::Error,
    },
    /// Names that no Secret can have as keys.
    #[error("invalid secret keys (TIP: use rewrite or conversionStrategy to change keys)")]
    Keys(#[source] keys::Error),
    /// A value that cannot be decoded.
    #[error("error applying decoding strategy {strategy} to data: failure decoding key {key}")]
    Decode {
        /// The strategy.
        strategy: String,
        /// The key.
        key: String,
        /// Why.
        source: decoding::Error,
    },
    /// A value with a NUL byte under `nullBytePolicy: Fail`.
    #[error(
        "fetched secret value for key {0:?} contains null bytes; use a text-safe format such as \
         PEM/base64 or leave nullBytePolicy unset for intentional binary data"
    )]
    NullByte(String),
}

/// How the values of an entry are treated.
struct Treatment {
    conversion: ConversionStrategy,
    decoding: DecodingStrategy,
    fails_on_null: bool,
}

/// Lays all that was fetched over one another: `dataFrom` in order, then `data` in order.
///
/// # Errors
/// The first entry, in that order, that cannot be used.
pub fn shape(
    spec: &SyncSpec,
    fetched: Fetched,
    transform: &rewrite::Transform<'_>,
) -> Result<Shaped, ShapeError> {
    let mut shaped = Shaped::default();
    for (source, found) in spec.sources.iter().zip(fetched.sources) {
        let index = source.index;
        match found {
            Some(data) => {
                let data = of_source(source, data, transform).map_err(|cause| ShapeError {
                    place: source.place(),
                    cause,
                })?;
                shaped.data.extend(data);
            }
            None => shaped.missing.push(format!(
                "secret does not exist at provider using spec.dataFrom[{index}]"
            )),
        }
    }
    for (entry, found) in spec.entries.iter().zip(fetched.entries) {
        let (index, key) = (entry.index, &entry.remote_ref.key);
        match found {
            Some(value) => {
                let value = of_entry(entry, &value).map_err(|cause| ShapeError {
                    place: entry.place(),
                    cause,
                })?;
                shaped.data.insert(entry.secret_key.clone(), value);
            }
            None => shaped.missing.push(format!(
                "secret does not exist at provider using spec.data[{index}] (key={key})"
            )),
        }
    }
    Ok(shaped)
}

fn of_source(
    source: &DataFromEntry,
    data: SecretData,
    transform: &rewrite::Transform<'_>,
) -> Result<SecretData, ShapeFailure> {
    let treatment = Treatment::new(&source.query);
    let data = if source.rewrite.is_empty() {
        let strategy = &treatment.conversion;
        keys::convert(data, strategy).map_err(|source| ShapeFailure::Convert {
            strategy: strategy.to_string(),
            source,
        })?
    } else {
        rewrite::apply(&source.rewrite, data, transform)?
    };
    let mut data = keys::validate(data).map_err(ShapeFailure::Keys)?;
    for (key, value) in &mut data {
        *value = treatment.treat(key, value)?;
    }
    Ok(data)
}

fn of_entry(entry: &DataEntry, value: &SecretValue) -> Result<SecretValue, ShapeFailure> {
    let remote_ref = &entry.remote_ref;
    let treatment = Treatment {
        conversion: remote_ref.conversion_strategy(),
        decoding: remote_ref.decoding_strategy(),
        fails_on_null: remote_ref.null_byte_policy() == NullBytePolicy::Fail,
    };
    treatment.treat(&entry.secret_key, value)
}

impl Treatment {
    fn new(query: &DataFromQuery) -> Self {
        match query {
            DataFromQuery::Extract(remote_ref) => Self {
                conversion: remote_ref.conversion_strategy(),
                decoding: remote_ref.decoding_strategy(),
                fails_on_null: remote_ref.null_byte_policy() == NullBytePolicy::Fail,
            },
            DataFromQuery::Find(find) => Self {
                conversion: find.conversion_strategy.clone().unwrap_or_default(),
                decoding: find.decoding_strategy.clone().unwrap_or_default(),
                fails_on_null: find.null_byte_policy == Some(NullBytePolicy::Fail),
            },
        }
    }

    fn treat(&self, key: &str, value: &SecretValue) -> Result<SecretValue, ShapeFailure> {
        let decoded =
            decoding::decode(value, &self.decoding).map_err(|source| ShapeFailure::Decode {
                strategy: self.decoding.to_string(),
                key: key.to_owned(),
                source,
            })?;
        if self.fails_on_null && decoded.expose().contains(&0) {
            return Err(ShapeFailure::NullByte(key.to_owned()));
        }
        Ok(decoded)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::external_secret::{Find, RemoteRef};
    use crate::controller::index::StoreKey;
    use crate::kubernetes::answers::chain;
    use crate::secret::data;

    fn store() -> StoreKey {
        StoreKey::Cluster {
            name: "kv".to_owned(),
        }
    }

    fn source(index: usize, from: &serde_json::Value) -> DataFromEntry {
        DataFromEntry {
            index,
            query: DataFromQuery::Find(serde_json::from_value::<Find>(from.clone()).unwrap()),
            store: store(),
            rewrite: serde_json::from_value(from["rewrite"].clone()).unwrap_or_default(),
        }
    }

    fn entry(index: usize, key: &str, remote_ref: serde_json::Value) -> DataEntry {
        DataEntry {
            index,
            secret_key: key.to_owned(),
            remote_ref: serde_json::from_value::<RemoteRef>(remote_ref).unwrap(),
            store: store(),
        }
    }

    fn shaped(spec: &SyncSpec, fetched: Fetched) -> Result<Shaped, String> {
        let transform = |_: &str, _: &str| Err("no engine".to_owned());
        shape(spec, fetched, &transform).map_err(|error| chain(&error))
    }

    #[test]
    fn later_entries_win_and_data_wins_over_data_from() {
        let spec = SyncSpec {
            sources: vec![source(0, &json!({})), source(1, &json!({}))],
            entries: vec![entry(0, "C", json!({"key": "c"}))],
            ..SyncSpec::default()
        };
        let fetched = Fetched {
            sources: vec![
                Some(data(&[("A", "1"), ("B", "1"), ("C", "1")])),
                Some(data(&[("B", "2")])),
            ],
            entries: vec![Some(SecretValue::new("3"))],
        };
        let want = data(&[("A", "1"), ("B", "2"), ("C", "3")]);
        assert_eq!(shaped(&spec, fetched).unwrap().data, want);
    }

    #[test]
    fn what_is_missing_is_told_and_the_rest_stays() {
        let spec = SyncSpec {
            sources: vec![source(0, &json!({}))],
            entries: vec![
                entry(0, "A", json!({"key": "a"})),
                entry(1, "B", json!({"key": "b"})),
            ],
            ..SyncSpec::default()
        };
        let fetched = Fetched {
            sources: vec![None],
            entries: vec![None, Some(SecretValue::new("2"))],
        };
        let shaped = shaped(&spec, fetched).unwrap();
        assert_eq!(shaped.data, data(&[("B", "2")]));
        assert_eq!(
            shaped.missing,
            [
                "secret does not exist at provider using spec.dataFrom[0]",
                "secret does not exist at provider using spec.data[0] (key=a)"
            ]
        );
    }

    #[test]
    fn names_are_converted_only_without_a_rewrite() {
        let plain = SyncSpec {
            sources: vec![source(0, &json!({"conversionStrategy": "Unicode"}))],
            ..SyncSpec::default()
        };
        let fetched = || Fetched {
            sources: vec![Some(data(&[("a/b", "1")]))],
            entries: Vec::new(),
        };
        assert_eq!(
            shaped(&plain, fetched()).unwrap().data,
            data(&[("a_U002f_b", "1")])
        );
        let rewrite = json!({"rewrite": [{"regexp": {"source": "a", "target": "x"}}]});
        let rewritten = SyncSpec {
            sources: vec![source(4, &rewrite)],
            ..SyncSpec::default()
        };
        let error = shaped(&rewritten, fetched()).unwrap_err();
        assert!(
            error.starts_with(
                "error processing spec.dataFrom[4].find, err: invalid secret keys (TIP"
            ),
            "{error}"
        );
    }

    #[test]
    fn values_are_decoded_and_null_bytes_are_minded_where_asked() {
        let of = |remote_ref, value: &str| {
            let spec = SyncSpec {
                entries: vec![entry(0, "A", remote_ref)],
                ..SyncSpec::default()
            };
            let fetched = Fetched {
                sources: Vec::new(),
                entries: vec![Some(SecretValue::new(value))],
            };
            shaped(&spec, fetched).map(|shaped| shaped.data)
        };
        let base64 = |policy: &str| json!({"key": "a", "decodingStrategy": "Base64", "nullBytePolicy": policy});
        assert_eq!(of(base64("Fail"), "YmFy").unwrap(), data(&[("A", "bar")]));
        assert_eq!(of(base64("Ignore"), "AA==").unwrap(), data(&[("A", "\0")]));
        let null = of(base64("Fail"), "AA==").unwrap_err();
        assert!(null.contains("for key \"A\" contains null bytes"), "{null}");
        let broken = of(base64("Ignore"), "hunter2").unwrap_err();
        assert!(
            broken.contains(
                "error applying decoding strategy Base64 to data: failure decoding key A"
            ),
            "{broken}"
        );
        assert!(!broken.contains("hunter2"), "{broken}");
    }
}
