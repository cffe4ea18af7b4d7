//! The port's reads, for one vault: what is asked for and what is made of the answers.

use std::sync::Arc;

use async_trait::async_trait;

use super::certificate;
use super::document::Document;
use super::find;
use super::lister::Lister;
use super::object::{Object, ObjectKind, Wanted};
use super::property::part;
use crate::provider::{
    Error, ListOptions, Listed, ObjectFilter, ObjectRef, Query, Read, Search, SecretsClient,
};
use crate::secret::{SecretData, SecretValue, members};

/// Reads for one store. Others may share its vault.
#[derive(Debug)]
pub(super) struct Reader(pub(super) Arc<Lister>);

#[async_trait]
impl SecretsClient for Reader {
    fn object(&self, remote_ref: &ObjectRef) -> Result<String, Error> {
        Ok(Object::parse(remote_ref)?.path())
    }

    async fn get(&self, remote_ref: &ObjectRef) -> Result<Read<Option<SecretValue>>, Error> {
        let wanted = Wanted::value(remote_ref)?;
        let found = self.0.client.read(&wanted.object).await?;
        let revision = self.0.read_revision(&wanted.object, found.as_deref());
        let value = found.map(|document| self.value(&document, &wanted, &remote_ref.key));
        Ok(Read {
            value: value.transpose()?,
            revisions: vec![revision],
        })
    }

    async fn extract(&self, remote_ref: &ObjectRef) -> Result<Read<Option<SecretData>>, Error> {
        let wanted = Wanted::members(remote_ref)?;
        let found = self.0.client.read(&wanted.object).await?;
        let revision = self.0.read_revision(&wanted.object, found.as_deref());
        let members = found.map(|document| self.members(&document, &wanted, &remote_ref.key));
        Ok(Read {
            value: members.transpose()?,
            revisions: vec![revision],
        })
    }

    async fn find(
        &self,
        search: &Search,
        admits: &ObjectFilter<'_>,
        options: ListOptions<'_>,
    ) -> Result<Read<SecretData>, Error> {
        find::find(&self.0, search, admits, options).await
    }

    async fn revisions(
        &self,
        queries: &[Query],
        admits: &ObjectFilter<'_>,
        options: ListOptions<'_>,
    ) -> Result<Option<Listed>, Error> {
        self.0.revisions(queries, admits, options).await
    }
}

impl Reader {
    fn members(
        &self,
        document: &Document,
        wanted: &Wanted<'_>,
        key: &str,
    ) -> Result<SecretData, Error> {
        if !wanted.is_metadata {
            let value = self.value(document, wanted, key)?;
            return members(&value).map_err(|error| Error::Invalid {
                message: error.to_string(),
            });
        }
        let metadata = document.metadata();
        Ok(match wanted.property {
            None => metadata.spread(&wanted.object.name),
            Some(property) => {
                let value = metadata.select(Some(property))?;
                SecretData::from([(format!("{key}_{property}"), value)])
            }
        })
    }

    fn value(&self, document: &Document, wanted: &Wanted, key: &str) -> Result<SecretValue, Error> {
        if wanted.is_metadata {
            return document.metadata().select(wanted.property);
        }
        let kind = wanted.object.kind;
        let value = document.value(kind);
        let value =
            value.ok_or_else(|| self.0.client.misunderstood("an answer without a value"))?;
        match (kind, wanted.property) {
            (ObjectKind::Secret, Some(path)) => {
                match certificate::part(&value, path, document.content_type()) {
                    Some(found) => found.map_err(|problem| Error::Invalid {
                        message: format!("key {key}: {problem}"),
                    }),
                    None => part(&value, path, key),
                }
            }
            (ObjectKind::Key, Some(path)) => part(&value, path, key),
            // a certificate has no parts; ESO ignores a property
            (ObjectKind::Certificate, _) | (_, None) => Ok(value),
        }
    }
}
