//! PEM as Go reads and writes it: text between blocks is skipped, headers are kept. Does not know
//! what a block holds.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";

/// A block.
#[derive(Debug)]
pub struct Block {
    pub kind: Vec<u8>,
    /// sorted, `Proc-Type` first
    headers: Vec<(Vec<u8>, Vec<u8>)>,
    pub bytes: Zeroizing<Vec<u8>>,
}

/// The first block and what follows it. Lines that look like a block and are none are skipped.
pub fn next(text: &[u8]) -> Option<(Block, &[u8])> {
    let mut rest = text;
    loop {
        rest = after_begin(rest)?;
        let (line, after) = line(rest);
        rest = after;
        let Some(kind) = line.strip_suffix(DASHES) else {
            continue;
        };
        let (headers, body) = headers(rest);
        rest = body;
        if let Some((bytes, after)) = body_of(kind, headers.is_empty(), body) {
            let kind = kind.to_vec();
            let block = Block {
                kind,
                headers,
                bytes,
            };
            return Some((block, after));
        }
    }
}

/// All blocks.
pub fn blocks(mut text: &[u8]) -> Vec<Block> {
    let mut blocks = Vec::new();
    while let Some((block, rest)) = next(text) {
        blocks.push(block);
        text = rest;
    }
    blocks
}

/// The text from the first block's beginning, or all of it if there is none.
pub fn without_leading_junk(text: &[u8]) -> &[u8] {
    find(text, b"-----BEGIN").map_or(text, |at| &text[at..])
}

/// A block without headers.
pub fn encode(kind: &str, bytes: &[u8]) -> String {
    Block {
        kind: kind.as_bytes().to_vec(),
        headers: Vec::new(),
        bytes: Zeroizing::new(bytes.to_vec()),
    }
    .encode()
}

impl Block {
    /// Whether the headers say that the bytes are encrypted (OpenSSL's old form).
    pub fn is_encrypted(&self) -> bool {
        let mut headers = self.headers.iter();
        headers.any(|(name, value)| name == b"Proc-Type" && value.ends_with(b"ENCRYPTED"))
    }

    /// The block as text: lines of 64 characters.
    pub fn encode(&self) -> String {
        let kind = String::from_utf8_lossy(&self.kind);
        let mut text = format!("-----BEGIN {kind}-----\n");
        for (name, value) in &self.headers {
            let (name, value) = (
                String::from_utf8_lossy(name),
                String::from_utf8_lossy(value),
            );
            // writing to a string cannot fail
            let _ = writeln!(text, "{name}: {value}");
        }
        if !self.headers.is_empty() {
            text.push('\n');
        }
        let base64 = Zeroizing::new(STANDARD.encode(&*self.bytes));
        for (i, c) in base64.chars().enumerate() {
            if i > 0 && i % 64 == 0 {
                text.push('\n');
            }
            text.push(c);
        }
        if !base64.is_empty() {
            text.push('\n');
        }
        let _ = writeln!(text, "-----END {kind}-----");
        text
    }
}

fn after_begin(text: &[u8]) -> Option<&[u8]> {
    if let Some(rest) = text.strip_prefix(BEGIN) {
        return Some(rest);
    }
    let at = find(text, b"\n-----BEGIN ")?;
    Some(&text[at + 1 + BEGIN.len()..])
}

/// The first line without its trailing blanks, and what follows.
fn line(text: &[u8]) -> (&[u8], &[u8]) {
    match text.iter().position(|b| *b == b'\n') {
        Some(at) => (text[..at].trim_ascii_end(), &text[at + 1..]),
        None => (text.trim_ascii_end(), &[]),
    }
}

type Headers = Vec<(Vec<u8>, Vec<u8>)>;

fn headers(mut text: &[u8]) -> (Headers, &[u8]) {
    let mut headers = Headers::new();
    while !text.is_empty() {
        let (line, rest) = line(text);
        let Some(colon) = line.iter().position(|b| *b == b':') else {
            break;
        };
        let name = line[..colon].trim_ascii().to_vec();
        headers.retain(|(other, _)| *other != name);
        headers.push((name, line[colon + 1..].trim_ascii().to_vec()));
        text = rest;
    }
    headers.sort_by_key(|(name, _)| (name != b"Proc-Type", name.clone()));
    (headers, text)
}

/// The bytes of a block and what follows its end.
fn body_of<'a>(
    kind: &[u8],
    may_be_empty: bool,
    text: &'a [u8],
) -> Option<(Zeroizing<Vec<u8>>, &'a [u8])> {
    let (body, after) = if may_be_empty && text.starts_with(END) {
        (&text[..0], &text[END.len()..])
    } else {
        let at = find(text, b"\n-----END ")?;
        (&text[..at], &text[at + 1 + END.len()..])
    };
    let after = after.strip_prefix(kind)?.strip_prefix(DASHES)?;
    let (end, rest) = line(after);
    if !end.is_empty() {
        return None;
    }
    let is_blank = |b: &u8| matches!(b, b' ' | b'\t' | b'\r' | b'\n');
    let base64: Zeroizing<Vec<u8>> =
        Zeroizing::new(body.iter().copied().filter(|b| !is_blank(b)).collect());
    Some((Zeroizing::new(STANDARD.decode(&*base64).ok()?), rest))
}

fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    text.windows(needle.len())
        .position(|window| window == needle)
}
