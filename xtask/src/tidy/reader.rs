//! Finds the facts of a Rust file in its syntax tree. What they are for, the rules know.

use anyhow::{Context as _, Result};
use proc_macro2::{Span, TokenStream};
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

use super::source::{By, Child, Function, Global, Import, Name, Source};
use super::syntax::{defined, is_cell, is_test_mark, line, resolved, segments};
use super::tokens::{Words, quoted};

/// Reads the text of a file; its path says whether it is test code.
pub(super) fn parse(path: &str, text: &str) -> Result<Source> {
    let is_test = path
        .split('/')
        .any(|part| part == "tests" || part.ends_with("tests.rs"));
    parse_as(path, text, is_test)
}

/// Reads the text of a file that is test code or not.
pub(super) fn parse_as(path: &str, text: &str, is_test: bool) -> Result<Source> {
    let file = syn::parse_file(text).with_context(|| format!("parse {path}"))?;
    let source = Source::new(path, text, is_test);
    let mut reader = Reader {
        tests: usize::from(is_test),
        module: source.module.clone(),
        source,
        in_table: false,
    };
    reader.define(&file.items);
    reader.visit_file(&file);
    Ok(reader.source)
}

struct Reader {
    source: Source,
    /// The module at this place, inline modules included.
    module: Vec<String>,
    /// How many enclosing items are marked as tests.
    tests: usize,
    in_table: bool,
}

impl Reader {
    fn name(&mut self, segments: &[String], line: usize, by: By) {
        let segments = resolved(&self.module, segments);
        self.source.names.push(Name {
            segments,
            scope: self.module.clone(),
            line,
            is_test: self.tests > 0,
            by,
        });
    }

    /// Notes what a module defines; items inside functions are not seen from elsewhere.
    fn define(&mut self, items: &[syn::Item]) {
        let defined = items.iter().flat_map(defined);
        let scope = self.source.scopes.entry(self.module.clone()).or_default();
        scope.items.extend(defined);
    }

    fn tree(&mut self, prefix: &[String], tree: &syn::UseTree, is_export: bool) {
        let mut path = prefix.to_vec();
        match tree {
            syn::UseTree::Path(step) => {
                path.push(step.ident.to_string());
                self.tree(&path, &step.tree, is_export);
            }
            syn::UseTree::Group(group) => {
                for item in &group.items {
                    self.tree(prefix, item, is_export);
                }
            }
            syn::UseTree::Name(leaf) => self.leaf(path, &leaf.ident, &leaf.ident, is_export),
            syn::UseTree::Rename(leaf) => self.leaf(path, &leaf.ident, &leaf.rename, is_export),
            syn::UseTree::Glob(glob) => {
                self.name(&path, line(glob.span()), By::Glob { is_export });
                self.import(None, &path);
            }
        }
    }

    fn leaf(
        &mut self,
        mut path: Vec<String>,
        ident: &syn::Ident,
        rename: &syn::Ident,
        is_export: bool,
    ) {
        let mut name = rename.to_string();
        if ident != "self" {
            path.push(ident.to_string());
        } else if let Some(last) = path.last().filter(|_| rename == "self") {
            name.clone_from(last);
        }
        let by = if is_export { By::Export } else { By::Import };
        self.name(&path, line(ident.span()), by);
        self.import(Some(name), &path);
    }

    fn import(&mut self, name: Option<String>, path: &[String]) {
        let target = resolved(&self.module, path);
        let scope = self.source.scopes.entry(self.module.clone()).or_default();
        scope.imports.push(Import { name, target });
    }

    fn tokens(&mut self, tokens: TokenStream) {
        let words = Words::of(tokens);
        self.paths(words.paths);
        if self.tests == 0 {
            self.source.asyncs.extend(words.awaits);
        }
    }

    fn paths(&mut self, paths: Vec<(Vec<String>, usize)>) {
        for (path, line) in paths {
            self.name(&path, line, By::Code);
        }
    }

    fn is_async(&mut self, span: Span) {
        if self.tests == 0 {
            self.source.asyncs.push(line(span));
        }
    }

    fn function(&mut self, signature: &syn::Signature, body: &syn::Block) {
        let braces = body.brace_token.span;
        let lines = line(braces.open()) + 1..=line(braces.close()).saturating_sub(1);
        self.source.functions.push(Function {
            name: signature.ident.to_string(),
            line: line(signature.ident.span()),
            lines,
        });
    }

    fn table(&mut self, span: Span, read: impl FnOnce(&mut Self)) {
        let is_outermost = self.tests > 0 && !self.in_table;
        if is_outermost {
            self.source.tables.push(line(span)..=span.end().line);
            self.in_table = true;
        }
        read(self);
        if is_outermost {
            self.in_table = false;
        }
    }

    fn marked(&mut self, attributes: &[syn::Attribute], read: impl FnOnce(&mut Self)) {
        let marks = usize::from(attributes.iter().any(is_test_mark));
        self.tests += marks;
        read(self);
        self.tests -= marks;
    }

    fn declare(&mut self, item: &syn::ItemMod) {
        let mut module = self.module.clone();
        module.push(item.ident.to_string());
        self.source.children.push(Child {
            module,
            line: line(item.ident.span()),
            is_test: self.tests > 0 || item.attrs.iter().any(is_test_mark),
            is_inline: item.content.is_some(),
        });
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let is_export = !matches!(item.vis, syn::Visibility::Inherited);
        self.marked(&item.attrs, |reader| {
            reader.tree(&[], &item.tree, is_export);
        });
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        // the value, not the module
        if !path.is_ident("self") {
            self.name(&segments(path), line(path.span()), By::Code);
        }
        visit::visit_path(self, path);
    }

    /// `pub(super)` names nothing.
    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        if let syn::Meta::List(list) = &attribute.meta {
            self.tokens(list.tokens.clone());
            if list.path.is_ident("serde") || list.path.is_ident("schemars") {
                self.paths(quoted(list.tokens.clone()));
            }
        }
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        let tokens = call.tokens.clone();
        if call.path.is_ident("vec") {
            self.table(call.span(), |reader| reader.tokens(tokens));
        } else {
            self.tokens(tokens);
        }
        visit::visit_macro(self, call);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.declare(item);
        self.module.push(item.ident.to_string());
        if let Some((_, items)) = &item.content {
            self.define(items);
        }
        self.marked(&item.attrs, |reader| visit::visit_item_mod(reader, item));
        self.module.pop();
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        if self.tests == 0
            && (matches!(item.mutability, syn::StaticMutability::Mut(_)) || is_cell(&item.ty))
        {
            self.source.globals.push(Global {
                name: item.ident.to_string(),
                line: line(item.ident.span()),
            });
        }
        self.marked(&item.attrs, |reader| visit::visit_item_static(reader, item));
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, &item.block);
        self.marked(&item.attrs, |reader| visit::visit_item_fn(reader, item));
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        self.marked(&item.attrs, |reader| visit::visit_item_impl(reader, item));
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig, &item.block);
        self.marked(&item.attrs, |reader| {
            visit::visit_impl_item_fn(reader, item);
        });
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(body) = &item.default {
            self.function(&item.sig, body);
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        if let Some(token) = signature.asyncness {
            self.is_async(token.span);
        }
        visit::visit_signature(self, signature);
    }

    fn visit_expr_async(&mut self, block: &'ast syn::ExprAsync) {
        self.is_async(block.async_token.span);
        visit::visit_expr_async(self, block);
    }

    fn visit_expr_await(&mut self, wait: &'ast syn::ExprAwait) {
        self.is_async(wait.await_token.span);
        visit::visit_expr_await(self, wait);
    }

    fn visit_expr_closure(&mut self, closure: &'ast syn::ExprClosure) {
        if let Some(token) = closure.asyncness {
            self.is_async(token.span);
        }
        visit::visit_expr_closure(self, closure);
    }

    fn visit_expr_array(&mut self, array: &'ast syn::ExprArray) {
        self.table(array.span(), |reader| {
            visit::visit_expr_array(reader, array);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &str, text: &str) -> Vec<String> {
        let source = parse(path, text).unwrap();
        source
            .names
            .iter()
            .map(|name| name.segments.join("::"))
            .collect()
    }

    #[test]
    fn paths_are_resolved() {
        let text = "use super::{Error, fake::{self, Vault as V}};\nuse self::a::*;\nmod inner { use super::b; }\n";
        assert_eq!(
            names("src/provider/akv/mod.rs", text),
            [
                "crate::provider::Error",
                "crate::provider::fake",
                "crate::provider::fake::Vault",
                "crate::provider::akv::a",
                "crate::provider::akv::b"
            ]
        );
    }

    #[test]
    fn code_and_macros_are_read() {
        let text = "fn f() { crate::a::b(); println!(\"{}\", crate::c::d(x, kube::Api::e())); }";
        let names = names("src/x.rs", text);
        assert!(names.contains(&"crate::a::b".to_owned()), "{names:?}");
        assert!(names.contains(&"crate::c::d".to_owned()), "{names:?}");
        assert!(names.contains(&"kube::Api::e".to_owned()), "{names:?}");
    }

    #[test]
    fn attributes_are_read_and_visibilities_are_not() {
        let text = "#[serde(with = \"super::time\", rename = \"a-b\")]\n#[arg(value_parser = crate::cli::parse)]\npub(in crate::a) struct S;\n";
        assert_eq!(
            names("src/x/y.rs", text),
            ["crate::x::time", "crate::cli::parse"]
        );
    }

    #[test]
    fn items_and_imports_are_in_scope() {
        let text = "use a::{b as c, d::{self}, e::*};\n#[kube(group = \"g\", kind = \"K\")]\nstruct KSpec;\nfn f() { struct Inner; }\nmod m { const X: u8 = 1; }\n";
        let source = parse("src/x.rs", text).unwrap();
        let own = &source.scopes[&source.module];
        let items: Vec<&str> = own.items.iter().map(String::as_str).collect();
        assert_eq!(items, ["K", "KSpec", "f"]);
        let imports: Vec<String> = own
            .imports
            .iter()
            .map(|import| format!("{:?} {}", import.name, import.target.join("::")))
            .collect();
        assert_eq!(
            imports,
            ["Some(\"c\") a::b", "Some(\"d\") a::d", "None a::e"]
        );
        let inner = &source.scopes[["x".to_owned(), "m".to_owned()].as_slice()];
        assert!(inner.items.contains("X"));
    }

    #[test]
    fn the_head_is_the_leading_block() {
        let source = parse("src/x.rs", "//! A\n//!\n//! b.\n\n//! c\n").unwrap();
        assert_eq!(source.head, ["A", "", "b."]);
    }

    #[test]
    fn tables_of_cases_count_as_one_line() {
        let text = "#[test]\nfn f() {\n    let t = [\n        [1],\n        [2],\n    ];\n}\nfn g() {\n    [\n    ];\n}\n";
        let source = parse("src/x.rs", text).unwrap();
        let lengths: Vec<usize> = source
            .functions
            .iter()
            .map(|f| source.length(&f.lines))
            .collect();
        assert_eq!(lengths, [1, 2]);
    }
}
