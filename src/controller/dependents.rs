//! Who has to look again when something changes: store → ExternalSecrets, target → ExternalSecrets.
//! Plain maps kept from the watch; a change never scans all objects.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;

use crate::api::external_secret::Manifest;

use super::stores::StoreKey;

/// Namespace and name.
pub(super) type ObjectKey = (String, String);

/// A ConfigMap or Secret that holds templates.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TemplateSource {
    /// A ConfigMap.
    ConfigMap(ObjectKey),
    /// A Secret.
    Secret(ObjectKey),
}

/// An object that ExternalSecrets write.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Target {
    /// Its kind; `None` is a Secret.
    pub manifest: Option<Manifest>,
    /// Its namespace and name.
    pub object: ObjectKey,
}

impl Target {
    /// A Secret.
    pub(super) fn secret(object: ObjectKey) -> Self {
        Self {
            manifest: None,
            object,
        }
    }
}

/// The indexes and their inverse.
#[derive(Debug, Default)]
pub struct Dependents {
    uses: HashMap<ObjectKey, Uses>,
    by_store: HashMap<StoreKey, BTreeSet<ObjectKey>>,
    reads: HashMap<StoreKey, usize>,
    by_template: HashMap<TemplateSource, BTreeSet<ObjectKey>>,
    by_target: HashMap<Target, BTreeSet<ObjectKey>>,
    by_manifest: HashMap<Manifest, BTreeSet<ObjectKey>>,
}

/// What one ExternalSecret names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    /// Every store of the spec, with the reads that a refresh makes of it.
    pub stores: BTreeMap<StoreKey, usize>,
    /// Every ConfigMap and Secret of `templateFrom`.
    pub templates: BTreeSet<TemplateSource>,
    /// The target.
    pub target: Target,
}

impl Dependents {
    /// Notes what `object` names now.
    pub fn set(&mut self, object: &ObjectKey, uses: Uses) {
        if self.uses.get(object) == Some(&uses) {
            return;
        }
        self.remove(object);
        for (store, reads) in &uses.stores {
            self.by_store
                .entry(store.clone())
                .or_default()
                .insert(object.clone());
            *self.reads.entry(store.clone()).or_default() += reads;
        }
        for template in &uses.templates {
            self.by_template
                .entry(template.clone())
                .or_default()
                .insert(object.clone());
        }
        self.by_target
            .entry(uses.target.clone())
            .or_default()
            .insert(object.clone());
        if let Some(manifest) = &uses.target.manifest {
            let objects = self.by_manifest.entry(manifest.clone()).or_default();
            objects.insert(object.clone());
        }
        self.uses.insert(object.clone(), uses);
    }

    /// Forgets `object`.
    pub fn remove(&mut self, object: &ObjectKey) {
        let Some(uses) = self.uses.remove(object) else {
            return;
        };
        for (store, reads) in &uses.stores {
            leave(&mut self.by_store, store, object);
            if let Some(all) = self.reads.get_mut(store) {
                *all -= reads;
            }
            if !self.by_store.contains_key(store) {
                self.reads.remove(store);
            }
        }
        for template in &uses.templates {
            leave(&mut self.by_template, template, object);
        }
        leave(&mut self.by_target, &uses.target, object);
        if let Some(manifest) = &uses.target.manifest {
            leave(&mut self.by_manifest, manifest, object);
        }
    }

    /// Whether `object` is known.
    pub fn holds(&self, object: &ObjectKey) -> bool {
        self.uses.contains_key(object)
    }

    /// The ExternalSecrets that read from `store`.
    pub fn of_store(&self, store: &StoreKey) -> Vec<ObjectKey> {
        entries(&self.by_store, store)
    }

    /// How much they read of it when each refreshes once.
    pub fn reads_of(&self, store: &StoreKey) -> usize {
        self.reads.get(store).copied().unwrap_or_default()
    }

    /// The ExternalSecrets that render templates of `source`.
    pub fn of_template(&self, source: &TemplateSource) -> Vec<ObjectKey> {
        entries(&self.by_template, source)
    }

    /// The ExternalSecrets that write `target`.
    pub fn of_target(&self, target: &Target) -> Vec<ObjectKey> {
        entries(&self.by_target, target)
    }

    /// Whether some ExternalSecret's target is of this kind.
    pub fn has_target_of(&self, manifest: &Manifest) -> bool {
        self.by_manifest.contains_key(manifest)
    }

    /// Every ExternalSecret.
    pub fn objects(&self) -> impl Iterator<Item = &ObjectKey> {
        self.uses.keys()
    }
}

fn entries<K: Eq + Hash>(index: &HashMap<K, BTreeSet<ObjectKey>>, key: &K) -> Vec<ObjectKey> {
    index.get(key).into_iter().flatten().cloned().collect()
}

fn leave<K: Eq + Hash>(index: &mut HashMap<K, BTreeSet<ObjectKey>>, key: &K, object: &ObjectKey) {
    if let Some(objects) = index.get_mut(key) {
        objects.remove(object);
        if objects.is_empty() {
            index.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> ObjectKey {
        ("team".to_owned(), name.to_owned())
    }

    fn uses(store: &str, target: &str) -> Uses {
        let store = StoreKey::Cluster {
            name: store.to_owned(),
        };
        Uses {
            stores: BTreeMap::from([(store, 3)]),
            templates: BTreeSet::from([TemplateSource::ConfigMap(key(target))]),
            target: Target::secret(key(target)),
        }
    }

    #[test]
    fn a_changed_object_leaves_its_old_entries() {
        let mut dependents = Dependents::default();
        dependents.set(&key("a"), uses("one", "shared"));
        dependents.set(&key("b"), uses("one", "shared"));
        dependents.set(&key("a"), uses("two", "own"));
        let store = |name: &str| StoreKey::Cluster {
            name: name.to_owned(),
        };
        assert_eq!(dependents.of_store(&store("one")), [key("b")]);
        assert_eq!(dependents.reads_of(&store("one")), 3);
        assert_eq!(dependents.of_store(&store("two")), [key("a")]);
        assert_eq!(
            dependents.of_target(&Target::secret(key("shared"))),
            [key("b")]
        );
        let template = TemplateSource::ConfigMap(key("own"));
        assert_eq!(dependents.of_template(&template), [key("a")]);
        dependents.remove(&key("a"));
        dependents.remove(&key("b"));
        assert_eq!(dependents.objects().count(), 0);
        assert!(dependents.by_store.is_empty() && dependents.by_target.is_empty());
        assert!(dependents.by_template.is_empty() && dependents.reads.is_empty());
    }
}
