//! Transport interface: the network operations that a host provides. The HTTP broker makes all decisions; a
//! transport runs one operation at a time and has no rules.

use crate::kernel::prelude::*;
use core::net::IpAddr;
use core::time::Duration;

/// One HTTP/1.1 or HTTP/2 exchange with one address, checked by the HTTP broker.
#[derive(Clone)]
pub struct Exchange<'a> {
    /// `https`, or `http` if the policy allows it for this host.
    pub is_https: bool,
    /// The host name in lower case: for TLS (name and certificate) and for the `Host` header.
    pub host: &'a str,
    /// The port.
    pub port: u16,
    /// The only address to connect to. The name must not be resolved again.
    pub address: IpAddr,
    /// Path and query, starting with `/`; printable ASCII without spaces.
    pub target: &'a str,
    /// `GET`, `HEAD`, `POST`, `PUT`, `PATCH`, `DELETE` or `OPTIONS`.
    pub method: &'a str,
    /// Headers in order. Names are tokens, values have no control characters (RFC 9110, section 5.5).
    /// Values can be secrets and must not appear in a process list or a log.
    pub headers: &'a [(String, String)],
    /// The body, if not empty.
    pub body: &'a [u8],
    /// Most bytes of the response body; a longer one is [`TransportError::TooLarge`].
    pub response_bytes_max: usize,
    /// Timeout of the whole exchange: connection, request and response.
    pub timeout: Duration,
}

/// A response. A transport returns redirects and does not follow them.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// 200 to 599; interim responses are skipped.
    pub status: u16,
    /// Headers in order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, without transfer encoding and not decompressed.
    pub body: Vec<u8>,
}

/// Omits what can be secret: header values, the target and the body.
impl fmt::Debug for Exchange<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Exchange")
            .field("method", &self.method)
            .field("is_https", &self.is_https)
            .field("host", &self.host)
            .field("port", &self.port)
            .field("address", &self.address)
            .field("headers", &names(self.headers))
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Omits header values and the body.
impl fmt::Debug for HttpResponse {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("HttpResponse")
            .field("status", &self.status)
            .field("headers", &names(&self.headers))
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

fn names(headers: &[(String, String)]) -> Vec<&str> {
    headers.iter().map(|(name, _)| name.as_str()).collect()
}

/// Why there is no response. The texts are for people and contain nothing of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransportError {
    /// The host has no transport.
    Unsupported,
    /// The name has no address.
    NoAddress,
    /// The connection failed or was reset.
    Unreachable(String),
    /// The certificate is not valid for this host, or TLS failed otherwise.
    Tls(String),
    /// The response exceeds its limit.
    TooLarge,
    /// The exchange timed out.
    TimedOut,
    /// The call was cancelled.
    Cancelled,
    /// The response is not HTTP.
    Malformed(String),
    /// The transport itself failed, for example because a program is missing. The guest does not get the
    /// text.
    Host(String),
}

impl fmt::Display for TransportError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TransportError::Unsupported => out.write_str("this host has no transport"),
            TransportError::NoAddress => out.write_str("the host name has no address"),
            TransportError::Unreachable(why) => write!(out, "connection failed: {why}"),
            TransportError::Tls(why) => write!(out, "TLS failed: {why}"),
            TransportError::TooLarge => out.write_str("the response exceeds its limit"),
            TransportError::TimedOut => out.write_str("the exchange timed out"),
            TransportError::Cancelled => out.write_str("the call was cancelled"),
            TransportError::Malformed(why) => write!(out, "not an HTTP response: {why}"),
            TransportError::Host(why) => write!(out, "the transport failed: {why}"),
        }
    }
}
