//! Writes the status of an object: the only place that does.

use std::fmt::Debug;

use kube::{Client, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::kubernetes::status;

const TRIES: u32 = 3;

/// What is done if the object changed since it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnConflict {
    /// Nothing: another reconcile looks at the changed object.
    Yield,
    /// The status is written over whatever the object became: what it says about the spec that was
    /// reconciled stays true.
    Overwrite,
}

/// What became of a status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is the object's, at this resource version.
    At(String),
    /// The object changed meanwhile.
    Conflict,
    /// The object is gone, or another one has its name: nobody is left to read it.
    Gone,
}

/// Writes `status` of `object`.
///
/// # Errors
/// The API server does not take it.
pub async fn write<K, S>(
    client: &Client,
    object: &K,
    status: &S,
    on_conflict: OnConflict,
) -> kube::Result<Written>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned,
    S: Serialize,
{
    let tries = match on_conflict {
        OnConflict::Yield => 1,
        OnConflict::Overwrite => TRIES,
    };
    let mut current = object.meta().resource_version.clone();
    for attempt in 1.. {
        match status::replace(client, object, current.as_deref(), status).await {
            Ok(version) => return Ok(Written::At(version)),
            Err(kube::Error::Api(answer)) if answer.is_not_found() => return Ok(Written::Gone),
            Err(kube::Error::Api(answer)) if answer.is_conflict() && attempt < tries => {
                let found = status::metadata(client, object).await?;
                match found.filter(|found| found.uid == object.meta().uid) {
                    Some(found) => current = found.resource_version,
                    None => return Ok(Written::Gone),
                }
            }
            Err(kube::Error::Api(answer))
                if answer.is_conflict() && on_conflict == OnConflict::Yield =>
            {
                return Ok(Written::Conflict);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Written::Conflict)
}
