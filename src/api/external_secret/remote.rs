//! What a status says of the objects that were read: enough to see which version a Secret holds, and to know after a
//! restart that nothing changed (docs/refresh.md).

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
    /// The entries of the spec that could not be read at the last try, in its order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<RemoteError>,
    /// How many more objects there are.
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

/// Why one entry of the spec could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RemoteError {
    /// Where it stands in the spec, with its key.
    pub entry: String,
    /// What kind of failure it is, such as AccessDenied.
    pub reason: String,
    /// The service's code for it, such as SecretDisabled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The HTTP status of its answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// The service's id of the first request that failed so, for its support.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// What went wrong.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}
