//! Paths among the arguments of macros and attributes, which syn does not parse. A guess by look:
//! knows no macro.

use proc_macro2::{TokenStream, TokenTree};

use super::syntax::{line, segments};

/// What was found among tokens.
#[derive(Default)]
pub(super) struct Words {
    /// Paths, each with its line.
    pub(super) paths: Vec<(Vec<String>, usize)>,
    /// The lines that await something.
    pub(super) awaits: Vec<usize>,
    /// The path being read.
    path: Vec<String>,
    at: usize,
}

impl Words {
    /// What is among these tokens.
    pub(super) fn of(tokens: TokenStream) -> Self {
        let mut words = Self::default();
        words.read(tokens);
        words
    }

    fn read(&mut self, tokens: TokenStream) {
        let (mut colons, mut is_member) = (0, false);
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.end(false);
                        self.at = line(ident.span());
                    }
                    if ident == "await" {
                        self.awaits.push(line(ident.span()));
                    }
                    if !is_member {
                        self.path.push(ident.to_string());
                    }
                    (colons, is_member) = (0, false);
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                other => {
                    colons = 0;
                    let is_dot =
                        matches!(&other, TokenTree::Punct(punct) if punct.as_char() == '.');
                    is_member = is_dot && !is_member;
                    self.end(matches!(other, TokenTree::Group(_)));
                    if let TokenTree::Group(group) = other {
                        self.read(group.stream());
                    }
                }
            }
        }
        self.end(false);
    }

    /// A single word is a path if it looks like a type or is called; else it may be a variable.
    fn end(&mut self, is_call: bool) {
        let path = std::mem::take(&mut self.path);
        let is_type = |word: &String| word.starts_with(char::is_uppercase);
        if path.len() > 1 || path.first().is_some_and(|word| is_call || is_type(word)) {
            self.paths.push((path, self.at));
        }
    }
}

/// Paths that an attribute takes as text: `#[serde(with = "super::time")]`.
pub(super) fn quoted(tokens: TokenStream) -> Vec<(Vec<String>, usize)> {
    let path = |token: TokenTree| {
        let text = syn::parse_str::<syn::LitStr>(&token.to_string()).ok()?;
        let path = syn::parse_str::<syn::Path>(&text.value()).ok()?;
        (path.segments.len() > 1).then(|| (segments(&path), line(token.span())))
    };
    tokens.into_iter().filter_map(path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_words_are_paths_if_they_look_like_it() {
        let tokens = "Type, f(x), x.g(1), x.Y, 0..MAX, z = 1, self.a, b::c, d.await";
        let words = Words::of(tokens.parse().unwrap());
        let paths = words.paths.iter().map(|(path, _)| path.join("::"));
        assert_eq!(paths.collect::<Vec<_>>(), ["Type", "f", "MAX", "b::c"]);
        assert_eq!(words.awaits.len(), 1);
    }
}
