//! Reads the first document of a text: aliases, merge keys and limits. Knows the parser's events;
//! does not know what a scalar means.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use libyaml_safer::{ErrorKind, EventData, Parser, ScalarStyle};

use super::error::Error;
use super::node::{MAX_DEPTH, Node};
use super::{number, scalar};

/// Bytes of a text, and of what it holds once aliases are followed.
const MAX_BYTES: usize = 16 << 20;

/// Nodes of a document once aliases are followed.
const MAX_NODES: usize = 1_000_000;

const NOT_TEXT: &str = "it holds bytes that are no UTF-8 or control characters";

/// The first document, null if there is none.
pub(super) fn read(text: &[u8]) -> Result<Node, Error> {
    if text.len() > MAX_BYTES {
        return Err(Error::TooLarge("the text exceeds 16 MiB"));
    }
    if std::str::from_utf8(text).is_err() {
        return Err(Error::Syntax(NOT_TEXT.to_owned()));
    }
    let ended = ended(text);
    let mut parser = Parser::new();
    let mut input = &*ended;
    parser.set_input(&mut input);
    let mut reader = Reader {
        parser,
        end: (ended.len() > text.len()).then_some(ended.len()),
        anchors: HashMap::new(),
        nodes: 0,
        bytes: 0,
        line: 1,
    };
    loop {
        match reader.next()? {
            EventData::StreamEnd => return Ok(Node::Null),
            EventData::DocumentStart {
                version_directive: Some(version),
                ..
            } if (version.major, version.minor) != (1, 1) => {
                return Err(Error::Syntax("it is not of YAML 1.1".to_owned()));
            }
            EventData::DocumentStart { .. } => break,
            _ => {}
        }
    }
    let first = reader.next()?;
    let node = reader.node(first, 0)?;
    // what the first document leaves open is only seen at its end
    reader.next()?;
    Ok(node)
}

/// libyaml-safer 0.3 panics if the last line of a block scalar lacks its line break: the text gets one.
fn ended(text: &[u8]) -> Cow<'_, [u8]> {
    let breaks = ["\n", "\r", "\u{85}", "\u{2028}", "\u{2029}"];
    let has_break = breaks.iter().any(|it| text.ends_with(it.as_bytes()));
    let last_line = text.rsplit(|byte| *byte == b'\n').next();
    if has_break || last_line.is_none_or(|line| line.trim_ascii().is_empty()) {
        return Cow::Borrowed(text);
    }
    Cow::Owned([text, b"\n"].concat())
}

struct Reader<'a> {
    parser: Parser<&'a mut &'a [u8]>,
    /// The length of the text, if its last line break was added to it.
    end: Option<usize>,
    /// nodes by anchor; none while the node is being read
    anchors: HashMap<String, Option<Node>>,
    nodes: usize,
    bytes: usize,
    line: u64,
}

impl Reader<'_> {
    fn next(&mut self) -> Result<EventData, Error> {
        // libyaml-safer 0.3 panics on `"\` at the end of the text and on `[!,`
        let parse = std::panic::AssertUnwindSafe(|| self.parser.parse());
        let event = std::panic::catch_unwind(parse)
            .map_err(|_| Error::Syntax("the parser gave up".to_owned()))?
            .map_err(|error| syntax(&error))?;
        self.line = event.start_mark.line + 1;
        let mut data = event.data;
        if let EventData::Scalar {
            value,
            style: ScalarStyle::Literal | ScalarStyle::Folded,
            ..
        } = &mut data
            && self
                .end
                .is_some_and(|end| event.end_mark.index == end as u64)
            && value.ends_with('\n')
        {
            // the line break that was added
            value.pop();
        }
        Ok(data)
    }

    fn node(&mut self, event: EventData, depth: usize) -> Result<Node, Error> {
        if depth > MAX_DEPTH {
            return Err(Error::TooLarge("more than 200 levels"));
        }
        let (anchor, node) = match event {
            EventData::Alias { anchor } => return self.alias(&anchor),
            EventData::Scalar {
                anchor,
                tag,
                value,
                plain_implicit,
                ..
            } => {
                self.spend(value.len())?;
                let node = scalar::node(tag.as_deref(), plain_implicit, value);
                let line = self.line;
                (anchor, node.map_err(|tag| Error::Tag { line, tag: tag.0 })?)
            }
            EventData::SequenceStart { anchor, .. } => {
                self.begin(anchor.as_ref())?;
                (anchor, Node::List(self.items(depth)?))
            }
            EventData::MappingStart { anchor, .. } => {
                self.begin(anchor.as_ref())?;
                (anchor, Node::Map(self.entries(depth)?))
            }
            _ => return Err(Error::Syntax(format!("line {}", self.line))),
        };
        if let Some(anchor) = anchor {
            self.charge(&node)?;
            self.anchors.insert(anchor, Some(node.clone()));
        }
        Ok(node)
    }

    fn begin(&mut self, anchor: Option<&String>) -> Result<(), Error> {
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor.clone(), None);
        }
        self.spend(0)
    }

    fn alias(&mut self, anchor: &str) -> Result<Node, Error> {
        let Some(Some(node)) = self.anchors.get(anchor) else {
            return Err(Error::UnknownAnchor(self.line));
        };
        let node = node.clone();
        self.charge(&node)?;
        Ok(node)
    }

    /// Counts a copy of a node.
    fn charge(&mut self, node: &Node) -> Result<(), Error> {
        match node {
            Node::Text(text) => self.spend(text.len()),
            Node::List(items) => {
                self.spend(0)?;
                items.iter().try_for_each(|item| self.charge(item))
            }
            Node::Map(entries) => {
                self.spend(0)?;
                entries.iter().try_for_each(|(key, node)| {
                    self.spend(key.len())?;
                    self.charge(node)
                })
            }
            _ => self.spend(0),
        }
    }

    fn spend(&mut self, bytes: usize) -> Result<(), Error> {
        self.nodes += 1;
        self.bytes += bytes;
        if self.nodes > MAX_NODES || self.bytes > MAX_BYTES {
            return Err(Error::TooLarge(
                "with its aliases it exceeds a million values or 16 MiB",
            ));
        }
        Ok(())
    }

    fn items(&mut self, depth: usize) -> Result<Vec<Node>, Error> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                EventData::SequenceEnd => return Ok(items),
                event => items.push(self.node(event, depth + 1)?),
            }
        }
    }

    /// The entries of a map, later ones over earlier ones. So does what is merged, wherever `<<`
    /// stands: go-yaml v2's way.
    fn entries(&mut self, depth: usize) -> Result<BTreeMap<String, Node>, Error> {
        let mut entries = BTreeMap::new();
        loop {
            let event = match self.next()? {
                EventData::MappingEnd => return Ok(entries),
                event => event,
            };
            let line = self.line;
            let is_merge = is_merge(&event);
            let key = self.node(event, depth + 1)?;
            let event = self.next()?;
            let value = self.node(event, depth + 1)?;
            if is_merge {
                merge(value, &mut entries, line)?;
            } else {
                entries.insert(key_text(key).ok_or(Error::Key(line))?, value);
            }
        }
    }
}

/// Adds what `<<` names to a map.
fn merge(value: Node, entries: &mut BTreeMap<String, Node>, line: u64) -> Result<(), Error> {
    match value {
        Node::Map(merged) => entries.extend(merged),
        Node::List(maps) => {
            for map in maps.into_iter().rev() {
                let Node::Map(merged) = map else {
                    return Err(Error::Merge(line));
                };
                entries.extend(merged);
            }
        }
        _ => return Err(Error::Merge(line)),
    }
    Ok(())
}

/// Whether the event is the key `<<`.
fn is_merge(event: &EventData) -> bool {
    matches!(
        event,
        EventData::Scalar { value, plain_implicit, tag, .. }
            if value == "<<" && (*plain_implicit || tag.as_deref() == Some("tag:yaml.org,2002:merge"))
    )
}

/// The key that a node is.
fn key_text(node: Node) -> Option<String> {
    Some(match node {
        Node::Text(text) => text,
        Node::Bool(b) => b.to_string(),
        Node::Int(n) => n.to_string(),
        Node::Float(f) => number::yaml(number::shortest_32(f)),
        Node::Null | Node::Uint(_) | Node::List(_) | Node::Map(_) => return None,
    })
}

/// The parser's words, which are constant, with the line. A bad character is not repeated.
fn syntax(error: &libyaml_safer::Error) -> Error {
    Error::Syntax(match error.kind() {
        ErrorKind::Reader => NOT_TEXT.to_owned(),
        _ => error.to_string(),
    })
}
