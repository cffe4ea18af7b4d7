//! What the fuzz targets (`fuzz/`) and the test of their corpus call and could not reach otherwise. Not part of
//! the crate's API.

use k8s_openapi::jiff::Timestamp;

use crate::controller::external_secret::Schedule;

/// The first firing of a schedule after `after` and not after `until`, in Unix seconds; `None` if there is none,
/// or `text` is not a schedule with fields.
pub fn next_firing(text: &str, after: i64, until: i64) -> Option<i64> {
    let instant = |seconds| Timestamp::from_second(seconds).ok();
    match Schedule::parse(text)? {
        Schedule::Minutes(fields) => {
            let firing = fields.next(instant(after)?, instant(until)?);
            firing.map(Timestamp::as_second)
        }
        Schedule::Every(_) => None,
    }
}
