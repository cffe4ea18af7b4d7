//! `dataFrom.find`: the values of all secrets that it means.

use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::filter::Filter;
use super::lister::{self, Lister};
use super::object::{Object, ObjectKind};
use crate::provider::{Error, ListOptions, ObjectFilter, Read, Revision, Search};
use crate::secret::{SecretData, SecretValue};

/// Values read at a time.
const PARALLEL: usize = 8;

/// The values of all secrets that `search` means and that `admits` lets pass, by name. What goes, or is
/// disabled, between the listing and its read is left out; its state stays on record, so that the next
/// look finds it changed.
pub(super) async fn find(
    vault: &Arc<Lister>,
    search: &Search,
    admits: &ObjectFilter<'_>,
    options: ListOptions<'_>,
) -> Result<Read<SecretData>, Error> {
    let filter = Filter::new(search)?;
    let listing = vault.listing(ObjectKind::Secret, options, None).await?;
    let too_large = || vault.client.misunderstood("the list of secrets has no end");
    let listing = listing.ok_or_else(too_large)?;
    let matching: Vec<_> = lister::matching(&listing, &filter, admits).collect();
    let reads = matching.iter().map(|(object, item)| async {
        let found = value(vault, object).await?;
        let (value, revision) = found.map_or_else(
            || (None, vault.listed(object, item)),
            |(value, revision)| (Some((object.name.clone(), value)), revision),
        );
        Ok::<_, Error>((value, revision))
    });
    let reads: Vec<_> = reads.collect();
    let found: Vec<_> = stream::iter(reads)
        .buffer_unordered(PARALLEL)
        .try_collect()
        .await?;
    let (values, revisions): (Vec<_>, Vec<_>) = found.into_iter().unzip();
    Ok(Read {
        value: values.into_iter().flatten().collect(),
        revisions,
    })
}

/// The value and its state; `None` where the secret went, or was disabled, since it was listed.
async fn value(
    vault: &Arc<Lister>,
    secret: &Object,
) -> Result<Option<(SecretValue, Revision)>, Error> {
    let read = match vault.client.read(secret).await {
        Err(Error::Denied { code, .. }) if code == "SecretDisabled" => None,
        read => read?,
    };
    let Some(document) = read else {
        return Ok(None);
    };
    let value = document.value(ObjectKind::Secret);
    let value = value.ok_or_else(|| vault.client.misunderstood("an answer without a value"))?;
    Ok(Some((value, vault.read_revision(secret, Some(&document)))))
}
