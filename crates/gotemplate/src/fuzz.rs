//! What the fuzz targets of the repository call, and the test that runs their corpus: lexer, parser and
//! executor on arbitrary bytes, with what must hold whatever they are. Not part of the crate's API.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use crate::lex::{Delims, Lexer, TokenKind};
use crate::{Environment, Functions, Limits, MissingKey, Options, Template, Value, add_sprig};

/// Nothing changes and nothing is random.
struct Still;

impl Environment for Still {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

static FUNCTIONS: LazyLock<Functions> = LazyLock::new(|| {
    let mut functions = Functions::new();
    let environment: Arc<dyn Environment> = Arc::new(Still);
    add_sprig(&mut functions, &environment);
    functions
});

/// A first byte of `<` asks for other delimiters than Go's.
fn delimiters(data: &[u8]) -> (&str, &str, &[u8]) {
    match data {
        [b'<', text @ ..] => ("<<", ">>", text),
        text => ("{{", "}}", text),
    }
}

/// Reads all tokens: each is in the text, none before the one before it, lines only grow, and there
/// is an end.
pub fn lexer(data: &[u8]) {
    let (left, right, text) = delimiters(data);
    let delims = Delims {
        left: left.into(),
        right: right.into(),
    };
    let mut lexer = Lexer::new(text, &delims, true, true);
    let (mut pos, mut line) = (0, 1);
    for count in 0.. {
        let token = lexer.next_token();
        assert!(count <= 2 * text.len() + 2, "more tokens than bytes");
        if matches!(token.kind, TokenKind::Eof | TokenKind::Error) {
            break;
        }
        assert!(
            token.pos >= pos && token.line >= line,
            "tokens out of order"
        );
        assert!(
            text[token.pos..].starts_with(&token.value),
            "not a token of the text"
        );
        (pos, line) = (token.pos, token.line);
    }
}

/// Parses: an error tells a line of the text.
pub fn parser(data: &[u8]) {
    parsed(data);
}

fn parsed(data: &[u8]) -> Option<Template> {
    let (left, right, text) = delimiters(data);
    let options = Options {
        delims: (left.to_owned(), right.to_owned()),
        missing_key: MissingKey::Error,
        limits: Limits {
            steps: 2_000,
            output: 1 << 16,
            ..Limits::default()
        },
    };
    match Template::parse_with("fuzz", text, &FUNCTIONS, &options) {
        Ok(template) => Some(template),
        Err(error) => {
            check_line(text, &error);
            None
        }
    }
}

/// Parses and executes with the data of a Secret: an error tells a line and a column of the text.
pub fn execute(data: &[u8]) {
    // making keys is slow on purpose and looks at little of its input
    const SLOW: [&[u8]; 4] = [b"gen", b"crypt", b"htpasswd", b"derivePassword"];
    let slow = |word: &&[u8]| data.windows(word.len()).any(|window| window == *word);
    if SLOW.iter().any(slow) {
        return;
    }
    let (_, _, text) = delimiters(data);
    let Some(template) = parsed(data) else { return };
    let root = Value::string_map([
        ("a", "1"),
        ("b", "text"),
        ("empty", ""),
        ("user", "u\u{e9}"),
    ]);
    match template.execute(&root) {
        Ok(output) => assert!(output.len() <= 1 << 16, "more output than allowed"),
        Err(error) => {
            check_line(text, &error);
            let line = text
                .split(|byte| *byte == b'\n')
                .nth(error.line().max(1) - 1);
            let column = error.column().unwrap_or_default();
            assert!(
                line.is_some_and(|line| column <= line.len()),
                "{error}: no such column"
            );
        }
    }
}

fn check_line(text: &[u8], error: &crate::Error) {
    let lines = crate::lex::newlines(text) + 1;
    assert!(error.line() <= lines, "{error}: no such line");
}
