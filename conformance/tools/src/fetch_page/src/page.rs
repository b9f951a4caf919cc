//! What of a page is for a reader: its text, its links, and what it says about itself.

use crate::html::{Piece, Pieces, Tag};
use crate::url::Url;
use std::collections::BTreeSet;

#[derive(Debug, Default)]
pub struct Page {
    pub title: String,
    pub description: String,
    pub canonical: Option<String>,
    pub language: String,
    /// Open Graph properties without their `og:`, in order.
    pub open_graph: Vec<(String, String)>,
    pub text: String,
    /// Address and text of each link, each address once.
    pub links: Vec<(String, String)>,
}

/// What is inside these is not for a reader. All are left by an end tag, so that one left out hides the rest.
const HIDDEN: [&str; 9] =
    ["iframe", "math", "noembed", "noframes", "object", "script", "style", "svg", "template"];
/// Before and behind these there is an empty line.
const APART: [&str; 14] = [
    "blockquote", "dl", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre", "table", "ul",
];
/// These begin on a line of their own.
const LINES: [&str; 27] = [
    "address", "article", "aside", "body", "br", "caption", "dd", "details", "div", "dt", "fieldset",
    "figcaption", "footer", "form", "header", "hr", "legend", "li", "main", "nav", "option", "section",
    "summary", "tbody", "thead", "title", "tr",
];

struct Reader {
    page: Page,
    base: Url,
    has_base: bool,
    out: Lines,
    /// The element whose content is left out, and how many of its name are open.
    hidden: Option<(String, usize)>,
    in_title: bool,
    /// Open `pre` elements.
    preformatted: usize,
    /// Address of the link that is open, and where its text begins.
    link: Option<(String, String, usize)>,
    links_seen: BTreeSet<String>,
}

/// Reads a page that was found at this address.
pub fn read(html: &str, at: &Url) -> Page {
    let mut reader = Reader {
        page: Page::default(),
        base: at.clone(),
        has_base: false,
        out: Lines::default(),
        hidden: None,
        in_title: false,
        preformatted: 0,
        link: None,
        links_seen: BTreeSet::new(),
    };
    for piece in Pieces::of(html) {
        match piece {
            Piece::Text(text) => reader.text(&text),
            Piece::Start(tag) => reader.start(&tag),
            Piece::End(name) => reader.end(&name),
        }
    }
    reader.end_link();
    reader.page.title = words(&reader.page.title);
    reader.page.text = reader.out.finish();
    reader.page
}

impl Reader {
    fn text(&mut self, text: &str) {
        if self.in_title {
            self.page.title.push_str(text);
        } else if self.hidden.is_none() {
            self.out.add(text, self.preformatted > 0);
        }
    }

    fn start(&mut self, tag: &Tag) {
        let name = tag.name.as_str();
        if let Some((hidden, open)) = &mut self.hidden {
            *open += usize::from(hidden == name);
            return;
        }
        if HIDDEN.contains(&name) {
            self.hidden = Some((name.to_owned(), 1));
            return;
        }
        self.break_before(name);
        match name {
            "html" => self.page.language = tag.get("lang").unwrap_or_default().trim().to_owned(),
            // Only the first one is the page's; it stands before all text.
            "title" => self.in_title = self.page.title.is_empty() && self.out.is_empty(),
            "meta" => self.meta(tag),
            "base" => self.base(tag),
            "link" => self.head_link(tag),
            "a" | "area" => self.start_link(tag),
            "img" => self.out.add(tag.get("alt").unwrap_or_default(), false),
            "li" => self.out.add("- ", true),
            "td" | "th" => self.out.begin_cell(),
            "pre" => self.preformatted += 1,
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        if let Some((hidden, open)) = &mut self.hidden {
            if hidden == name {
                *open -= 1;
                if *open == 0 {
                    self.hidden = None;
                }
            }
            return;
        }
        match name {
            "title" => self.in_title = false,
            "a" => self.end_link(),
            "pre" => self.preformatted = self.preformatted.saturating_sub(1),
            _ => {}
        }
        self.break_before(name);
    }

    fn break_before(&mut self, name: &str) {
        if APART.contains(&name) {
            self.out.end_line(2);
        } else if LINES.contains(&name) {
            self.out.end_line(1);
        }
    }

    fn meta(&mut self, tag: &Tag) {
        let content = words(tag.get("content").unwrap_or_default());
        if content.is_empty() {
            return;
        }
        let name = tag.get("name").unwrap_or_default().to_ascii_lowercase();
        if name == "description" && self.page.description.is_empty() {
            self.page.description = content;
        } else if let Some(property) = tag.get("property").or_else(|| tag.get("name")) {
            if let Some(property) = property.trim().strip_prefix("og:") {
                self.page.open_graph.push((property.to_owned(), content));
            }
        }
    }

    fn base(&mut self, tag: &Tag) {
        if let (Some(href), false) = (tag.get("href"), self.has_base) {
            self.has_base = true;
            if let Some(base) = self.base.join(href) {
                self.base = base;
            }
        }
    }

    fn head_link(&mut self, tag: &Tag) {
        let relations = tag.get("rel").unwrap_or_default();
        let is_canonical = relations.split_ascii_whitespace().any(|rel| rel.eq_ignore_ascii_case("canonical"));
        if is_canonical && self.page.canonical.is_none() {
            let url = self.base.join(tag.get("href").unwrap_or_default());
            self.page.canonical = url.map(|url| url.to_string());
        }
    }

    fn start_link(&mut self, tag: &Tag) {
        self.end_link();
        if let Some(url) = tag.get("href").and_then(|href| self.base.join(href)) {
            let named = ["aria-label", "title", "alt"].iter().find_map(|name| tag.get(name));
            let named = words(named.unwrap_or_default());
            self.link = Some((url.to_string(), named, self.out.position()));
        }
        if tag.name == "area" {
            self.end_link();
        }
    }

    /// A link's text is what stands in it, or else what it is called.
    fn end_link(&mut self) {
        if let Some((url, named, begin)) = self.link.take() {
            if self.links_seen.insert(url.clone()) {
                let text = words(self.out.since(begin));
                self.page.links.push((url, if text.is_empty() { named } else { text }));
            }
        }
    }
}

/// Words with one space between them.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Text with its lines and gaps as a reader sees them.
#[derive(Default)]
struct Lines {
    out: String,
    /// A space is due before the next word.
    space: bool,
    /// Line ends are due before the next word.
    line_ends: usize,
}

impl Lines {
    fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    fn position(&self) -> usize {
        self.out.len()
    }

    fn since(&self, begin: usize) -> &str {
        self.out.get(begin..).unwrap_or_default()
    }

    fn end_line(&mut self, line_ends: usize) {
        self.line_ends = self.line_ends.max(line_ends);
        self.space = false;
    }

    fn begin_cell(&mut self) {
        self.space = false;
        self.push('\t');
    }

    /// Adds text, whose white space counts if it is preformatted.
    fn add(&mut self, text: &str, preformatted: bool) {
        for character in text.chars() {
            match character {
                '\n' if preformatted => {
                    self.line_ends += 1;
                    self.space = false;
                }
                ' ' | '\t' if preformatted => self.push(character),
                _ if character.is_whitespace() => self.space = true,
                _ => self.push(character),
            }
        }
    }

    fn push(&mut self, character: char) {
        if !self.out.is_empty() && self.line_ends > 0 {
            for _ in 0..self.line_ends.min(2) {
                self.out.push('\n');
            }
        } else if self.space && !self.out.is_empty() && !self.out.ends_with(|c| matches!(c, ' ' | '\t' | '\n')) {
            self.out.push(' ');
        }
        self.line_ends = 0;
        self.space = false;
        self.out.push(character);
    }

    /// The lines without space at their ends; the tabs before the first cells of rows go with it.
    fn finish(self) -> String {
        let lines = self.out.split('\n').map(|line| line.strip_prefix('\t').unwrap_or(line).trim_end());
        let mut text = String::with_capacity(self.out.len());
        let mut empty = 2;
        for line in lines {
            empty = if line.is_empty() || line == "-" { empty + 1 } else { 0 };
            if line != "-" && empty < 2 {
                text.push_str(line);
                text.push('\n');
            }
        }
        text.truncate(text.trim_end().len());
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(html: &str) -> Page {
        read(html, &Url::parse("https://example.com/a/page.html").unwrap())
    }

    #[test]
    fn text_stands_in_lines_as_a_reader_sees_it() {
        for (html, expected) in [
            ("<p>One\n  two</p><p>three", "One two\n\nthree"),
            ("a<b>b</b>c <i>d</i>", "abc d"),
            ("<h1>Head</h1>text<br>more<br><br>end", "Head\n\ntext\nmore\nend"),
            ("<ul><li>one<li>two <b>2</b></ul>", "- one\n- two 2"),
            ("<ul><li></li><li><p>x</p></li></ul>", "x"),
            ("<table><tr><th>a<th>b<tr><td>1</td> <td>2</td></table>", "a\tb\n1\t2"),
            ("<pre>a\n  b</pre>c   d", "a\n  b\n\nc d"),
            ("a<script>b</script>c<style>d</style>e<template>f<template>g</template>h</template>i", "acei"),
            ("<svg><title>a</title><text>b</text></svg>c<noscript>d</noscript>", "cd"),
            ("<img alt='A cat'> <img>x", "A cat x"),
            ("<div><div><div>a</div></div></div><div>b</div>", "a\nb"),
            ("a&nbsp;b&amp;c &lt;p&gt;", "a b&c <p>"),
            ("a <!-- b --> c", "a c"),
            ("<title>t</title>a<title>u</title>b", "a\nu\nb"),
        ] {
            assert_eq!(page(html).text, expected, "{}", html);
        }
    }

    #[test]
    fn links_are_absolute_and_each_stands_there_once() {
        let found = page(
            "<base href=/b/><base href=/c/><a href=x> X <b>y</b></a><a href='#z'>z</a><a href=x>again</a>
             <a href=javascript:f()>f</a><a name=n>n</a><a href=//o.example/?a&amp;b><img alt=picture></a>
             <a href=u title='no text'></a><a href=v>open <a href=w>next</a><area href=area alt=Area>",
        );
        let links: Vec<(&str, &str)> = found.links.iter().map(|(u, t)| (u.as_str(), t.as_str())).collect();
        assert_eq!(
            links,
            [
                ("https://example.com/b/x", "X y"),
                ("https://o.example/?a&b", "picture"),
                ("https://example.com/b/u", "no text"),
                ("https://example.com/b/v", "open"),
                ("https://example.com/b/w", "next"),
                ("https://example.com/b/area", "Area"),
            ]
        );
    }

    #[test]
    fn a_page_says_what_it_is() {
        let found = page(
            "<!doctype html><html lang=en-GB><head><title> A\n &amp; B </title>
             <meta name=Description content=' What it\n is '><meta name=description content=other>
             <meta property=og:title content='A &quot;B&quot;'><meta property='og:image' content=/1.png>
             <meta property=og:image content=/2.png><meta property=article:tag content=x>
             <link rel='x Canonical' href=./real><link rel=canonical href=/other></head><p>Text",
        );
        assert_eq!(found.title, "A & B");
        assert_eq!(found.description, "What it is");
        assert_eq!(found.language, "en-GB");
        assert_eq!(found.canonical.as_deref(), Some("https://example.com/a/real"));
        let og: Vec<(&str, &str)> = found.open_graph.iter().map(|(p, c)| (p.as_str(), c.as_str())).collect();
        assert_eq!(og, [("title", "A \"B\""), ("image", "/1.png"), ("image", "/2.png")]);
        assert_eq!(found.text, "Text");
    }

    #[test]
    fn any_cut_of_a_page_is_read() {
        let html = "<html><title>a</title><p>b<a href=c>d</a><ul><li>\u{e9}<svg></svg><pre>\n</pre><td>&amp;";
        for (at, _) in html.char_indices() {
            page(&html[..at]);
            page(&html[at..]);
        }
    }
}
