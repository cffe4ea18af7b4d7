//! Which file defines what a path names: follows modules, `use` and re-exports through a crate.
//! Judges nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Name, Scope, Source};

/// The modules of one crate.
pub(super) struct Modules<'a> {
    modules: BTreeMap<&'a [String], Module<'a>>,
}

struct Module<'a> {
    /// Its file, as its place among the sources.
    file: usize,
    scope: &'a Scope,
}

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Target<'a> {
    /// The file that defines it, as its place among the sources.
    pub(super) file: usize,
    /// The module that defines it, or that it is.
    pub(super) module: &'a [String],
    /// It is the module, not something inside it.
    pub(super) is_module: bool,
}

/// Lookups under way, lest two `use` that name each other are followed for ever.
type Seen<'a> = BTreeSet<(&'a [String], String)>;

impl<'a> Modules<'a> {
    /// The modules of the crate in this folder. A binary beside a library is left out: it is a crate
    /// of its own, which nothing can name.
    pub(super) fn of(sources: &'a [Source], root: &str) -> Self {
        let mut modules = BTreeMap::new();
        for (file, source) in sources.iter().enumerate() {
            if source.root != root {
                continue;
            }
            for (path, scope) in &source.scopes {
                modules
                    .entry(path.as_slice())
                    .or_insert(Module { file, scope });
            }
        }
        Self { modules }
    }

    /// What a name of this crate leads to; nothing if that is outside or unknown.
    pub(super) fn target(&self, name: &Name) -> Option<Target<'a>> {
        let found = self.follow(&name.scope, &name.segments, &mut BTreeSet::new())?;
        // a single word in code is a value or a type, never a module
        let is_word = name.segments.len() == 1 && name.segments[0] != "crate";
        (!(found.is_module && is_word)).then_some(found)
    }

    fn follow(
        &self,
        scope: &[String],
        segments: &[String],
        seen: &mut Seen<'a>,
    ) -> Option<Target<'a>> {
        let (first, rest) = segments.split_first()?;
        let start = if first == "crate" {
            self.module(&[])?
        } else {
            let (scope, _) = self.modules.get_key_value(scope)?;
            self.look_up(scope, first, rest.is_empty(), seen)?
        };
        let mut at = start;
        for (index, segment) in rest.iter().enumerate() {
            if !at.is_module {
                return Some(at);
            }
            let is_last = index + 1 == rest.len();
            // what a macro or a derive defines is not seen: it is taken to be in the module's file
            at = self
                .look_up(at.module, segment, is_last, seen)
                .unwrap_or(Target {
                    is_module: false,
                    ..at
                });
        }
        Some(at)
    }

    /// A name inside a module. A module may be called as a function beside it: the last word of a
    /// path is rather the function.
    fn look_up(
        &self,
        module: &'a [String],
        name: &str,
        is_last: bool,
        seen: &mut Seen<'a>,
    ) -> Option<Target<'a>> {
        let here = self.modules.get(module)?;
        let item = here.scope.items.contains(name).then_some(Target {
            file: here.file,
            module,
            is_module: false,
        });
        let child = self.module(&[module, &[name.to_owned()]].concat());
        let mut own = [item, child].into_iter().flatten();
        let is_apt = |target: &Target<'_>| target.is_module != is_last;
        if let Some(apt) = own.clone().find(is_apt) {
            return Some(apt);
        }
        if !seen.insert((module, name.to_owned())) {
            return own.next();
        }
        let imports = here.scope.imports.iter();
        let mut named = imports.filter(|import| import.name.as_deref() == Some(name));
        let named = named.find_map(|import| self.follow(module, &import.target, seen));
        named
            .or_else(|| own.next())
            .or_else(|| self.globbed(module, here.scope, name, is_last, seen))
    }

    fn globbed(
        &self,
        module: &'a [String],
        scope: &Scope,
        name: &str,
        is_last: bool,
        seen: &mut Seen<'a>,
    ) -> Option<Target<'a>> {
        let mut globs = scope.imports.iter().filter(|import| import.name.is_none());
        globs.find_map(|import| {
            let target = self.follow(module, &import.target, seen)?;
            let within = target.is_module.then_some(target.module)?;
            self.look_up(within, name, is_last, seen)
        })
    }

    fn module(&self, path: &[String]) -> Option<Target<'a>> {
        let (&module, found) = self.modules.get_key_value(path)?;
        Some(Target {
            file: found.file,
            module,
            is_module: true,
        })
    }
}
