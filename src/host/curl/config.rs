//! Room: what `curl` is asked to do. What is the same for every exchange stands on its command line; what
//! is of the request goes through its config syntax on stdin, where no process list shows it.

use crate::kernel::names::is_header_name;
use crate::kernel::network::{Exchange, TransportError};
use std::fmt::Write as _;
use std::net::IpAddr;

/// `-q` has to be the first, or the user's `.curlrc` is read. Not asked for, and therefore absent: cookies,
/// `.netrc`, HSTS and Alt-Svc files, following of redirects, and decompression.
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
    "--raw", // the chunks as they are: decoded, their trailers would follow the body unmarked
    "--config",
    "-",
];

/// Headers that curl adds unless it is told not to.
const ADDED_BY_CURL: [&str; 4] = ["Accept", "Content-Type", "Expect", "User-Agent"];

/// Whether a body goes with the request. Methods that have one get an empty one too, so that the
/// server need not guess (RFC 9110, section 8.6).
pub fn has_body(exchange: &Exchange) -> bool {
    !exchange.body.is_empty() || matches!(exchange.method, "POST" | "PUT" | "PATCH")
}

/// The config for one exchange.
///
/// # Errors
/// [`TransportError::Host`] for what the gate does not let through; it would change what the config says.
// [NET-03] [NET-06] [NET-07]
pub fn config_for(exchange: &Exchange) -> Result<String, TransportError> {
    check(exchange)?;
    let Exchange { host, port, address, target, method, .. } = exchange;
    let scheme = if exchange.is_https { "https" } else { "http" };
    let mut config = Config(String::new());
    config.option("proto", &format!("={scheme}"));
    config.option("url", &format!("{scheme}://{host}:{port}/"));
    // Sent as it is: curl would take dots and fragments out of a URL.
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
            // With a colon it would mean: not this header.
            "" => config.option("header", &format!("{name};")),
            value => config.option("header", &format!("{name}: {value}")),
        }
    }
    Ok(config.0)
}

/// The gate has checked all of this; here it keeps the config from saying something else.
// [NET-08]
fn check(exchange: &Exchange) -> Result<(), TransportError> {
    let refuse = |what: &str| Err(TransportError::Host(format!("{what} can't be sent")));
    let is_host_byte = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-_".contains(&b);
    if exchange.host.is_empty() || !exchange.host.bytes().all(is_host_byte) || exchange.port == 0 {
        return refuse("a request to such a host or port");
    }
    let is_printable = exchange.target.bytes().all(|b| b.is_ascii_graphic());
    if !exchange.target.starts_with('/') || !is_printable {
        return refuse("such a target");
    }
    if exchange.method.is_empty() || !exchange.method.bytes().all(|b| b.is_ascii_uppercase()) {
        return refuse("such a method");
    }
    if exchange.method == "HEAD" && !exchange.body.is_empty() {
        return refuse("HEAD with a body");
    }
    for (name, value) in exchange.headers {
        // No name that frames the request is one.
        let allowed = is_header_name(&name.to_ascii_lowercase());
        if !allowed || value.chars().any(|c| c.is_control() && c != '\t') {
            return refuse("such a header");
        }
    }
    Ok(())
}

/// `token` of RFC 9110, section 5.6.2.
pub fn is_token(bytes: &[u8]) -> bool {
    let is_token_byte = |b: &u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b);
    !bytes.is_empty() && bytes.iter().all(is_token_byte)
}

/// Lines of curl's config syntax.
struct Config(String);

impl Config {
    /// Adds an option with its value in quotes, in which only these three have to be written otherwise.
    fn option(&mut self, name: &str, value: &str) {
        let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\t', "\\t");
        let _ = writeln!(self.0, "{name} = \"{value}\"");
    }
}
