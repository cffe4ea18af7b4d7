//! An application of a tenant: who signs in, without what it shows.

use crate::azure::cloud::Cloud;

/// An application (service principal) of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// Where it signs in.
    pub cloud: Cloud,
    /// Tenant: GUID or domain, without surrounding space.
    pub tenant: String,
    /// Client (application) id, without surrounding space.
    pub client_id: String,
}
