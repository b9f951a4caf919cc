//! Takes HTML apart into tags and texts, as browsers do as far as this goes: no tree is built, so nothing
//! has to be nested well.

use crate::entities::decode;

#[derive(Debug, PartialEq)]
pub enum Piece {
    /// With its references decoded.
    Text(String),
    Start(Tag),
    /// A name in lower case.
    End(String),
}

#[derive(Debug, PartialEq)]
pub struct Tag {
    /// In lower case.
    pub name: String,
    /// Names in lower case; of two with the same name the first one counts.
    pub attributes: Vec<(String, String)>,
}

impl Tag {
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(found, _)| found == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// The pieces of a page, one after the other.
pub struct Pieces<'a> {
    rest: &'a str,
    /// An element whose content is no HTML, up to its end tag.
    raw: Option<String>,
}

impl<'a> Pieces<'a> {
    pub fn of(page: &'a str) -> Self {
        Pieces { rest: page, raw: None }
    }

    /// What is left up to a byte, or all.
    fn up_to(&mut self, end: Option<usize>) -> &'a str {
        let (taken, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        taken
    }

    /// Text in an element such as `script`. Only in `title` and `textarea` references count.
    fn raw_text(&mut self, name: &str) -> Option<Piece> {
        let is_end = |at: &usize| {
            let behind = &self.rest.as_bytes()[at + 2..];
            let is_name = behind.len() >= name.len() && behind[..name.len()].eq_ignore_ascii_case(name.as_bytes());
            is_name && !behind.get(name.len()).map_or(false, u8::is_ascii_alphanumeric)
        };
        let end = self.rest.match_indices("</").map(|(at, _)| at).find(is_end);
        let text = self.up_to(end);
        let decoded = match name {
            "title" | "textarea" => decode(text, false),
            _ => text.to_owned(),
        };
        (!decoded.is_empty()).then(|| Piece::Text(decoded))
    }

    /// A tag that begins here. What only looks like one is text; comments and the like are nothing.
    fn tag(&mut self) -> Option<Piece> {
        let rest = self.rest;
        if let Some(comment) = rest.strip_prefix("<!--") {
            // `<!-->` and `<!--->` end at once.
            let end = match comment {
                _ if comment.starts_with('>') => Some(5),
                _ if comment.starts_with("->") => Some(6),
                _ => comment.find("-->").map(|at| at + 7),
            };
            self.up_to(end);
            return None;
        }
        let is_end = rest.starts_with("</");
        let begin = if is_end { 2 } else { 1 };
        let first = rest.as_bytes().get(begin).copied().unwrap_or_default();
        if !first.is_ascii_alphabetic() {
            // `</3>`, `<!x>` and `<?x>` are comments; `<3` is text.
            if is_end || first == b'!' || first == b'?' {
                self.up_to(rest.find('>').map(|at| at + 1));
                return None;
            }
            self.up_to(Some(1));
            return Some(Piece::Text("<".to_owned()));
        }
        self.up_to(Some(begin));
        let name = self.name(|byte| byte.is_ascii_whitespace() || byte == b'/' || byte == b'>');
        let mut attributes = Vec::new();
        while let Some((name, value)) = self.attribute() {
            if attributes.len() < ATTRIBUTES_COUNT_MAX && !attributes.iter().any(|(found, _)| *found == name) {
                attributes.push((name, value));
            }
        }
        if is_end {
            return Some(Piece::End(name));
        }
        if RAW.contains(&name.as_str()) {
            self.raw = Some(name.clone());
        }
        Some(Piece::Start(Tag { name, attributes }))
    }

    /// Bytes up to one that ends a name; in lower case.
    fn name(&mut self, ends: impl Fn(u8) -> bool) -> String {
        let end = self.rest.bytes().position(ends);
        self.up_to(end).to_ascii_lowercase()
    }

    /// The next attribute of a tag; behind the last one, takes the end of the tag.
    fn attribute(&mut self) -> Option<(String, String)> {
        let skipped = self.rest.bytes().position(|byte| !byte.is_ascii_whitespace() && byte != b'/');
        self.up_to(skipped);
        if self.rest.is_empty() || self.rest.starts_with('>') {
            self.up_to(Some(usize::from(!self.rest.is_empty())));
            return None;
        }
        // A name may even begin with `=`.
        let first = self.rest.chars().next().map_or(0, char::len_utf8);
        let first = self.up_to(Some(first)).to_ascii_lowercase();
        let more = self.name(|byte| byte.is_ascii_whitespace() || b"/>=".contains(&byte));
        let name = first + &more;
        let value = self.rest.trim_start_matches(|c: char| c.is_ascii_whitespace());
        let value = match value.strip_prefix('=') {
            Some(value) => value.trim_start_matches(|c: char| c.is_ascii_whitespace()),
            None => return Some((name, String::new())),
        };
        self.rest = value;
        let quote = value.chars().next().filter(|c| *c == '"' || *c == '\'');
        let value = match quote {
            Some(quote) => {
                self.up_to(Some(1));
                let end = self.rest.find(quote);
                let value = self.up_to(end);
                self.up_to(Some(usize::from(!self.rest.is_empty())));
                value
            }
            None => {
                let ends = |byte: u8| byte.is_ascii_whitespace() || byte == b'>';
                let end = self.rest.bytes().position(ends);
                self.up_to(end)
            }
        };
        Some((name, decode(value, true)))
    }
}

/// More than any page has; each is held against those before it.
const ATTRIBUTES_COUNT_MAX: usize = 100;
const RAW: [&str; 8] =
    ["iframe", "noembed", "noframes", "script", "style", "textarea", "title", "xmp"];

impl Iterator for Pieces<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        if let Some(name) = self.raw.take() {
            if let Some(text) = self.raw_text(&name) {
                return Some(text);
            }
        }
        while !self.rest.is_empty() {
            if !self.rest.starts_with('<') {
                let end = self.rest.find('<');
                return Some(Piece::Text(decode(self.up_to(end), false)));
            }
            if let Some(piece) = self.tag() {
                return Some(piece);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(name: &str, attributes: &[(&str, &str)]) -> Piece {
        let attributes = attributes.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
        Piece::Start(Tag { name: name.to_owned(), attributes: attributes.collect() })
    }

    fn text(text: &str) -> Piece {
        Piece::Text(text.to_owned())
    }

    fn end(name: &str) -> Piece {
        Piece::End(name.to_owned())
    }

    #[test]
    fn pages_are_taken_apart_as_browsers_do() {
        let cases = [
            ("a<b>c</b>", vec![text("a"), start("b", &[]), text("c"), end("b")]),
            ("<A HREF=x Title='a \"b\"' checked>", vec![start("a", &[("href", "x"), ("title", "a \"b\""), ("checked", "")])]),
            ("<a x=1 X=2 x>", vec![start("a", &[("x", "1")])]),
            ("<a href=/b/>", vec![start("a", &[("href", "/b/")])]),
            ("<br/><hr / >", vec![start("br", &[]), start("hr", &[])]),
            ("<a b = \"c>d\" e>", vec![start("a", &[("b", "c>d"), ("e", "")])]),
            ("<p\n=a>", vec![start("p", &[("=a", "")])]),
            ("<!-- a <b> --><!doctype html><?xml?></ x><!>y", vec![text("y")]),
            ("<!-->a<!--->b<!--", vec![text("a"), text("b")]),
            ("1 < 2 <3 a<", vec![text("1 "), text("<"), text(" 2 "), text("<"), text("3 a"), text("<")]),
            (
                "<script>if (a</b>'</scripty>') \"&amp;\"</SCRIPT >x",
                vec![start("script", &[]), text("if (a</b>'</scripty>') \"&amp;\""), end("script"), text("x")],
            ),
            ("<title>a<b>&amp;</title>", vec![start("title", &[]), text("a<b>&"), end("title")]),
            ("<style></style>", vec![start("style", &[]), end("style")]),
            ("<script>never", vec![start("script", &[]), text("never")]),
            ("<a href=\"?a&amp;b&copy=1\">&eacute;", vec![start("a", &[("href", "?a&b&copy=1")]), text("\u{e9}")]),
            ("<a href=\"never", vec![start("a", &[("href", "never")])]),
            ("<a", vec![start("a", &[])]),
            ("</a b=c>", vec![end("a")]),
            ("<\u{e9}>", vec![text("<"), text("\u{e9}>")]),
            ("<a \u{e9}=\u{4e2d}>", vec![start("a", &[("\u{e9}", "\u{4e2d}")])]),
        ];
        for (page, expected) in cases {
            assert_eq!(Pieces::of(page).collect::<Vec<_>>(), expected, "{}", page);
        }
    }

    #[test]
    fn any_cut_of_a_page_ends() {
        let page = "<!doctype html><a href='x' b=\"c\">\u{e9}&amp;</a><!-- x --><script>a</script><title>b</title>";
        for (at, _) in page.char_indices() {
            assert!(Pieces::of(&page[..at]).count() < 20);
            assert!(Pieces::of(&page[at..]).count() < 20);
        }
    }
}
