//! Makes templates and data at random, by a grammar: mostly well-typed, now and then hostile. The same
//! seed and index give the same pair. Leaves out what Go answers differently from run to run
//! (randomness, addresses, the order of `keys`), and what makes Go die: a map in itself.

mod data;
mod expression;
mod functions;
mod literals;
mod statement;
mod tables;

use data_encoding::BASE64;
use gotemplate::MissingKey;

use data::Datum;
use expression::Writer;

/// A template and its data.
pub(crate) struct Pair {
    pub(crate) template: Vec<u8>,
    pub(crate) missing_key: MissingKey,
    pub(crate) data: Datum,
}

/// The pair of this number.
pub(crate) fn pair(seed: u64, index: u64) -> Pair {
    let mut random = Random(seed.wrapping_mul(0x0100_0000_01B3) ^ (index << 20));
    let sequences = random.one_in(8);
    let data = data::root(&mut random, sequences);
    let missing_key = match random.below(4) {
        0 => MissingKey::Default,
        1 => MissingKey::Zero,
        _ => MissingKey::Error,
    };
    let mut template = Writer::new(&mut random, sequences).template().into_bytes();
    // what is no time any more is the present to date functions
    let dates = template.windows(3).any(|word| word == b"ate")
        || template.windows(5).any(|word| word == b"Round");
    if random.one_in(12) && !dates {
        mutate(&mut random, &mut template);
    }
    Pair {
        template,
        missing_key,
        data,
    }
}

/// Breaks the text here and there. Puts in no digits: they could make Go count for years.
fn mutate(random: &mut Random, text: &mut Vec<u8>) {
    const BYTES: &[u8] = b"{}()|.$\"'`-/*:=, \n%aif\xff\x00_+!";
    for _ in 0..=random.below(3) {
        let at = random.below(text.len() + 1);
        let is_digit = text.get(at).is_some_and(u8::is_ascii_alphanumeric);
        match random.below(4) {
            0 if at < text.len() && !text[at].is_ascii_whitespace() => drop(text.remove(at)),
            1 => text.insert(at, BYTES[random.below(BYTES.len())]),
            2 if at < text.len() && !is_digit => text[at] = BYTES[random.below(BYTES.len())],
            _ if random.one_in(4) => text.truncate(at),
            _ => {}
        }
    }
}

impl Pair {
    /// The pair as the Go program reads it.
    pub(crate) fn line(&self) -> String {
        let missing_key = match self.missing_key {
            MissingKey::Default => "default",
            MissingKey::Zero => "zero",
            MissingKey::Error => "error",
        };
        let template = BASE64.encode(&self.template);
        let data = self.data.wire();
        format!(r#"{{"t":"{template}","k":"{missing_key}","d":{data}}}"#)
    }

    /// For somebody who looks for the reason of a disagreement.
    pub(crate) fn text(&self) -> String {
        let template = String::from_utf8_lossy(&self.template);
        format!(
            "missingkey={:?} data={:?}\n{template}",
            self.missing_key, self.data
        )
    }
}

/// A small generator (splitmix64).
pub(crate) struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    fn word(&mut self, words: &[&'static str]) -> &'static str {
        words[self.below(words.len())]
    }
}
