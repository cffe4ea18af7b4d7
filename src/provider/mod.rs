//! Port: what a secret store can do. Adapters live in submodules and never see the cluster.

pub mod azure_key_vault;
mod error;
pub mod fake;
mod key_filter;
mod reader;
mod reference;
mod revision;

use std::sync::Arc;

use async_trait::async_trait;

use crate::credentials::CredentialReader;
use crate::secret::{SecretData, SecretValue};

pub use error::{Detail, Error, Outage, Retry, StoreFault};
pub use key_filter::{KeyFilter, KeyPatterns};
pub use reader::{ReadObserver, StoreReader};
pub use reference::{Aspect, ObjectRef, Query, Search};
pub use revision::{ListOptions, Listed, ObjectState, Read, Revision};

/// Whose credentials a store uses (ESO's guide "Multi tenancy").
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// A SecretStore: credentials come from the store's own namespace, whatever the selector says.
    Namespaced(String),
    /// A ClusterSecretStore used from this namespace: a selector without namespace reads there.
    Cluster {
        /// The consuming namespace; `None` while the store itself is validated.
        consumer: Option<String>,
    },
}

/// What came of building a client.
pub enum Connection {
    /// A client that can be asked.
    Client(Arc<dyn SecretsClient>),
    /// A cluster store whose credentials come from each consumer: nothing to build without one
    /// (ESO's "referent" authentication).
    Referent,
    /// A client that can be asked, of a store that could not be checked (ESO's
    /// `ValidationUnknown`).
    Unchecked {
        /// The client.
        client: Arc<dyn SecretsClient>,
        /// Why it could not be checked.
        reason: String,
    },
}

/// A configured store: one `spec.provider` block.
#[async_trait]
pub trait Provider: Send + Sync {
    /// Checks the block's structure; no I/O (ESO's `ValidateStore`).
    fn validate(&self, scope: &Scope) -> Result<(), Error>;

    /// Reads the credentials and builds a client. Does not call the vault.
    async fn connect(
        &self,
        scope: &Scope,
        credentials: &dyn CredentialReader,
    ) -> Result<Connection, Error>;
}

/// Says of an object, as `kind/name` in lower case, whether it may be read.
pub type ObjectFilter<'a> = dyn for<'n> Fn(&'n str) -> bool + Send + Sync + 'a;

/// Reads from one store with one identity.
#[async_trait]
pub trait SecretsClient: Send + Sync {
    /// The object that `object` names, as `kind/name` in lower case: one text for all its
    /// spellings.
    ///
    /// # Errors
    /// It names none.
    fn object(&self, object: &ObjectRef) -> Result<String, Error>;

    /// One value; `None` where the vault has no such object or version.
    async fn get(&self, object: &ObjectRef) -> Result<Read<Option<SecretValue>>, Error>;

    /// The members of one value that is a JSON object (`dataFrom.extract`); `None` where the vault
    /// has no such object or version. Keys and values are as they stand in the vault: neither
    /// rewritten nor decoded.
    async fn extract(&self, object: &ObjectRef) -> Result<Read<Option<SecretData>>, Error>;

    /// The values of all objects that match (`dataFrom.find`) and that `admits` (of `kind/name`) lets
    /// pass, by their names; empty where none does. Others are not read. The options say how old a listing may
    /// be.
    async fn find(
        &self,
        search: &Search,
        admits: &ObjectFilter<'_>,
        options: ListOptions<'_>,
    ) -> Result<Read<SecretData>, Error>;

    /// The states of what `queries` read, without reading it. `None` where that costs more than reading,
    /// or the source has no revisions.
    ///
    /// # Errors
    /// The source does not answer, or ([`Error::Denied`]) does not let the identity list.
    async fn revisions(
        &self,
        queries: &[Query],
        admits: &ObjectFilter<'_>,
        options: ListOptions<'_>,
    ) -> Result<Option<Listed>, Error> {
        let _ = (queries, admits, options);
        Ok(None)
    }
}
