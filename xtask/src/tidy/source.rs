//! A Rust file as the facts that the rules ask for: which paths it names, what is async, how long
//! its functions are.

use std::ops::RangeInclusive;

use anyhow::{Context as _, Result};
use proc_macro2::{Span, TokenStream, TokenTree};
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

/// What is known of a file.
pub(super) struct Source {
    /// Relative to the repository's root.
    pub(super) path: String,
    /// The module that a file of src/ is, from the crate's root: `["provider", "error"]`.
    pub(super) module: Vec<String>,
    /// How many lines it has.
    pub(super) lines: usize,
    /// Its first line.
    pub(super) first_line: String,
    /// Paths that it names, in `use`, code and macro arguments.
    pub(super) names: Vec<Name>,
    /// Where something is async or awaited outside tests.
    pub(super) asyncs: Vec<usize>,
    /// Its functions.
    pub(super) functions: Vec<Function>,
    /// Array literals and `vec!` in test code, outermost ones: tables of cases.
    pub(super) tables: Vec<RangeInclusive<usize>>,
}

/// A path, with `crate`, `self` and `super` resolved: it begins with `crate` or with a name from
/// outside.
pub(super) struct Name {
    pub(super) segments: Vec<String>,
    pub(super) line: usize,
    pub(super) is_test: bool,
}

/// A function with a body.
pub(super) struct Function {
    pub(super) name: String,
    /// Where its name stands.
    pub(super) line: usize,
    /// Between its braces, as clippy counts too.
    pub(super) lines: RangeInclusive<usize>,
}

impl Source {
    /// Parses the text of a file.
    pub(super) fn parse(path: &str, text: &str) -> Result<Self> {
        let file = syn::parse_file(text).with_context(|| format!("parse {path}"))?;
        let is_test = path
            .split('/')
            .any(|part| part == "tests" || part.ends_with("tests.rs"));
        let source = Self {
            path: path.to_owned(),
            module: module_of(path),
            lines: text.lines().count(),
            first_line: text.lines().next().unwrap_or_default().to_owned(),
            names: Vec::new(),
            asyncs: Vec::new(),
            functions: Vec::new(),
            tables: Vec::new(),
        };
        let module = source.module.clone();
        let mut reader = Reader {
            source,
            module,
            tests: usize::from(is_test),
            in_table: false,
        };
        reader.visit_file(&file);
        Ok(reader.source)
    }

    /// Lines in a range, a table of test cases counting as one.
    pub(super) fn length(&self, range: &RangeInclusive<usize>) -> usize {
        let inside = self
            .tables
            .iter()
            .filter(|table| range.contains(table.start()) && range.contains(table.end()));
        let spared: usize = inside.map(|table| table.end() - table.start()).sum();
        (range.end() + 1).saturating_sub(range.start() + spared)
    }
}

/// `src/provider/error.rs` → `["provider", "error"]`; nothing for files outside src/.
fn module_of(path: &str) -> Vec<String> {
    let Some(inner) = path
        .strip_prefix("src/")
        .and_then(|path| path.strip_suffix(".rs"))
    else {
        return Vec::new();
    };
    let mut parts: Vec<String> = inner.split('/').map(str::to_owned).collect();
    parts.pop_if(|last| matches!(last.as_str(), "mod" | "lib" | "main"));
    parts
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
    fn name(&mut self, segments: &[String], line: usize) {
        let segments = self.resolve(segments);
        self.source.names.push(Name {
            segments,
            line,
            is_test: self.tests > 0,
        });
    }

    fn resolve(&self, segments: &[String]) -> Vec<String> {
        let mut base = self.module.clone();
        let mut rest = segments;
        match rest.first().map(String::as_str) {
            Some("self") => rest = &rest[1..],
            Some("super") => {}
            _ => return segments.to_vec(),
        }
        while rest.first().is_some_and(|first| first == "super") {
            base.pop();
            rest = &rest[1..];
        }
        ["crate".to_owned()]
            .into_iter()
            .chain(base)
            .chain(rest.iter().cloned())
            .collect()
    }

    fn tree(&mut self, prefix: &[String], tree: &syn::UseTree) {
        let mut path = prefix.to_vec();
        match tree {
            syn::UseTree::Path(step) => {
                path.push(step.ident.to_string());
                self.tree(&path, &step.tree);
            }
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|item| self.tree(prefix, item));
            }
            syn::UseTree::Name(leaf) => self.leaf(path, &leaf.ident),
            syn::UseTree::Rename(leaf) => self.leaf(path, &leaf.ident),
            syn::UseTree::Glob(glob) => self.name(&path, line(glob.span())),
        }
    }

    fn leaf(&mut self, mut path: Vec<String>, ident: &syn::Ident) {
        if ident != "self" {
            path.push(ident.to_string());
        }
        self.name(&path, line(ident.span()));
    }

    /// Paths among the arguments of a macro, which syn does not parse.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let (mut at, mut colons) = (0, 0);
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.end_path(&mut path, at);
                        at = line(ident.span());
                    }
                    path.push(ident.to_string());
                    colons = 0;
                    if ident == "await" {
                        self.is_async(ident.span());
                    }
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                other => {
                    colons = 0;
                    self.end_path(&mut path, at);
                    if let TokenTree::Group(group) = other {
                        self.tokens(group.stream());
                    }
                }
            }
        }
        self.end_path(&mut path, at);
    }

    fn end_path(&mut self, path: &mut Vec<String>, line: usize) {
        if path.len() > 1 {
            self.name(path, line);
        }
        path.clear();
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
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.marked(&item.attrs, |reader| reader.tree(&[], &item.tree));
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path
            .segments
            .iter()
            .map(|segment| segment.ident.to_string())
            .collect();
        self.name(&segments, line(path.span()));
        visit::visit_path(self, path);
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
        self.module.push(item.ident.to_string());
        self.marked(&item.attrs, |reader| visit::visit_item_mod(reader, item));
        self.module.pop();
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, &item.block);
        self.marked(&item.attrs, |reader| visit::visit_item_fn(reader, item));
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

fn line(span: Span) -> usize {
    span.start().line
}

/// `#[cfg(test)]`, `#[test]`, `#[tokio::test]`.
fn is_test_mark(attribute: &syn::Attribute) -> bool {
    let path = attribute.path();
    let names_test = |tokens: &TokenStream| {
        tokens
            .clone()
            .into_iter()
            .any(|token| token.to_string() == "test")
    };
    match &attribute.meta {
        syn::Meta::List(list) if path.is_ident("cfg") => names_test(&list.tokens),
        _ => path
            .segments
            .last()
            .is_some_and(|segment| segment.ident == "test"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &str, text: &str) -> Vec<String> {
        let source = Source::parse(path, text).unwrap();
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
    fn tables_of_cases_count_as_one_line() {
        let text = "#[test]\nfn f() {\n    let t = [\n        [1],\n        [2],\n    ];\n}\nfn g() {\n    [\n    ];\n}\n";
        let source = Source::parse("src/x.rs", text).unwrap();
        let lengths: Vec<usize> = source
            .functions
            .iter()
            .map(|f| source.length(&f.lines))
            .collect();
        assert_eq!(lengths, [1, 2]);
    }
}
