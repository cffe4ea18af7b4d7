//! What a status says of the objects that were read: enough to see which version a Secret holds, and to know after a
//! restart that nothing changed (spec: differentiators.md 6.1, 6.5).

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The objects behind the target.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RemoteState {
    /// When their values were last read, changed or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_time: Option<Time>,
    /// Hash of which objects they are and when each last changed: while it holds, no value is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The objects, ordered by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<RemoteObject>,
    /// When the first of all of them ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Time>,
    /// How many more there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub omitted: Option<u32>,
}

/// One object.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RemoteObject {
    /// Its id without the version.
    pub id: String,
    /// The version read; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// When it last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated: Option<Time>,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Time>,
}
