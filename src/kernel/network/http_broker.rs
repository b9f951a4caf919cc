//! HTTP broker: checks the requests of a guest, their addresses and each redirect before the host's
//! transport runs them.
//!
//! Every hop passes [`HttpBroker::hop`], so a redirect reaches nothing that the guest could not have
//! requested itself.

use super::address;
use super::header::{alters_body, follows_cross_origin, is_visible, within_limits};
use super::service_error::{service_error, RequestCounts, ServiceError};
use super::transport::{Exchange, HttpResponse, TransportError};
use super::url::Url;
use crate::kernel::deadline::Deadline;
use crate::kernel::encoding::{base64, unbase64_vec};
use crate::kernel::host::Host;
use crate::kernel::json::closed_object::{ClosedObject, DocumentError, Field};
use crate::kernel::limits::{HTTP_REDIRECTS_COUNT_MAX, HTTP_RESPONSE_BYTES_MAX, TIMEOUT_MS_MAX};
use crate::kernel::names::{is_header_name, is_header_value};
use crate::kernel::policy::token::HostGrant;
use crate::kernel::prelude::*;
use crate::kernel::secrets::{KnownSecret, SecretMatcher};
use core::time::Duration;
use serde_json::{json, Value};

// [DOOR-30]
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// The hosts granted to one call, and the host's transport.
pub(super) struct HttpBroker<'a> {
    hosts: Vec<HostGrant>,
    host: &'a dyn Host,
}

/// A checked request of the guest, or the one that follows from a redirect.
struct HttpRequest {
    method: String,
    url: Url,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    redirects_left: usize,
    timeout: Duration,
    /// Whether every hop so far had the same origin; only then are secret headers added.
    original_origin: bool,
}

impl<'a> HttpBroker<'a> {
    pub(super) fn new(hosts: Vec<HostGrant>, host: &'a dyn Host) -> Self {
        HttpBroker { hosts, host }
    }

    /// Runs one request of the guest, with its redirects.
    pub(super) fn handle(
        &self,
        document: &Value,
        deadline: &Deadline,
        counts: &mut RequestCounts,
    ) -> Result<Value, ServiceError> {
        let request = Field::new(document, "").object(read_request);
        let request = request
            .map_err(|error| service_error("service.invalid", error.to_string()))
            .and_then(|request| request);
        let mut request =
            request.inspect_err(|error| counts.add(format!("http {}", error.code)))?;
        let deadline = deadline.capped_at(request.timeout);
        loop {
            let response = self.hop(&request, &deadline, counts)?;
            match redirect(&request, &response)? {
                Some(next) => request = next,
                None => return Ok(response_json(&request.url, response)),
            }
        }
    }

    /// Runs one exchange with one host, and counts it.
    fn hop(
        &self,
        request: &HttpRequest,
        deadline: &Deadline,
        counts: &mut RequestCounts,
    ) -> Result<HttpResponse, ServiceError> {
        // [DOOR-23]
        let declared = request.url.declared();
        let Some(grant) = self.hosts.iter().find(|grant| grant.host == declared) else {
            // The guest chose the name, so it is not counted under it.
            counts.add("http http.undeclared");
            let message =
                format!("host {declared} is not in `capabilities.network` of the manifest");
            return Err(service_error("http.undeclared", message));
        };
        let result = self.exchange(request, grant, deadline);
        let outcome = match &result {
            Ok(response) => format!("{}xx", response.status / 100),
            Err(error) => error.code.to_owned(),
        };
        // [DOOR-60] Host and result are counted separately: the audit record takes few names, and a guest
        // chooses the hosts and often the results.
        counts.add(format!("http {declared}"));
        counts.add(format!("http {outcome}"));
        result
    }

    fn exchange(
        &self,
        request: &HttpRequest,
        grant: &HostGrant,
        deadline: &Deadline,
    ) -> Result<HttpResponse, ServiceError> {
        let url = &request.url;
        // [DOOR-24]
        if !url.is_https && !grant.plain_http {
            let message = format!(
                "host {} requires https, or `network.plain_http` in the policy",
                grant.host
            );
            return Err(service_error("http.plain", message));
        }
        let headers = request_headers(request, grant)?;
        // [DOOR-25] [DOOR-28]
        let addresses = self.host.resolve(&url.host, time_left(deadline)?)?;
        let allowed = |it| address::is_allowed(it, grant.private_addresses);
        if !addresses.iter().all(|it| allowed(*it)) {
            let message = format!(
                "{} resolves to a blocked address; see `network.private_addresses` in the policy",
                url.host
            );
            return Err(service_error("http.address", message));
        }
        let address = *addresses.first().ok_or(TransportError::NoAddress)?;
        let exchange = Exchange {
            is_https: url.is_https,
            host: &url.host,
            port: url.port,
            address,
            target: &url.target,
            method: &request.method,
            headers: &headers,
            body: &request.body,
            response_bytes_max: HTTP_RESPONSE_BYTES_MAX,
            timeout: time_left(deadline)?,
        };
        let mut response = self.host.exchange(&exchange)?;
        if !(200..=599).contains(&response.status) {
            return Err(TransportError::Malformed("no final status".to_owned()).into());
        }
        // [DOOR-34] [DOOR-50]
        if response.body.len() > HTTP_RESPONSE_BYTES_MAX || !within_limits(&response.headers) {
            return Err(TransportError::TooLarge.into());
        }
        if request.method == "HEAD" {
            response.body.clear();
        }
        if !sends_secrets(request, grant) {
            return Ok(response);
        }
        // [DOOR-38]
        if response.status == 206 || is_encoded(&response) {
            let message = "the response to a secret header is compressed or partial";
            return Err(service_error("http.secret", message));
        }
        // [DOOR-37]
        if echoes_secret(&response, grant) {
            let message = "the response echoes a secret header of the request";
            return Err(service_error("http.secret", message));
        }
        Ok(response)
    }
}

/// Returns `true` if secret headers are sent.
// [DOOR-36]
fn sends_secrets(request: &HttpRequest, grant: &HostGrant) -> bool {
    !grant.headers.is_empty() && request.original_origin && request.url.is_https
}

/// Returns `true` if the body must be decoded before a text can be found in it.
fn is_encoded(response: &HttpResponse) -> bool {
    let named = |name: &str| name.eq_ignore_ascii_case("content-encoding");
    let plain = |value: &str| value.trim().eq_ignore_ascii_case("identity");
    response.headers.iter().any(|(name, value)| named(name) && !plain(value))
}

/// Returns the headers to send: those of the guest, and the secret headers, which it cannot set.
// [DOOR-35] [DOOR-38]
fn request_headers(
    request: &HttpRequest,
    grant: &HostGrant,
) -> Result<Vec<(String, String)>, ServiceError> {
    let mut headers = request.headers.clone();
    if let Some((name, _)) =
        headers.iter().find(|(name, _)| grant.headers.iter().any(|secret| secret.name == *name))
    {
        return Err(service_error("http.header", format!("header {name} is set by the host")));
    }
    if !grant.headers.is_empty() && headers.iter().any(|(name, _)| alters_body(name)) {
        let message = "a partial or compressed response cannot be requested with a secret header";
        return Err(service_error("http.header", message));
    }
    if sends_secrets(request, grant) {
        let secrets = grant.headers.iter();
        headers.extend(secrets.map(|secret| (secret.name.clone(), secret.value.clone())));
    }
    match headers.iter().all(|(name, value)| is_sendable(name, value)) && within_limits(&headers) {
        true => Ok(headers),
        false => Err(service_error("http.header", "too many headers, or one that is not allowed")),
    }
}

/// Returns `true` if a response echoes a secret of the request, in any letter case: servers and libraries change
/// that of header names and host names.
fn echoes_secret(response: &HttpResponse, grant: &HostGrant) -> bool {
    let secrets = grant.headers.iter().filter_map(|header| header.secret.clone());
    let secrets: Vec<_> = secrets.collect();
    let lower_case: Vec<_> = secrets.iter().map(KnownSecret::to_lower_case).collect();
    let (exact, lower_case) = (SecretMatcher::new(&secrets), SecretMatcher::new(&lower_case));
    let echoes =
        |text: &[u8]| exact.occurs_in(text) || lower_case.occurs_in(&text.to_ascii_lowercase());
    let mut headers = response.headers.iter().flat_map(|(name, value)| [name, value]);
    echoes(&response.body) || headers.any(|it| echoes(it.as_bytes()))
}

/// Returns the next request if the response is a redirect to follow.
// [DOOR-40] [DOOR-41] [DOOR-43] [DOOR-44] [DOOR-45]
fn redirect(
    request: &HttpRequest,
    response: &HttpResponse,
) -> Result<Option<HttpRequest>, ServiceError> {
    let location = response.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("location"));
    let Some((_, location)) = location.filter(|_| matches!(response.status, 301..=303 | 307 | 308))
    else {
        return Ok(None);
    };
    let Some(redirects_left) = request.redirects_left.checked_sub(1) else {
        return Ok(None);
    };
    let Some(url) = request.url.join(location) else {
        return Err(service_error("http.redirect", "invalid URL in the Location header"));
    };
    let to_get = match (response.status, request.method.as_str()) {
        (_, "GET" | "HEAD") => false,
        (303, _) => true,
        (301 | 302, method) => method == "POST",
        _ => false,
    };
    let same_origin = url.origin() == request.url.origin();
    let mut headers = request.headers.clone();
    headers.retain(|(name, _)| {
        (same_origin || follows_cross_origin(name)) && !(to_get && name.starts_with("content-"))
    });
    Ok(Some(HttpRequest {
        method: if to_get { "GET".to_owned() } else { request.method.clone() },
        url,
        headers,
        body: if to_get { Vec::new() } else { request.body.clone() },
        redirects_left,
        timeout: request.timeout,
        original_origin: request.original_origin && same_origin,
    }))
}

/// Returns the response for the guest.
// [DOOR-51] [DOOR-52]
fn response_json(url: &Url, response: HttpResponse) -> Value {
    let headers =
        response.headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value));
    let headers: Vec<_> = headers.filter(|(name, _)| is_visible(name)).collect();
    let (key, body) = match String::from_utf8(response.body) {
        Ok(text) => ("body", text),
        Err(error) => ("body_base64", base64(error.as_bytes())),
    };
    json!({ "status": response.status, "url": url.to_string(), "headers": headers, key: body })
}

fn is_sendable(name: &str, value: &str) -> bool {
    is_header_name(name) && is_header_value(value)
}

// [DOOR-29]
fn time_left(deadline: &Deadline) -> Result<Duration, ServiceError> {
    let left = deadline.remaining();
    if left.is_zero() {
        return Err(TransportError::TimedOut.into());
    }
    Ok(left)
}

// [DOOR-53]
impl From<TransportError> for ServiceError {
    fn from(error: TransportError) -> Self {
        let code = match &error {
            TransportError::NoAddress => "http.no_address",
            TransportError::Unreachable(_) => "http.unreachable",
            TransportError::Tls(_) => "http.tls",
            TransportError::TooLarge => "http.too_large",
            TransportError::TimedOut => "http.timeout",
            TransportError::Cancelled => "http.cancelled",
            TransportError::Malformed(_) => "http.malformed",
            TransportError::Unsupported => "http.no_transport",
            TransportError::Host(_) => "http.transport",
        };
        let message = match error {
            // This text can name files of the host.
            TransportError::Host(_) => "the host's transport failed".to_owned(),
            error => error.to_string(),
        };
        service_error(code, message)
    }
}

// [DOOR-31]
fn read_request(
    object: &mut ClosedObject,
) -> Result<Result<HttpRequest, ServiceError>, DocumentError> {
    object.required("service")?;
    let url = object.required("url")?.text()?;
    let method = object.optional("method").map_or(Ok("GET"), |member| member.text())?;
    let headers = object.optional("headers").map_or(Ok(Vec::new()), |member| {
        member.array(0..=usize::MAX, |pair| {
            match pair.array(2..=2, |item| item.text().map(str::to_owned))?.as_slice() {
                [name, value] => Ok((name.to_ascii_lowercase(), value.clone())),
                _ => Err(pair.bad_value("must be a name and a value")),
            }
        })
    })?;
    let text = object.optional("body");
    let body = match (text, object.optional("body_base64")) {
        (Some(_), Some(second)) => return Err(second.bad_value("conflicts with `body`")),
        (Some(text), None) => Some(text.text()?.as_bytes().to_vec()),
        (None, Some(coded)) => {
            let body = unbase64_vec(coded.text()?);
            Some(body.ok_or_else(|| coded.bad_value("must be base64 with its padding"))?)
        }
        (None, None) => None,
    };
    let most = HTTP_REDIRECTS_COUNT_MAX;
    let redirects_left =
        object.optional("redirects").map_or(Ok(most), |it| it.integer(0..=most))?;
    let timeout_ms = object.optional("timeout_ms");
    let timeout_ms = timeout_ms.map_or(Ok(TIMEOUT_MS_MAX), |it| it.integer(1..=TIMEOUT_MS_MAX))?;
    let checked = check_request(url, method, &headers, body.is_some());
    Ok(checked.map(|url| HttpRequest {
        method: method.to_owned(),
        url,
        headers,
        body: body.unwrap_or_default(),
        redirects_left,
        timeout: Duration::from_millis(u64::from(timeout_ms)),
        original_origin: true,
    }))
}

fn check_request(
    url: &str,
    method: &str,
    headers: &[(String, String)],
    has_body: bool,
) -> Result<Url, ServiceError> {
    // [DOOR-20]
    let url = Url::parse(url).ok_or_else(|| service_error("http.url", "invalid URL"))?;
    // [DOOR-30]
    if !METHODS.contains(&method) {
        let message = format!("method is not one of {}", METHODS.join(", "));
        return Err(service_error("http.method", message));
    }
    if has_body && matches!(method, "GET" | "HEAD") {
        return Err(service_error("http.method", "GET and HEAD have no body"));
    }
    // [DOOR-32] [DOOR-33] [DOOR-34]
    if let Some((name, _)) = headers.iter().find(|(name, value)| !is_sendable(name, value)) {
        let message =
            format!("header {} is not allowed", crate::kernel::text::quote_untrusted(name));
        return Err(service_error("http.header", message));
    }
    if !within_limits(headers) {
        return Err(service_error("http.header", "too many headers, or too long"));
    }
    Ok(url)
}
