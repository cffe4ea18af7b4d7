//! Statements: text, actions, branches, loops, templates, comments, trim markers.

use super::expression::Writer;

/// Whether a range over this could be one over a number, which may be large.
fn is_countable(over: &str) -> bool {
    let plain = !over.contains([' ', '"', '`']);
    let field = over.trim_start_matches('$');
    let known = [".l", ".t", ".n", ".d", ".m", ".q", ".i4"];
    let small = over.parse::<u8>().is_ok();
    plain && !small && !known.iter().any(|prefix| field.starts_with(prefix))
}

/// Sorts of actions and variables.
const SORTS: &[char] = &['s', 's', 's', 's', 'i', 'f', 'b', 'l', 'd', 'a', 'a', 't'];

const TEXTS: &[&str] = &[
    "x",
    "a b\n",
    "  ",
    "\n\n",
    "é",
    "key: ",
    "}",
    "{ ",
    "%d",
    "\u{1F600}",
    "\t-\n",
    "}} ",
    "/*",
    "line\r\nnext ",
    "",
];

impl Writer<'_> {
    /// A whole template.
    pub(super) fn template(&mut self) -> String {
        let mut out = String::new();
        let defined = if self.random.one_in(4) {
            1 + self.random.below(2)
        } else {
            0
        };
        // each calls only those before it
        for index in 0..defined {
            let variables = std::mem::take(&mut self.variables);
            self.names = index;
            let body = self.body(2, 2);
            self.variables = variables;
            let (open, close) = self.delimiters();
            out = format!("{out}{open}define \"t{index}\"{close}{body}{{{{end}}}}");
        }
        self.names = defined;
        let count = 1 + self.random.below(4);
        out + &self.body(3, count)
    }

    /// Statements one after the other; variables declared here end here.
    fn body(&mut self, depth: usize, count: usize) -> String {
        let mark = self.variables.len();
        let body = (0..count).map(|_| self.statement(depth)).collect();
        self.variables.truncate(mark);
        body
    }

    fn delimiters(&mut self) -> (&'static str, &'static str) {
        let open = self.random.word(&["{{", "{{", "{{ ", "{{- "]);
        let close = self.random.word(&["}}", "}}", " }}", " -}}"]);
        (open, close)
    }

    fn action(&mut self, inside: &str) -> String {
        let (open, close) = self.delimiters();
        format!("{open}{inside}{close}")
    }

    fn statement(&mut self, depth: usize) -> String {
        let sort = *self.random.pick(SORTS);
        match self.random.below(16) {
            0..=2 => (*self.random.pick(TEXTS)).to_owned(),
            3 if depth > 0 => self.branch("if", depth),
            4 if depth > 0 => self.branch("with", depth),
            5 | 6 if depth > 0 => self.range(depth),
            7 | 8 => self.declaration(sort, depth),
            9 if !self.variables.is_empty() => {
                let variables = self.variables.clone();
                let (name, sort) = self.random.pick(&variables).clone();
                let value = self.pipeline(sort, depth);
                self.action(&format!("{name} = {value}"))
            }
            10 if self.names > 0 => self.template_call(),
            10 if depth > 0 && self.random.one_in(3) => self.block(depth),
            11 if self.loops > 0 && self.random.one_in(2) => {
                let word = self.random.word(&["break", "continue"]);
                let condition = self.pipeline('b', 1);
                format!("{{{{if {condition}}}}}{{{{{word}}}}}{{{{end}}}}")
            }
            12 if self.random.one_in(4) => (self.random.word(&[
                "{{/* c */}}",
                "{{- /* }} */ -}}",
                "{{break}}",
                "{{ /* x */}}",
                "{{}}",
                "{{nil}}",
                "{{end}}",
                "{{`}}`}}",
            ]))
            .to_owned(),
            _ => {
                let inside = self.pipeline(sort, depth.max(1));
                self.action(&inside)
            }
        }
    }

    fn declaration(&mut self, sort: char, depth: usize) -> String {
        let name = self.random.word(&["$x", "$y", "$z", "$é"]).to_owned();
        let value = self.pipeline(sort, depth);
        self.variables.push((name.clone(), sort));
        self.action(&format!("{name} := {value}"))
    }

    fn branch(&mut self, word: &str, depth: usize) -> String {
        let mark = self.variables.len();
        let sort = if word == "if" {
            'b'
        } else {
            *self.random.pick(&['s', 'd', 'l', 'a'])
        };
        let condition = self.condition(sort, depth);
        let (at_root, dot) = (self.at_root, word == "if" && self.at_root);
        self.at_root = dot;
        let count = self.random.below(3);
        let body = self.body(depth - 1, count);
        self.at_root = at_root;
        let mut out = format!("{}{body}", self.action(&format!("{word} {condition}")));
        if self.random.one_in(4) {
            let other = self.condition('b', depth);
            let body = self.body(depth - 1, 1);
            out = format!(
                "{out}{}{body}",
                self.action(&format!("else {word} {other}"))
            );
        }
        if self.random.one_in(2) {
            let body = self.body(depth - 1, 1);
            out = format!("{out}{}{body}", self.action("else"));
        }
        self.variables.truncate(mark);
        out + &self.action("end")
    }

    /// A pipeline, perhaps kept in a variable.
    fn condition(&mut self, sort: char, depth: usize) -> String {
        let sort = if self.random.one_in(3) { 'a' } else { sort };
        let value = self.pipeline(sort, depth - 1);
        if self.random.one_in(6) {
            self.variables.push(("$c".to_owned(), sort));
            return format!("$c := {value}");
        }
        value
    }

    fn range(&mut self, depth: usize) -> String {
        let (mark, at_root, loops) = (self.variables.len(), self.at_root, self.loops);
        let over = match self.random.below(8) {
            0..=3 if self.sequences => self.random.word(&["$.q1", "$.q2"]).to_owned(),
            0 => self.operand('n', depth - 1),
            1 if self.at_root => self.random.word(&[".i4", ".nul"]).to_owned(),
            1 | 2 => self.pipeline('d', depth - 1),
            3 if self.random.one_in(4) => {
                // small numbers only, whatever it may be
                let sort = *self.random.pick(&['s', 'b', 'f', 'N', 't']);
                let operand = self.operand(sort, 0);
                if sort == 's' || sort == 'N' || sort == 't' {
                    operand
                } else {
                    "1.5".to_owned()
                }
            }
            _ => self.pipeline('l', depth - 1),
        };
        let over = if is_countable(&over) {
            "$.l1".to_owned()
        } else {
            over
        };
        let head = match self.random.below(6) {
            0 | 1 => {
                self.variables.push(("$v".to_owned(), 'a'));
                format!("$v := {over}")
            }
            2 | 3 => {
                self.variables.push(("$k".to_owned(), 'a'));
                self.variables.push(("$v".to_owned(), 'a'));
                format!("$k, $v := {over}")
            }
            4 if mark > 0 && self.random.one_in(2) => {
                let name = self.variables[mark - 1].0.clone();
                format!("{name} = {over}")
            }
            _ => over,
        };
        self.at_root = false;
        self.loops += 1;
        let count = 1 + self.random.below(2);
        let body = self.body(depth - 1, count);
        self.loops = loops;
        self.at_root = at_root;
        self.variables.truncate(mark);
        let mut out = format!("{}{body}", self.action(&format!("range {head}")));
        if self.random.one_in(3) {
            let body = self.body(depth - 1, 1);
            out = format!("{out}{}{body}", self.action("else"));
        }
        out + &self.action("end")
    }

    fn template_call(&mut self) -> String {
        let number = self.random.below(self.names);
        let argument = if self.random.one_in(5) {
            self.pipeline('a', 1)
        } else {
            "$".to_owned()
        };
        let argument = if self.random.one_in(10) {
            String::new()
        } else {
            argument
        };
        self.action(&format!("template \"t{number}\" {argument}"))
    }

    fn block(&mut self, depth: usize) -> String {
        let variables = std::mem::take(&mut self.variables);
        let loops = std::mem::take(&mut self.loops);
        let names = std::mem::take(&mut self.names);
        let body = self.body(depth - 1, 1);
        (self.variables, self.loops, self.names) = (variables, loops, names);
        format!(
            "{}{body}{{{{end}}}}",
            self.action(&format!("block \"b{depth}\" $"))
        )
    }
}
