//! `kube::Api` calls that the controllers share. Decides nothing.
//!
//! | layer | module | knows |
//! | --- | --- | --- |
//! | 0 | [`answers`], [`credentials`], [`requests`], [`reviews`], [`status`], [`write_guard`], [`writes`] | what the API server answers; single calls; counted, limited and guarded requests |
//! | 1 | [`client`], [`events`], [`manifests`], [`secrets`] | the client; events; objects of any kind; Secrets |

pub mod answers;
pub mod client;
pub mod credentials;
pub mod events;
pub mod manifests;
pub mod requests;
pub mod reviews;
pub mod secrets;
pub mod status;
pub mod write_guard;
mod writes;
