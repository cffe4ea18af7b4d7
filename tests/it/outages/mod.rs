//! What becomes of the Secrets while parts of the cluster, or the operator itself, are away; and what
//! the operator asks for while nothing happens at all. Requests are counted by the API server's audit
//! log and by azfake.

mod api_server;
mod decoding;
mod idle;
mod killed;
mod kinds;
mod restart;
mod rights;
pub(crate) mod scene;
