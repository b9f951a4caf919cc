//! Addresses of web pages: which one a link means, seen from the page that it stands on (RFC 3986, section
//! 5.2, with what browsers forgive).

/// Scheme, authority, path and query of an address; a fragment is no part of what is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Url {
    scheme: String,
    authority: String,
    path: String,
    query: Option<String>,
}

impl Url {
    /// Reads an absolute http or https address.
    pub fn parse(text: &str) -> Option<Self> {
        let text = tidy(text);
        let (scheme, rest) = split_scheme(&text)?;
        Url::of_web(scheme, rest.strip_prefix("//")?)
    }

    fn of_web(scheme: &str, rest: &str) -> Option<Self> {
        let scheme = scheme.to_ascii_lowercase();
        if scheme != "http" && scheme != "https" {
            return None;
        }
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(|c| c == '/' || c == '?').unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        if authority.is_empty() || authority.contains(|c: char| c.is_ascii_whitespace() || c == '%') {
            return None;
        }
        let (path, query) = split_query(rest);
        let path = without_dots(if path.is_empty() { "/" } else { path });
        let authority = authority.to_lowercase();
        Some(Url { scheme, authority, path, query })
    }

    /// The address that a link on this page means; none if it leads to no web page, or only to another
    /// place on this one.
    pub fn join(&self, link: &str) -> Option<Self> {
        let link = tidy(link);
        if link.starts_with('#') {
            return None;
        }
        if let Some((scheme, rest)) = split_scheme(&link) {
            return Url::of_web(scheme, rest.strip_prefix("//")?);
        }
        if let Some(rest) = link.strip_prefix("//") {
            return Url::of_web(&self.scheme, rest);
        }
        let link = link.split('#').next().unwrap_or_default();
        let (path, query) = split_query(link);
        let mut url = self.clone();
        match (path, &query) {
            ("", None) => {}
            ("", Some(_)) => url.query = query,
            (path, _) if path.starts_with('/') => {
                url.path = without_dots(path);
                url.query = query;
            }
            (path, _) => {
                let folder = self.path.rsplit_once('/').map_or("", |(folder, _)| folder);
                url.path = without_dots(&format!("{}/{}", folder, path));
                url.query = query;
            }
        }
        Some(url)
    }
}

impl std::fmt::Display for Url {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}://{}{}", self.scheme, self.authority, encoded(&self.path))?;
        match &self.query {
            Some(query) => write!(out, "?{}", encoded(query)),
            None => Ok(()),
        }
    }
}

/// Without white space around it and line breaks in it; backslashes are slashes outside of queries.
fn tidy(text: &str) -> String {
    let text = text.trim_matches(|c: char| c <= ' ');
    let text: String = text.chars().filter(|c| !matches!(c, '\t' | '\n' | '\r')).collect();
    let end = text.find(|c| c == '?' || c == '#').unwrap_or(text.len());
    text[..end].replace('\\', "/") + &text[end..]
}

/// `https:` in front, if a scheme stands there.
fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let is_scheme_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    let begins_well = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
    (begins_well && scheme.bytes().all(is_scheme_byte)).then(|| (scheme, rest))
}

fn split_query(text: &str) -> (&str, Option<String>) {
    match text.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (text, None),
    }
}

/// Carries out `.` and `..` (RFC 3986, section 5.2.4).
fn without_dots(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let mut ends_in_folder = false;
    for part in path.split('/').skip(1) {
        ends_in_folder = matches!(part, "." | "..");
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    if ends_in_folder {
        parts.push("");
    }
    format!("/{}", parts.join("/"))
}

/// With `%` and the digits of each byte that may not stand in an address as it is.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' | b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | 0..=31 | 127..=255 => {
                out.push_str(&format!("%{:02X}", byte));
            }
            _ => out.push(char::from(byte)),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_where_browsers_go() {
        let page = Url::parse("https://Example.com/a/b/c.html?q=1#part").unwrap();
        assert_eq!(page.to_string(), "https://example.com/a/b/c.html?q=1");
        for (link, expected) in [
            ("d", "https://example.com/a/b/d"),
            ("./d/", "https://example.com/a/b/d/"),
            ("../d?x=../y", "https://example.com/a/d?x=../y"),
            ("../../../d", "https://example.com/d"),
            ("..", "https://example.com/a/"),
            (".", "https://example.com/a/b/"),
            ("/", "https://example.com/"),
            ("/d/./e/../f", "https://example.com/d/f"),
            ("?x", "https://example.com/a/b/c.html?x"),
            ("", "https://example.com/a/b/c.html?q=1"),
            ("//other.example/x", "https://other.example/x"),
            ("http://other.example", "http://other.example/"),
            ("HTTPS://Other.Example:8443?x", "https://other.example:8443/?x"),
            (" d\n e\t ", "https://example.com/a/b/d%20e"),
            ("\\\\other.example\\x", "https://other.example/x"),
            ("\u{e9}?\u{4e2d}", "https://example.com/a/b/%C3%A9?%E4%B8%AD"),
            ("a:b/../c", ""),
            ("d#part", "https://example.com/a/b/d"),
            ("#part", ""),
            ("javascript:alert(1)", ""),
            ("mailto:a@b.example", ""),
            ("data:text/html,x", ""),
            ("https:d", ""),
            ("https://", ""),
            ("http://a b/", ""),
        ] {
            let found = page.join(link).map(|url| url.to_string()).unwrap_or_default();
            assert_eq!(found, expected, "{}", link);
        }
    }
}
