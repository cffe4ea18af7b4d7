//! Dependency → consumers, in plain maps that the watches keep: a change never scans all objects. Pure.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::api::meta::NamespacedName;

use super::names::{Dependency, StoreKey, Target, TemplateSource};

/// An object that is reconciled again when something it depends on changes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Consumer {
    /// An ExternalSecret.
    ExternalSecret(NamespacedName),
}

/// What one consumer names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct References {
    /// Every store, with the reads that a refresh makes of it.
    pub stores: BTreeMap<StoreKey, usize>,
    /// Every ConfigMap and Secret of `templateFrom`.
    pub templates: BTreeSet<TemplateSource>,
    /// The object that it writes.
    pub target: Target,
}

impl References {
    fn dependencies(&self) -> impl Iterator<Item = Dependency> {
        let stores = self.stores.keys().cloned().map(Dependency::Store);
        let templates = self.templates.iter().cloned().map(Dependency::Template);
        let kind = self.target.manifest.clone().map(Dependency::TargetKind);
        stores
            .chain(templates)
            .chain(kind)
            .chain([Dependency::Target(self.target.clone())])
    }
}

/// The consumers of each dependency, and the reverse.
#[derive(Debug, Default)]
pub struct Index {
    references: HashMap<Consumer, References>,
    consumers: HashMap<Dependency, BTreeSet<Consumer>>,
    reads: HashMap<StoreKey, usize>,
}

impl Index {
    /// Notes what `consumer` names now.
    pub fn set(&mut self, consumer: &Consumer, references: References) {
        if self.references.get(consumer) == Some(&references) {
            return;
        }
        self.remove(consumer);
        for dependency in references.dependencies() {
            let consumers = self.consumers.entry(dependency).or_default();
            consumers.insert(consumer.clone());
        }
        for (store, reads) in &references.stores {
            *self.reads.entry(store.clone()).or_default() += reads;
        }
        self.references.insert(consumer.clone(), references);
    }

    /// `consumer` is gone.
    pub fn remove(&mut self, consumer: &Consumer) {
        let Some(references) = self.references.remove(consumer) else {
            return;
        };
        for dependency in references.dependencies() {
            if let Some(consumers) = self.consumers.get_mut(&dependency) {
                consumers.remove(consumer);
                if consumers.is_empty() {
                    self.consumers.remove(&dependency);
                    if let Dependency::Store(store) = &dependency {
                        self.reads.remove(store);
                    }
                }
            }
        }
        for (store, reads) in &references.stores {
            if let Some(all) = self.reads.get_mut(store) {
                *all -= reads;
            }
        }
    }

    /// Whether `consumer` is known.
    pub fn contains(&self, consumer: &Consumer) -> bool {
        self.references.contains_key(consumer)
    }

    /// The consumers of `dependency`.
    pub fn consumers(&self, dependency: &Dependency) -> Vec<Consumer> {
        let consumers = self.consumers.get(dependency);
        consumers.into_iter().flatten().cloned().collect()
    }

    /// Whether `dependency` has a consumer.
    pub fn has_consumers(&self, dependency: &Dependency) -> bool {
        self.consumers.contains_key(dependency)
    }

    /// The reads of `store` that all consumers make when each refreshes once.
    pub fn reads(&self, store: &StoreKey) -> usize {
        self.reads.get(store).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> NamespacedName {
        NamespacedName::new("team", name)
    }

    fn consumer(object: &str) -> Consumer {
        Consumer::ExternalSecret(name(object))
    }

    fn store(name: &str) -> StoreKey {
        StoreKey::Cluster {
            name: name.to_owned(),
        }
    }

    fn references(from: &str, target: &str) -> References {
        References {
            stores: BTreeMap::from([(store(from), 3)]),
            templates: BTreeSet::from([TemplateSource::ConfigMap(name(target))]),
            target: Target::secret(name(target)),
        }
    }

    #[test]
    fn a_changed_object_leaves_its_old_entries() {
        let mut index = Index::default();
        index.set(&consumer("a"), references("one", "shared"));
        index.set(&consumer("b"), references("one", "shared"));
        index.set(&consumer("a"), references("two", "own"));
        let of_store = |index: &Index, name| index.consumers(&Dependency::Store(store(name)));
        assert_eq!(of_store(&index, "one"), [consumer("b")]);
        assert_eq!(index.reads(&store("one")), 3);
        assert_eq!(of_store(&index, "two"), [consumer("a")]);
        let shared = Dependency::Target(Target::secret(name("shared")));
        assert_eq!(index.consumers(&shared), [consumer("b")]);
        let own = Dependency::Template(TemplateSource::ConfigMap(name("own")));
        assert_eq!(index.consumers(&own), [consumer("a")]);
        index.remove(&consumer("a"));
        index.remove(&consumer("b"));
        assert!(!index.contains(&consumer("a")) && !index.has_consumers(&own));
        assert!(index.consumers.is_empty() && index.reads.is_empty());
    }
}
