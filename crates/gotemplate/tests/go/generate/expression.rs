//! Expressions: constants, fields, variables and calls that give a value of a wanted sort, or now and
//! then of another.

use super::functions::{FUNCTIONS, Signature};
use super::{Random, literals};

/// Writes one template.
pub(super) struct Writer<'r> {
    pub(super) random: &'r mut Random,
    /// names with the sort of what they hold, those in scope
    pub(super) variables: Vec<(String, char)>,
    /// whether dot is the root
    pub(super) at_root: bool,
    /// loops around the place
    pub(super) loops: usize,
    pub(super) names: usize,
    /// whether the root holds iterator functions; it is not printed then
    pub(super) sequences: bool,
}

/// The sorts that functions give.
const RESULTS: &str = "sifbldta";

/// The sorts that `a` stands for.
const SORTS: &[char] = &['s', 's', 's', 'i', 'f', 'b', 'l', 'd', 'N', 't'];

impl<'r> Writer<'r> {
    pub(super) fn new(random: &'r mut Random, sequences: bool) -> Self {
        Self {
            random,
            variables: Vec::new(),
            at_root: true,
            loops: 0,
            names: 0,
            sequences,
        }
    }

    /// What is in an action: one or more stages.
    pub(super) fn pipeline(&mut self, sort: char, depth: usize) -> String {
        if depth == 0 || !RESULTS.contains(sort) || self.random.one_in(4) {
            let operand = self.operand(sort, depth);
            // nil alone is an error
            let bare_nil = operand == "nil" && !self.random.one_in(20);
            return if bare_nil { "1".to_owned() } else { operand };
        }
        let signature = self.function(sort);
        if signature.2 == 'x' || signature.0 == "printf" || !self.random.one_in(2) {
            return self.call(signature, depth);
        }
        let letters = self.letters(signature.1);
        match letters.split_last() {
            Some((last, others)) => {
                let first = self.pipeline(*last, depth - 1);
                let others = self.operands(others, depth - 1);
                format!("{first} | {}{others}", signature.0)
            }
            None => signature.0.to_owned(),
        }
    }

    fn call(&mut self, signature: Signature, depth: usize) -> String {
        let letters = self.letters(signature.1);
        let arguments = self.operands(&letters, depth.saturating_sub(1));
        let call = format!("{}{arguments}", signature.0);
        if signature.2 == 'x' {
            // in no order otherwise
            return format!("{call} | toStrings | sortAlpha");
        }
        call
    }

    fn operands(&mut self, letters: &[char], depth: usize) -> String {
        let operands = letters
            .iter()
            .map(|letter| format!(" {}", self.operand(*letter, depth)));
        operands.collect()
    }

    /// The letters of the parameters, repeated ones as often as chance has it.
    fn letters(&mut self, parameters: &str) -> Vec<char> {
        let mut letters = Vec::new();
        for letter in parameters.chars() {
            if letter == '*' {
                let last = letters.pop().unwrap();
                letters.extend((0..self.random.below(4)).map(|_| last));
            } else {
                letters.push(letter);
            }
        }
        if self.random.one_in(60) {
            letters.pop();
        }
        letters
    }

    fn function(&mut self, sort: char) -> Signature {
        let wanted = |signature: &&Signature| {
            signature.2 == sort
                || sort == 'a' && signature.2 != 'x'
                || sort == 'l' && signature.2 == 'x'
        };
        let fitting: Vec<_> = FUNCTIONS.iter().filter(wanted).collect();
        **self.random.pick(&fitting)
    }

    /// One argument.
    pub(super) fn operand(&mut self, sort: char, depth: usize) -> String {
        if sort == 'E' && self.random.one_in(2) {
            return self.random.word(&["$.d1", "$.d2", "$.m1"]).to_owned();
        }
        if matches!(sort, 'D' | 'E') {
            return self.fresh_map();
        }
        let sort = if sort == 'a' {
            *self.random.pick(SORTS)
        } else if sort == 'g' && self.at_root && self.random.one_in(2) {
            return self.random.word(&["$.l1", "$.l2", "$.t1"]).to_owned();
        } else if sort == 'g' {
            return self.constant('l', depth);
        } else if sort == 'p' && self.random.one_in(2) {
            let sort = *self.random.pick(&['s', 'i', 'f', 'b', 'N']);
            return self.constant(sort, 0);
        } else if sort == 'p' {
            return self.field(sort, 0);
        } else if self.random.one_in(60) && !"nFtp".contains(sort) {
            *self.random.pick(&['s', 'i', 'f', 'b', 'l', 'd', 'N'])
        } else {
            sort
        };
        match self.random.below(10) {
            0..=3 => self.constant(sort, depth),
            4..=6 => self.field(sort, depth),
            7 => self.variable(sort, depth),
            _ if depth > 0 && RESULTS.contains(sort) => {
                let inner = self.function(sort);
                let call = self.call(inner, depth - 1);
                let fields = if sort == 'd' && self.random.one_in(10) {
                    ".s1"
                } else {
                    ""
                };
                format!("({call}){fields}")
            }
            _ => self.constant(sort, depth),
        }
    }

    /// A map that nothing else holds and that holds no map, for functions that change it.
    fn fresh_map(&mut self) -> String {
        let mut entries = String::new();
        for _ in 0..self.random.below(3) {
            let key = literals::special(self.random, 'k');
            let sort = *self.random.pick(&['s', 'i', 'f', 'b', 'N']);
            let value = self.constant(sort, 0);
            entries = format!("{entries} {key} {value}");
        }
        format!("(dict{entries})")
    }

    fn constant(&mut self, sort: char, depth: usize) -> String {
        let random = &mut *self.random;
        match sort {
            's' => literals::text(random),
            'i' => literals::int(random),
            'n' => literals::small(random),
            'f' if random.one_in(3) => literals::int(random),
            'f' => literals::float(random),
            'b' => random.word(&["true", "false"]).to_owned(),
            'N' => "nil".to_owned(),
            't' => {
                let stamp = literals::int_value(random) % 10_000_000_000;
                match random.below(3) {
                    0 => "now".to_owned(),
                    1 => format!(
                        "(toDate \"2006-01-02\" \"20{:02}-0{}-1{}\")",
                        random.below(99),
                        1 + random.below(9),
                        random.below(9)
                    ),
                    _ => format!("(now.Add {})", stamp.saturating_mul(1_000)),
                }
            }
            'l' if depth > 0 => format!("(list{})", self.operands(&['a', 'a'], depth - 1)),
            'l' => "(list 1 \"b\" nil)".to_owned(),
            'd' if depth > 0 => format!(
                "(dict \"a\" {} \"s1\" {})",
                self.operand('a', depth - 1),
                self.operand('s', 0)
            ),
            'd' => "(dict \"a\" 1)".to_owned(),
            _ => literals::special(random, sort),
        }
    }

    fn field(&mut self, sort: char, depth: usize) -> String {
        let root = if self.at_root && !self.random.one_in(4) {
            ""
        } else {
            "$"
        };
        let names: &[&str] = match sort {
            's' => &[".s1", ".s2", ".m1.s1", ".d1.s1", ".d2.d1.s1"],
            'i' => &[".i1", ".i2", ".i3", ".i4"],
            'f' => &[".f1", ".f2", ".i1"],
            'b' => &[".b1"],
            'l' => &[".l1", ".l2", ".t1", ".n1"],
            'd' => &[".d1", ".d2", ".m1", ".d2.d1"],
            'N' => &[".nul", ".d1.nul"],
            'a' if self.sequences => &[".l1", ".d1", ".s1"],
            'a' => &["", ".l1", ".d1", ".s1"],
            'p' => &[
                ".s1", ".i1", ".i2", ".i3", ".i4", ".f1", ".b1", ".nul", ".l1", ".t1", ".n1",
                ".d1", ".m1",
            ],
            _ => return self.constant(sort, depth),
        };
        if self.random.one_in(25) {
            let odd = [
                ".nope",
                ".d1.nope",
                ".s1.x",
                ".d1.nope.deep",
                ".nul.x",
                ".m1.nope",
                ".l1.x",
                ".d1.nul.x",
                ".é",
                ".i1.x",
            ];
            return format!("{root}{}", self.random.pick(&odd));
        }
        if !self.at_root && sort != 'p' && self.random.one_in(3) {
            return ".".to_owned();
        }
        let name = self.random.pick(names);
        if root.is_empty() && name.is_empty() {
            ".".to_owned()
        } else {
            format!("{root}{name}")
        }
    }

    fn variable(&mut self, sort: char, depth: usize) -> String {
        let known: Vec<_> = self
            .variables
            .iter()
            .filter(|(_, of)| *of == sort && sort != 't' || *of == 'a' && !"nFtp".contains(sort))
            .map(|(name, _)| name.clone())
            .collect();
        if known.is_empty() {
            return self.constant(sort, depth);
        }
        self.random.pick(&known).clone()
    }
}
