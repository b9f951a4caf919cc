//! Command line and config of `curl` for one exchange. Arguments are the same for every exchange; the request
//! goes through curl's config syntax on stdin, where no process list shows it.

use crate::kernel::names::is_header_name;
use crate::kernel::network::{Exchange, TransportError};
use std::fmt::Write as _;
use std::net::IpAddr;

/// `-q` must be first, or curl reads the user's `.curlrc`. Cookies, `.netrc`, HSTS and Alt-Svc files, redirects
/// and decompression stay off, since no option enables them.
// [NET-02] [NET-05]
pub const ARGUMENTS: &[&str] = &[
    "-q",
    "--silent",
    "--noproxy",
    "*",
    "--globoff",
    "--tlsv1.2",
    "--http1.1",
    "--include",
    "--raw", // keeps the chunked coding: decoded, trailers would follow the body unmarked
    "--config",
    "-",
];

/// Headers that curl adds unless they are removed explicitly.
const ADDED_BY_CURL: [&str; 4] = ["Accept", "Content-Type", "Expect", "User-Agent"];

/// Returns `true` if the request has a body. Methods that define one send an empty one too, so that the
/// server need not guess (RFC 9110, section 8.6).
pub fn has_body(exchange: &Exchange) -> bool {
    !exchange.body.is_empty() || matches!(exchange.method, "POST" | "PUT" | "PATCH")
}

/// Returns the config for one exchange.
///
/// # Errors
/// [`TransportError::Host`] for what `kernel::network` does not let through; it would inject config options.
// [NET-03] [NET-06] [NET-07]
pub fn config_for(exchange: &Exchange) -> Result<String, TransportError> {
    check(exchange)?;
    let Exchange { host, port, address, target, method, .. } = exchange;
    let scheme = if exchange.is_https { "https" } else { "http" };
    let mut config = Config(String::new());
    config.option("proto", &format!("={scheme}"));
    config.option("url", &format!("{scheme}://{host}:{port}/"));
    // Sent verbatim: in a URL curl would remove dot segments and fragments.
    config.option("request-target", target);
    config.option(
        "connect-to",
        &match address {
            IpAddr::V4(address) => format!("::{address}:{port}"),
            IpAddr::V6(address) => format!("::[{address}]:{port}"),
        },
    );
    let timeout = exchange.timeout.as_millis().max(1);
    config.option("max-time", &format!("{}.{:03}", timeout / 1000, timeout % 1000));
    match *method {
        // With `request` curl would wait for a body.
        "HEAD" => config.0.push_str("head\n"),
        _ => config.option("request", method),
    }
    let is_given = |name: &str| exchange.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
    for name in ADDED_BY_CURL.into_iter().filter(|name| !is_given(name)) {
        config.option("header", &format!("{name}:"));
    }
    for (name, value) in exchange.headers {
        match value.trim_matches([' ', '\t']) {
            // A colon without a value would remove the header.
            "" => config.option("header", &format!("{name};")),
            value => config.option("header", &format!("{name}: {value}")),
        }
    }
    Ok(config.0)
}

/// Checks again what `kernel::network` has checked, so that no value can inject config options.
// [NET-08]
fn check(exchange: &Exchange) -> Result<(), TransportError> {
    let refuse = |what: &str| Err(TransportError::Host(format!("{what} cannot be sent")));
    let is_host_byte = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-_".contains(&b);
    if exchange.host.is_empty() || !exchange.host.bytes().all(is_host_byte) || exchange.port == 0 {
        return refuse("a request to an invalid host or port");
    }
    let is_printable = exchange.target.bytes().all(|b| b.is_ascii_graphic());
    if !exchange.target.starts_with('/') || !is_printable {
        return refuse("an invalid request target");
    }
    if exchange.method.is_empty() || !exchange.method.bytes().all(|b| b.is_ascii_uppercase()) {
        return refuse("an invalid method");
    }
    if exchange.method == "HEAD" && !exchange.body.is_empty() {
        return refuse("HEAD with a body");
    }
    for (name, value) in exchange.headers {
        // A valid name is never one that frames the request.
        let allowed = is_header_name(&name.to_ascii_lowercase());
        if !allowed || value.chars().any(|c| c.is_control() && c != '\t') {
            return refuse("an invalid header");
        }
    }
    Ok(())
}

/// Lines of curl's config syntax.
struct Config(String);

impl Config {
    /// Adds an option with its value in quotes; only these three characters need an escape.
    fn option(&mut self, name: &str, value: &str) {
        let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\t', "\\t");
        let _ = writeln!(self.0, "{name} = \"{value}\"");
    }
}
