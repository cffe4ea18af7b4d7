//! Questions to a single piece of syntax: what an item defines, whether an attribute marks a test.
//! Knows no file.

use proc_macro2::{Span, TokenStream, TokenTree};

pub(super) fn line(span: Span) -> usize {
    span.start().line
}

pub(super) fn segments(path: &syn::Path) -> Vec<String> {
    let segments = path.segments.iter();
    segments.map(|segment| segment.ident.to_string()).collect()
}

/// The path from the crate's root, if it begins with `self` or `super` in this module.
pub(super) fn resolved(module: &[String], segments: &[String]) -> Vec<String> {
    let rest = match segments.first().map(String::as_str) {
        Some("self") => &segments[1..],
        Some("super") => segments,
        _ => return segments.to_vec(),
    };
    let ups = rest
        .iter()
        .take_while(|segment| *segment == "super")
        .count();
    let base = &module[..module.len().saturating_sub(ups)];
    let root = ["crate".to_owned()].into_iter();
    root.chain(base.iter().chain(&rest[ups..]).cloned())
        .collect()
}

/// The names that an item brings into its module; `#[kube(kind = "X")]` derives one more.
pub(super) fn defined(item: &syn::Item) -> Vec<String> {
    let (ident, attributes) = match item {
        syn::Item::Const(item) => (&item.ident, &item.attrs),
        syn::Item::Enum(item) => (&item.ident, &item.attrs),
        syn::Item::Fn(item) => (&item.sig.ident, &item.attrs),
        syn::Item::Static(item) => (&item.ident, &item.attrs),
        syn::Item::Struct(item) => (&item.ident, &item.attrs),
        syn::Item::Trait(item) => (&item.ident, &item.attrs),
        syn::Item::Type(item) => (&item.ident, &item.attrs),
        syn::Item::Union(item) => (&item.ident, &item.attrs),
        syn::Item::Macro(item) => match &item.ident {
            Some(ident) => (ident, &item.attrs),
            None => return Vec::new(),
        },
        _ => return Vec::new(),
    };
    let kind = attributes.iter().find_map(kube_kind);
    [ident.to_string()].into_iter().chain(kind).collect()
}

fn kube_kind(attribute: &syn::Attribute) -> Option<String> {
    let syn::Meta::List(list) = &attribute.meta else {
        return None;
    };
    if !list.path.is_ident("kube") {
        return None;
    }
    let mut tokens = list.tokens.clone().into_iter();
    tokens.find(|token| matches!(token, TokenTree::Ident(ident) if ident == "kind"))?;
    let text = tokens.nth(1)?.to_string();
    Some(syn::parse_str::<syn::LitStr>(&text).ok()?.value())
}

/// `#[cfg(test)]`, `#[test]`, `#[tokio::test]`.
pub(super) fn is_test_mark(attribute: &syn::Attribute) -> bool {
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

/// A type whose values change behind a shared reference. One that is written once, such as a
/// `LazyLock<Regex>`, is not.
pub(super) fn is_cell(ty: &syn::Type) -> bool {
    const CELLS: [&str; 5] = ["Cell", "RefCell", "Mutex", "OnceLock", "RwLock"];
    struct Cells(bool);
    impl<'ast> syn::visit::Visit<'ast> for Cells {
        fn visit_ident(&mut self, ident: &'ast syn::Ident) {
            let name = ident.to_string();
            self.0 |= CELLS.contains(&name.as_str()) || name.starts_with("Atomic");
        }
    }
    let mut cells = Cells(false);
    syn::visit::visit_type(&mut cells, ty);
    cells.0
}
