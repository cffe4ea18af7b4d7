//! What every long-running process has: an admin server, leadership and an orderly end.

mod access;
pub mod admin;
mod answers;
pub mod leader;
pub mod process;
pub mod shutdown;
pub mod tls;
