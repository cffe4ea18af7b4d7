//! An error and the entry of the spec that it is about. Its text begins as ESO's does.

/// What went wrong with one entry of `spec.data` or `spec.dataFrom`.
#[derive(Debug, thiserror::Error)]
#[error("error processing {place}, err")]
pub struct EntryError<C: std::error::Error + 'static> {
    /// `spec.data[INDEX] (key: KEY)` or `spec.dataFrom[INDEX].FIELD`.
    pub place: String,
    /// What went wrong.
    #[source]
    pub cause: C,
}
