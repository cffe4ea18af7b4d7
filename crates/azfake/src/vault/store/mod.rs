//! Vault contents in memory: names, versions, soft deletion. Knows no HTTP; refusals are values.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;

use sha2::{Digest, Sha256};

use super::public::Public;
use super::refusal::Refusal;
use super::route::Kind;
use crate::seed::SecretContent;

/// Created/updated of the first seeded version, 2025-01-01T00:00:00Z (golden/README.md).
const EPOCH: i64 = 1_735_689_600;
/// Longest secret value in bytes (Azure Key Vault, "About secrets").
pub(crate) const MAX_VALUE_BYTES: usize = 25 * 1024;
const MAX_CONTENT_TYPE: usize = 255;
const MAX_TAGS: usize = 15;

/// Whether times are those of the golden cases or the present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clock {
    /// A minute per version from 2025 on, a second per change of attributes.
    Golden,
    /// The real time.
    Real,
}

/// Attributes that every kind of object has; times in Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attributes {
    pub(crate) enabled: bool,
    pub(crate) nbf: Option<i64>,
    pub(crate) exp: Option<i64>,
    pub(crate) created: i64,
    pub(crate) updated: i64,
}

/// One version of a secret.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub(crate) id: String,
    pub(crate) value: String,
    pub(crate) content_type: Option<String>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) attributes: Attributes,
}

/// A secret with all its versions, oldest first; never without one.
#[derive(Clone, Debug)]
pub(crate) struct Secret {
    pub(crate) name: String,
    pub(crate) versions: Vec<Version>,
    /// When it was soft-deleted, Unix seconds.
    pub(crate) deleted: Option<i64>,
    /// Whether a client wrote it (not a seed).
    pub(crate) written: bool,
    /// Whether a certificate of the same name owns it.
    pub(crate) managed: bool,
}

impl Secret {
    /// The newest version.
    pub(crate) fn latest(&self) -> &Version {
        self.versions
            .last()
            .expect("a secret is made with its first version")
    }
}

/// What a client or a seed asks to change; `None` keeps what is there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Change {
    pub(crate) content_type: Option<String>,
    pub(crate) tags: Option<BTreeMap<String, String>>,
    pub(crate) enabled: Option<bool>,
    pub(crate) nbf: Option<i64>,
    pub(crate) exp: Option<i64>,
}

impl Change {
    fn check(&self) -> Result<(), Refusal> {
        let length = self.content_type.as_ref().map_or(0, String::len);
        if length > MAX_CONTENT_TYPE {
            return Err(Refusal::TooLong {
                property: "contentType",
                limit: MAX_CONTENT_TYPE,
            });
        }
        match self.tags.as_ref().map_or(0, BTreeMap::len) {
            count if count > MAX_TAGS => Err(Refusal::TooManyTags { limit: MAX_TAGS }),
            _ => Ok(()),
        }
    }

    fn apply(self, version: &mut Version) {
        version.content_type = self.content_type.or(version.content_type.take());
        version.tags = self.tags.unwrap_or(std::mem::take(&mut version.tags));
        let attributes = &mut version.attributes;
        attributes.enabled = self.enabled.unwrap_or(attributes.enabled);
        attributes.nbf = self.nbf.or(attributes.nbf);
        attributes.exp = self.exp.or(attributes.exp);
    }
}

/// One vault.
pub(crate) struct Vault {
    label: String,
    clock: Clock,
    /// The tenant whose tokens it takes.
    pub(crate) tenant: String,
    secrets: BTreeMap<String, Secret>,
    /// Number of versions that a purged name ever had: ids are not used twice.
    purged: HashMap<String, usize>,
    pub(crate) keys: BTreeMap<String, Public>,
    pub(crate) certificates: BTreeMap<String, Public>,
}

impl Vault {
    /// An empty vault that belongs to a tenant.
    pub(crate) fn new(label: &str, tenant: &str, clock: Clock) -> Self {
        Self {
            label: label.to_owned(),
            clock,
            tenant: tenant.to_owned(),
            secrets: BTreeMap::new(),
            purged: HashMap::new(),
            keys: BTreeMap::new(),
            certificates: BTreeMap::new(),
        }
    }

    /// Attributes of version `number` of a new object.
    pub(crate) fn attributes(&self, number: usize) -> Attributes {
        let minutes = i64::try_from(number).unwrap_or_default();
        let now = match self.clock {
            Clock::Golden => EPOCH + 60 * minutes,
            Clock::Real => now(),
        };
        Attributes {
            enabled: true,
            nbf: None,
            exp: None,
            created: now,
            updated: now,
        }
    }

    /// The version id that golden cases know: 32 hex digits of SHA-256 over `LABEL|kind|name|n`.
    pub(crate) fn version_id(&self, kind: &str, name: &str, number: usize) -> String {
        let text = format!(
            "{}|{kind}|{}|{number}",
            self.label,
            name.to_ascii_lowercase()
        );
        hex(&Sha256::digest(text.as_bytes())[..16])
    }

    /// Puts a seed into effect; never counts as written by a client.
    pub(crate) fn seed(&mut self, name: &str, content: Option<SecretContent>) {
        let Some(content) = content else {
            if let Some(secret) = self.secrets.get_mut(&name.to_ascii_lowercase()) {
                secret.deleted = Some(now());
            }
            return;
        };
        let SecretContent {
            value,
            tags,
            content_type,
            enabled,
            nbf,
            exp,
            versions,
        } = content;
        let change = Change {
            content_type,
            tags,
            enabled,
            nbf,
            exp,
        };
        if let Some(secret) = self.secrets.get_mut(&name.to_ascii_lowercase()) {
            secret.deleted = None;
        }
        match value {
            Some(value) => drop(self.add_version(name, value, change)),
            None if versions.is_empty() => drop(self.update(name, "", change)),
            None => {}
        }
        for version in versions {
            self.seed(name, Some(version));
        }
    }

    /// Makes a new version; the first one makes the secret.
    pub(crate) fn set(
        &mut self,
        name: &str,
        value: String,
        change: Change,
    ) -> Result<&Secret, Refusal> {
        if value.len() > MAX_VALUE_BYTES {
            return Err(Refusal::TooLong {
                property: "value",
                limit: MAX_VALUE_BYTES,
            });
        }
        change.check()?;
        let known = self.secrets.get(&name.to_ascii_lowercase());
        if let Some(secret) = known.filter(|secret| secret.deleted.is_some()) {
            return Err(Refusal::Deleted {
                name: secret.name.clone(),
            });
        }
        let secret = self.add_version(name, value, change);
        secret.written = true;
        Ok(secret)
    }

    fn add_version(&mut self, name: &str, value: String, change: Change) -> &mut Secret {
        let key = name.to_ascii_lowercase();
        let number = self
            .secrets
            .get(&key)
            .map_or(0, |secret| secret.versions.len())
            + self.purged.get(&key).copied().unwrap_or_default();
        let mut version = Version {
            id: self.version_id("secrets", name, number),
            value,
            content_type: None,
            tags: BTreeMap::new(),
            attributes: self.attributes(number),
        };
        change.apply(&mut version);
        let secret = self.secrets.entry(key).or_insert_with(|| Secret {
            name: name.to_owned(),
            versions: Vec::new(),
            deleted: None,
            written: false,
            managed: false,
        });
        secret.versions.push(version);
        secret
    }

    /// Makes a version of the secret behind a certificate and returns its id.
    pub(crate) fn seed_managed(&mut self, name: &str, value: String, content_type: &str) -> String {
        let change = Change {
            content_type: Some(content_type.to_owned()),
            ..Change::default()
        };
        let secret = self.add_version(name, value, change);
        secret.managed = true;
        secret.deleted = None;
        secret.latest().id.clone()
    }

    /// A version of a secret, the newest one for an empty version.
    pub(crate) fn get(&self, name: &str, version: &str) -> Result<(&Secret, &Version), Refusal> {
        let secret = self
            .live(name)
            .ok_or_else(|| Refusal::missing(Kind::Secrets, name, version))?;
        let found = match version {
            "" => Some(secret.latest()),
            id => secret
                .versions
                .iter()
                .find(|candidate| candidate.id.eq_ignore_ascii_case(id)),
        };
        let found = found.ok_or_else(|| Refusal::missing(Kind::Secrets, name, version))?;
        Ok((secret, found))
    }

    fn live(&self, name: &str) -> Option<&Secret> {
        self.secrets
            .get(&name.to_ascii_lowercase())
            .filter(|secret| secret.deleted.is_none())
    }

    /// Changes attributes of a version, the newest one for an empty version.
    pub(crate) fn update(
        &mut self,
        name: &str,
        version: &str,
        change: Change,
    ) -> Result<(&Secret, &Version), Refusal> {
        change.check()?;
        let id = self.get(name, version)?.1.id.clone();
        let clock = self.clock;
        let secret = self.secrets.get_mut(&name.to_ascii_lowercase());
        let found = secret.and_then(|secret| {
            let index = secret
                .versions
                .iter()
                .position(|candidate| candidate.id == id)?;
            let target = &mut secret.versions[index];
            change.apply(target);
            target.attributes.updated = match clock {
                Clock::Golden => target.attributes.updated + 1,
                Clock::Real => now(),
            };
            Some((&*secret, index))
        });
        let (secret, index) =
            found.ok_or_else(|| Refusal::missing(Kind::Secrets, name, version))?;
        Ok((secret, &secret.versions[index]))
    }

    /// Marks a secret as written by a client.
    pub(crate) fn mark_written(&mut self, name: &str) {
        if let Some(secret) = self.secrets.get_mut(&name.to_ascii_lowercase()) {
            secret.written = true;
        }
    }

    /// Soft-deletes.
    pub(crate) fn delete(&mut self, name: &str) -> Result<&Secret, Refusal> {
        let secret = self.secrets.get_mut(&name.to_ascii_lowercase());
        let secret = secret.filter(|secret| secret.deleted.is_none());
        let secret = secret.ok_or_else(|| Refusal::missing(Kind::Secrets, name, ""))?;
        secret.deleted = Some(now());
        secret.written = true;
        Ok(secret)
    }

    /// A soft-deleted secret.
    pub(crate) fn deleted(&self, name: &str) -> Result<&Secret, Refusal> {
        let secret = self.secrets.get(&name.to_ascii_lowercase());
        let secret = secret.filter(|secret| secret.deleted.is_some());
        secret.ok_or_else(|| Refusal::NotDeleted {
            name: name.to_owned(),
        })
    }

    /// Takes a deletion back.
    pub(crate) fn recover(&mut self, name: &str) -> Result<&Secret, Refusal> {
        self.deleted(name)?;
        let secret = self.secrets.get_mut(&name.to_ascii_lowercase());
        let secret = secret.ok_or_else(|| Refusal::NotDeleted {
            name: name.to_owned(),
        })?;
        secret.deleted = None;
        secret.written = true;
        Ok(secret)
    }

    /// Removes a soft-deleted secret for good.
    pub(crate) fn purge(&mut self, name: &str) -> Result<(), Refusal> {
        let count = self.deleted(name)?.versions.len();
        let key = name.to_ascii_lowercase();
        self.secrets.remove(&key);
        *self.purged.entry(key).or_default() += count;
        Ok(())
    }

    /// At most `limit` secrets, live or deleted, from a name on; and the name to go on with.
    pub(crate) fn page(
        &self,
        deleted: bool,
        from: &str,
        limit: usize,
    ) -> (Vec<&Secret>, Option<&str>) {
        let range = self
            .secrets
            .range::<str, _>((Bound::Included(from), Bound::Unbounded));
        let mut wanted = range.filter(|(_, secret)| secret.deleted.is_some() == deleted);
        let items = wanted
            .by_ref()
            .take(limit)
            .map(|(_, secret)| secret)
            .collect();
        (items, wanted.next().map(|(key, _)| key.as_str()))
    }

    /// Every secret, deleted ones included.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.secrets.values()
    }
}

/// The present, Unix seconds.
pub(crate) fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests;
