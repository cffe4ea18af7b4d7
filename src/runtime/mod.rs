//! What every long-running process has: an admin server and an orderly end.

pub mod admin;
pub mod shutdown;
