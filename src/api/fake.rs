//! `spec.provider.fake`: values that stand in the store itself, for tests and trials.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::schema;

/// Values that stand in the store itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Fake {
    /// The values.
    pub data: Vec<FakeData>,
    /// What validation of the store says: 0 ready, 1 unknown, 2 error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_result: Option<i64>,
}

/// One value. An entry with a version is found only when that version is asked for.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-kubernetes-validations" = schema::rules(FAKE_RULES)))]
pub struct FakeData {
    /// Name of the object.
    pub key: String,
    /// Its value.
    pub value: String,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

// The value stands in for a secret, so it is shown as little as one.
impl std::fmt::Debug for FakeData {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut entry = f.debug_struct("FakeData");
        entry
            .field("key", &self.key)
            .field("version", &self.version);
        entry.finish_non_exhaustive()
    }
}

const FAKE_RULES: &[(&str, &str)] = &[
    ("size(self.key) > 0", "key must be set"),
    ("size(self.value) > 0", "at least one value must be set"),
];
