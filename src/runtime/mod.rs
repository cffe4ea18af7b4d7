//! What every long-running process has: an admin server, leadership and an orderly end.

mod access;
pub(crate) mod admin;
pub(crate) mod leader;
pub(crate) mod process;
mod review_cache;
pub(crate) mod shutdown;
pub(crate) mod tls;
