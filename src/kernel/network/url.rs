//! URLs of the `http` service, with a single interpretation each.
//!
//! A profile of RFC 3986: scheme, host name, optional port, path and query. No user information, no IP
//! address in any notation, and no character that another parser could take for the end of the host.

use crate::kernel::limits::HTTP_URL_BYTES_MAX;
use crate::kernel::names::{is_host_and_port, read_port};
use crate::kernel::prelude::*;

/// A parsed URL. Its `Display` form is canonical.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// `https`, not `http`.
    pub is_https: bool,
    /// In lower case.
    pub host: String,
    /// The port, 443 or 80 if the text has none.
    pub port: u16,
    /// Path and query, starting with `/`.
    pub target: String,
}

impl Url {
    /// Parses an absolute URL. The fragment is dropped, since it is never sent.
    // [DOOR-20] [DOOR-21] [DOOR-22]
    pub fn parse(text: &str) -> Option<Self> {
        let allowed = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\".contains(&byte);
        if text.len() > HTTP_URL_BYTES_MAX || !text.bytes().all(allowed) {
            return None;
        }
        let (scheme, rest) = text.split_once("://")?;
        let is_https = scheme.eq_ignore_ascii_case("https");
        if !is_https && !scheme.eq_ignore_ascii_case("http") {
            return None;
        }
        let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at_checked(end)?;
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, read_port(port)?),
            None => (authority, if is_https { 443 } else { 80 }),
        };
        let host = host.to_ascii_lowercase();
        let path = target.split('?').next().unwrap_or_default();
        if !is_host_and_port(&host) || path.split('/').any(|part| part == "." || part == "..") {
            return None;
        }
        let slash = if path.is_empty() { "/" } else { "" };
        Some(Url { is_https, host, port, target: format!("{slash}{target}") })
    }

    /// Resolves a `Location` header against this URL (RFC 3986, section 5.2).
    // [DOOR-42]
    pub fn join(&self, location: &str) -> Option<Self> {
        let location = location.split('#').next().unwrap_or_default();
        let has_scheme = |text: &str| {
            text.split_once(':').is_some_and(|(scheme, _)| !scheme.contains(['/', '?']))
        };
        if has_scheme(location) {
            let (scheme, rest) = location.split_once("://")?;
            let end = rest.find(['/', '?']).unwrap_or(rest.len());
            let (authority, target) = rest.split_at_checked(end)?;
            return Url::parse(&format!("{scheme}://{authority}{}", remove_dot_segments(target)));
        }
        if let Some(rest) = location.strip_prefix("//") {
            return self.join(&format!("{}://{rest}", self.scheme()));
        }
        let (path, query) = match self.target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (self.target.as_str(), None),
        };
        let target = match location.chars().next() {
            None => query.map_or(path.to_owned(), |query| format!("{path}?{query}")),
            Some('/') => location.to_owned(),
            Some('?') => format!("{path}{location}"),
            Some(_) => {
                let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
                format!("{directory}/{location}")
            }
        };
        Url::parse(&format!("{}{}", self.origin(), remove_dot_segments(&target)))
    }

    /// Returns scheme, host and port: the scope of credentials.
    pub(super) fn origin(&self) -> String {
        match self.port {
            443 if self.is_https => format!("https://{}", self.host),
            80 if !self.is_https => format!("http://{}", self.host),
            port => format!("{}://{}:{port}", self.scheme(), self.host),
        }
    }

    /// Returns the host as a manifest declares it.
    // [DOOR-23]
    pub(super) fn declared(&self) -> String {
        match self.port {
            443 => self.host.clone(),
            port => format!("{}:{port}", self.host),
        }
    }

    fn scheme(&self) -> &'static str {
        if self.is_https {
            "https"
        } else {
            "http"
        }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}{}", self.origin(), self.target)
    }
}

/// Removes the dot segments of a path and query (RFC 3986, section 5.2.4).
fn remove_dot_segments(target: &str) -> String {
    let (path, query) =
        target.split_at_checked(target.find('?').unwrap_or(target.len())).unwrap_or_default();
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').skip(1) {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    if path.ends_with("/.") || path.ends_with("/..") {
        parts.push("");
    }
    let slash = if path.is_empty() { "" } else { "/" };
    format!("{slash}{}{query}", parts.join("/"))
}
