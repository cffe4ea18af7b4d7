//! A Markdown page as the facts that the checks ask for: its anchors, links and blocks of code. Judges nothing.

use std::collections::HashMap;
use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// A page of the documentation.
pub(crate) struct Page {
    /// Below the repository's root: `docs/install.md`.
    pub(crate) path: String,
    pub(crate) text: String,
    /// Ids of its headings, as GitHub and mdBook make them.
    pub(crate) anchors: Vec<String>,
    pub(crate) links: Vec<Link>,
    pub(crate) blocks: Vec<Block>,
}

/// A link or an image.
pub(crate) struct Link {
    pub(crate) target: String,
    /// Its source in the page.
    pub(crate) source: Range<usize>,
    /// What is shown for it, as Markdown.
    pub(crate) label: Range<usize>,
}

/// A fenced block of code.
pub(crate) struct Block {
    /// What stands behind its opening fence: `sh needs-azure`.
    pub(crate) info: String,
    /// Of its opening fence.
    pub(crate) line: usize,
}

impl Page {
    /// Reads a page.
    pub(crate) fn parse(path: &str, text: String) -> Self {
        let mut reader = Reader::default();
        let parser = Parser::new_ext(&text, Options::ENABLE_TABLES);
        for (event, range) in parser.into_offset_iter() {
            reader.read(event, range, &text);
        }
        let Reader {
            anchors,
            links,
            blocks,
            ..
        } = reader;
        Self {
            path: path.to_owned(),
            text,
            anchors,
            links,
            blocks,
        }
    }

    /// The line of a place in its text, from 1.
    pub(crate) fn line(&self, at: usize) -> usize {
        line(&self.text, at)
    }
}

fn line(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

#[derive(Default)]
struct Reader {
    anchors: Vec<String>,
    seen: HashMap<String, usize>,
    /// The words of the heading that is being read.
    heading: Option<String>,
    /// Links that are being read.
    open: Vec<Link>,
    links: Vec<Link>,
    blocks: Vec<Block>,
}

impl Reader {
    fn read(&mut self, event: Event<'_>, range: Range<usize>, text: &str) {
        // what stands inside a link is its label
        if let Some(link) = self.open.last_mut()
            && !matches!(event, Event::End(TagEnd::Link | TagEnd::Image))
        {
            link.label.start = link.label.start.min(range.start);
            link.label.end = link.label.end.max(range.end);
        }
        match event {
            Event::Start(Tag::Heading { .. }) => self.heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => self.anchor(),
            Event::Text(words) | Event::Code(words) => {
                if let Some(heading) = &mut self.heading {
                    heading.push_str(&words);
                }
            }
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                self.open.push(Link {
                    target: dest_url.into_string(),
                    label: range.end..range.start,
                    source: range,
                });
            }
            Event::End(TagEnd::Link | TagEnd::Image) => self.links.extend(self.open.pop()),
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => self.blocks.push(Block {
                info: info.into_string(),
                line: line(text, range.start),
            }),
            _ => {}
        }
    }

    fn anchor(&mut self) {
        let id = slug(&self.heading.take().unwrap_or_default());
        let count = self.seen.entry(id.clone()).or_default();
        self.anchors.push(match *count {
            0 => id,
            times => format!("{id}-{times}"),
        });
        *count += 1;
    }
}

/// The id of a heading: small letters, hyphens for spaces, no other signs.
fn slug(heading: &str) -> String {
    let signs = heading.trim().chars().filter_map(|sign| match sign {
        sign if sign.is_alphanumeric() || matches!(sign, '-' | '_') => Some(sign),
        sign if sign.is_whitespace() => Some('-'),
        _ => None,
    });
    signs.collect::<String>().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_links_and_blocks_are_found() {
        let text = "# status.remote\n\nSee [the `x` page](x.md#a).\n\n## A `--flag`\n## A `--flag`\n\
                    ```sh needs-azure\naz login\n```\n";
        let page = Page::parse("docs/a.md", text.to_owned());
        assert_eq!(page.anchors, ["statusremote", "a---flag", "a---flag-1"]);
        let [link] = &page.links[..] else {
            panic!("one link")
        };
        assert_eq!(link.target, "x.md#a");
        assert_eq!(&page.text[link.label.clone()], "the `x` page");
        assert_eq!(&page.text[link.source.clone()], "[the `x` page](x.md#a)");
        assert_eq!(page.line(link.source.start), 3);
        let [block] = &page.blocks[..] else {
            panic!("one block")
        };
        assert_eq!((block.info.as_str(), block.line), ("sh needs-azure", 7));
    }
}
