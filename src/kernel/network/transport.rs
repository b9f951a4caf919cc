//! What a host is asked for so that its tools can reach the network. The gate decides; the host carries out one
//! step at a time and knows no rule.

use crate::kernel::prelude::*;
use core::net::IpAddr;
use core::time::Duration;

/// One HTTP/1.1 or HTTP/2 exchange with one address. Everything in it was checked by the gate.
#[derive(Clone)]
pub struct Exchange<'a> {
    /// `https`, or `http` where the policy allows it for this host.
    pub is_https: bool,
    /// The host's name in lower case: for TLS (name and certificate) and for the `Host` header.
    pub host: &'a str,
    /// The port.
    pub port: u16,
    /// The one address to connect to. The name is not looked up again.
    pub address: IpAddr,
    /// Path and query, beginning with `/`; printable ASCII without spaces.
    pub target: &'a str,
    /// `GET`, `HEAD`, `POST`, `PUT`, `PATCH`, `DELETE` or `OPTIONS`.
    pub method: &'a str,
    /// Headers in order. Names are tokens, values have no control characters (RFC 9110, section 5.5).
    /// Some may be secrets, so none may show in a process list or a log.
    pub headers: &'a [(String, String)],
    /// The body; empty is none.
    pub body: &'a [u8],
    /// Most bytes of body that may be taken; one more is [`TransportError::TooLarge`].
    pub response_bytes_max: usize,
    /// Time for all of it: connection, request and response.
    pub timeout: Duration,
}

/// What came back, a redirect included: a transport follows none.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// 200 to 599; interim answers are left out.
    pub status: u16,
    /// Headers in order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as it came, without transfer encoding and not decompressed.
    pub body: Vec<u8>,
}

/// Without what may be secret: values of headers, the target and the body.
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

/// Without values of headers and the body.
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

/// Why there is no response. The texts are for people and hold nothing of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransportError {
    /// The host has no way to the network.
    Unsupported,
    /// The name has no address.
    NoAddress,
    /// No connection, or it broke.
    Unreachable(String),
    /// The certificate is not valid for this host, or TLS failed otherwise.
    Tls(String),
    /// The response is larger than was asked for.
    TooLarge,
    /// The time was over.
    TimedOut,
    /// The call was cancelled.
    Cancelled,
    /// What came back is not HTTP.
    Malformed(String),
    /// The transport itself failed, for instance because a program is missing. The guest does not get
    /// the text.
    Host(String),
}

impl fmt::Display for TransportError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TransportError::Unsupported => out.write_str("this host has no way to the network"),
            TransportError::NoAddress => out.write_str("the host name has no address"),
            TransportError::Unreachable(why) => write!(out, "no connection: {why}"),
            TransportError::Tls(why) => write!(out, "TLS failed: {why}"),
            TransportError::TooLarge => out.write_str("the response is too large"),
            TransportError::TimedOut => out.write_str("the time was over"),
            TransportError::Cancelled => out.write_str("the call was cancelled"),
            TransportError::Malformed(why) => write!(out, "not an HTTP response: {why}"),
            TransportError::Host(why) => write!(out, "the transport failed: {why}"),
        }
    }
}
