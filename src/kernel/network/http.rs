//! Room: the gate that HTTP requests of a guest go through: what may be asked of whom, where its name may
//! lead, and which redirects are followed.
//!
//! Each hop goes through [`HttpBroker::hop`] whole, so a redirect can reach nothing that the guest could
//! not have asked for itself.

use super::address;
use super::header::{fits, hides_text, is_for_any_origin, is_for_guest};
use super::request::{service_error, CallCounts, ServiceError};
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
use crate::kernel::secrets::SecretMatcher;
use core::time::Duration;
use serde_json::{json, Value};

// [DOOR-30]
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// The hosts of one call, and the way to them.
pub(super) struct HttpBroker<'a> {
    hosts: Vec<HostGrant>,
    host: &'a dyn Host,
}

/// What the guest asks for, or what a redirect made of it.
struct HttpRequest {
    method: String,
    url: Url,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    redirects_left: usize,
    timeout: Duration,
    /// Whether no redirect has led to another origin, so that secrets may still be added.
    original_origin: bool,
}

impl<'a> HttpBroker<'a> {
    pub(super) fn new(hosts: Vec<HostGrant>, host: &'a dyn Host) -> Self {
        HttpBroker { hosts, host }
    }

    /// Answers one request of the guest.
    pub(super) fn ask(
        &self,
        document: &Value,
        deadline: &Deadline,
        tally: &mut CallCounts,
    ) -> Result<Value, ServiceError> {
        let request = Field::new(document, "").object(read_request);
        let request = request
            .map_err(|fault| service_error("service.invalid", fault.to_string()))
            .and_then(checked);
        let mut request = request
            .inspect_err(|service_error| tally.count(format!("http {}", service_error.code)))?;
        let deadline = deadline.capped_at(request.timeout);
        loop {
            let response = self.hop(&request, &deadline, tally)?;
            match redirected(&request, &response)? {
                Some(next) => request = next,
                None => return Ok(answer(&request.url, response)),
            }
        }
    }

    /// One exchange with one host, recorded.
    fn hop(
        &self,
        request: &HttpRequest,
        deadline: &Deadline,
        tally: &mut CallCounts,
    ) -> Result<HttpResponse, ServiceError> {
        // [DOOR-23]
        let declared = request.url.declared();
        let Some(grant) = self.hosts.iter().find(|grant| grant.host == declared) else {
            // The name is the guest's text, so it is not recorded.
            tally.count("http http.undeclared");
            let message = format!("{declared} is not among the hosts that were granted");
            return Err(service_error("http.undeclared", message));
        };
        let result = self.exchange(request, grant, deadline);
        let what = match &result {
            Ok(response) => format!("{}xx", response.status / 100),
            Err(service_error) => service_error.code.to_owned(),
        };
        // [DOOR-60] One after the other and not together: the record takes few names, and a guest chooses
        // whom it asks and often what it is answered.
        tally.count(format!("http {declared}"));
        tally.count(format!("http {what}"));
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
            let message = format!("{} is reached by https only", grant.host);
            return Err(service_error("http.plain", message));
        }
        let headers = headers(request, grant)?;
        // [DOOR-25] [DOOR-28]
        let addresses = self.host.resolve(&url.host, time_left(deadline)?).map_err(failed)?;
        let allowed = |it| address::is_allowed(it, grant.private_addresses);
        if !addresses.iter().all(|it| allowed(*it)) {
            let message = format!("the name {} leads where no tool may go", url.host);
            return Err(service_error("http.address", message));
        }
        let address = *addresses.first().ok_or(TransportError::NoAddress).map_err(failed)?;
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
        let mut response = self.host.exchange(&exchange).map_err(failed)?;
        if !(200..=599).contains(&response.status) {
            return Err(failed(TransportError::Malformed("no final status".to_owned())));
        }
        // [DOOR-34] [DOOR-50]
        if response.body.len() > HTTP_RESPONSE_BYTES_MAX || !fits(&response.headers) {
            return Err(failed(TransportError::TooLarge));
        }
        if request.method == "HEAD" {
            response.body.clear();
        }
        if !sends_secrets(request, grant) {
            return Ok(response);
        }
        // [DOOR-38]
        if response.status == 206 || is_encoded(&response) {
            let message = "the response to a secret header came compressed or in part";
            return Err(service_error("http.secret", message));
        }
        // [DOOR-37]
        if shows(&response, grant) {
            let message = "the response holds a secret header of the request";
            return Err(service_error("http.secret", message));
        }
        Ok(response)
    }
}

/// Whether secret headers go along.
// [DOOR-36]
fn sends_secrets(request: &HttpRequest, grant: &HostGrant) -> bool {
    !grant.headers.is_empty() && request.original_origin && request.url.is_https
}

/// Whether the body has to be decoded before a text can be found in it.
fn is_encoded(response: &HttpResponse) -> bool {
    let named = |name: &str| name.eq_ignore_ascii_case("content-encoding");
    let plain = |value: &str| value.trim().eq_ignore_ascii_case("identity");
    response.headers.iter().any(|(name, value)| named(name) && !plain(value))
}

/// The headers to be sent: the guest's, and secret ones that it can't set.
// [DOOR-35] [DOOR-38]
fn headers(
    request: &HttpRequest,
    grant: &HostGrant,
) -> Result<Vec<(String, String)>, ServiceError> {
    let mut headers = request.headers.clone();
    if let Some((name, _)) =
        headers.iter().find(|(name, _)| grant.headers.iter().any(|secret| secret.name == *name))
    {
        return Err(service_error("http.header", format!("the host sets the header {name}")));
    }
    if !grant.headers.is_empty() && headers.iter().any(|(name, _)| hides_text(name)) {
        let message =
            "no part and no compressed form of what a secret header opens may be asked for";
        return Err(service_error("http.header", message));
    }
    if sends_secrets(request, grant) {
        let secrets = grant.headers.iter();
        headers.extend(secrets.map(|secret| (secret.name.clone(), secret.value.clone())));
    }
    let allowed = |(name, value): &(String, String)| is_header_name(name) && is_header_value(value);
    match headers.iter().all(allowed) && fits(&headers) {
        true => Ok(headers),
        false => Err(service_error("http.header", "too many headers, or one that may not be sent")),
    }
}

/// Whether a server gives back a secret that it was sent.
fn shows(response: &HttpResponse, grant: &HostGrant) -> bool {
    let secrets = grant.headers.iter().filter_map(|header| header.secret.clone());
    let hidden = SecretMatcher::new(&secrets.collect::<Vec<_>>());
    let headers = response.headers.iter();
    hidden.occurs_in(&response.body)
        || headers.flat_map(|(name, value)| [name, value]).any(|it| hidden.occurs_in(it.as_bytes()))
}

/// What becomes of a request by this response, if it is a redirect that is to be followed.
// [DOOR-40] [DOOR-41] [DOOR-43] [DOOR-44] [DOOR-45]
fn redirected(
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
        return Err(service_error(
            "http.redirect",
            "the response leads to no address that is taken here",
        ));
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
        (same_origin || is_for_any_origin(name)) && !(to_get && name.starts_with("content-"))
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

/// What the guest gets of a response.
// [DOOR-51] [DOOR-52]
fn answer(url: &Url, response: HttpResponse) -> Value {
    let headers =
        response.headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value));
    let headers: Vec<_> = headers.filter(|(name, _)| is_for_guest(name)).collect();
    let mut answer =
        json!({ "status": response.status, "url": url.to_string(), "headers": headers });
    let (key, body) = match String::from_utf8(response.body) {
        Ok(text) => ("body", text),
        Err(error) => ("body_base64", base64(error.as_bytes())),
    };
    if let Value::Object(members) = &mut answer {
        members.insert(key.to_owned(), body.into());
    }
    answer
}

// [DOOR-29]
fn time_left(deadline: &Deadline) -> Result<Duration, ServiceError> {
    let left = deadline.remaining();
    if left.is_zero() {
        return Err(failed(TransportError::TimedOut));
    }
    Ok(left)
}

// [DOOR-53]
fn failed(error: TransportError) -> ServiceError {
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
        // Such a text may name files of the host.
        TransportError::Host(_) => "the transport of this host failed".to_owned(),
        error => error.to_string(),
    };
    service_error(code, message)
}

/// The members of a request, as they stand.
struct RawRequest<'a> {
    method: &'a str,
    url: &'a str,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
    redirects: usize,
    timeout: Duration,
}

// [DOOR-31]
fn read_request<'a>(object: &mut ClosedObject<'a>) -> Result<RawRequest<'a>, DocumentError> {
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
        (Some(_), Some(second)) => return Err(second.bad_value("must not stand beside `body`")),
        (Some(text), None) => Some(text.text()?.as_bytes().to_vec()),
        (None, Some(coded)) => {
            let body = unbase64_vec(coded.text()?);
            Some(body.ok_or_else(|| coded.bad_value("must be base64 with its padding"))?)
        }
        (None, None) => None,
    };
    let most = HTTP_REDIRECTS_COUNT_MAX;
    let redirects = object.optional("redirects").map_or(Ok(most), |it| it.integer(0..=most))?;
    let timeout_ms = object.optional("timeout_ms");
    let timeout_ms = timeout_ms.map_or(Ok(TIMEOUT_MS_MAX), |it| it.integer(1..=TIMEOUT_MS_MAX))?;
    let timeout = Duration::from_millis(u64::from(timeout_ms));
    Ok(RawRequest { method, url, headers, body, redirects, timeout })
}

fn checked(asked: RawRequest<'_>) -> Result<HttpRequest, ServiceError> {
    // [DOOR-20]
    let url = Url::parse(asked.url).ok_or_else(|| {
        service_error("http.url", "not an address of a web page as it is taken here")
    })?;
    // [DOOR-30]
    if !METHODS.contains(&asked.method) {
        return Err(service_error(
            "http.method",
            format!("the methods are {}", METHODS.join(", ")),
        ));
    }
    if asked.body.is_some() && matches!(asked.method, "GET" | "HEAD") {
        return Err(service_error("http.method", "GET and HEAD have no body"));
    }
    // [DOOR-32] [DOOR-33] [DOOR-34]
    for (name, value) in &asked.headers {
        if !is_header_name(name) || !is_header_value(value) {
            let message = format!(
                "the header {} may not be sent",
                crate::kernel::text::quote_untrusted(name)
            );
            return Err(service_error("http.header", message));
        }
    }
    if !fits(&asked.headers) {
        return Err(service_error("http.header", "too many headers, or too long"));
    }
    Ok(HttpRequest {
        method: asked.method.to_owned(),
        url,
        headers: asked.headers,
        body: asked.body.unwrap_or_default(),
        redirects_left: asked.redirects,
        timeout: asked.timeout,
        original_origin: true,
    })
}
