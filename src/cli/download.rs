//! Downloads a package over https. Nothing that a server sends is trusted: the Gatekeeper verifies the package.

#[cfg(test)]
#[path = "../../conformance/unit/cli/download.rs"]
mod tests;

use mpp::limits::{ARCHIVE_BYTES_MAX, HTTP_REDIRECTS_COUNT_MAX};
use mpp::network::{Exchange, HttpResponse, HttpTransport, TransportError, Url};
use mpp::text::quote_untrusted;
use mpp::{Code, Error};
use std::time::{Duration, Instant};

/// Most seconds of a download, with its redirects.
const TIMEOUT: Duration = Duration::from_secs(300);

/// Downloads the package at an `https` URL, and follows at most `HTTP_REDIRECTS_COUNT_MAX` redirects to others.
///
/// # Errors
/// `host.file`: the URL is not one, the transport failed, the status is not 200, or the file is too large.
pub fn package(url: &str, transport: &dyn HttpTransport) -> Result<Vec<u8>, Error> {
    let failed = |url: &str, why: &str| {
        Error::new(Code::HostFile, format!("{}: {why}", quote_untrusted(url)))
    };
    let started = Instant::now();
    let mut at = Url::parse(url).ok_or_else(|| failed(url, "not a URL with a host name"))?;
    for _ in 0..=HTTP_REDIRECTS_COUNT_MAX {
        let shown = at.to_string();
        if !at.is_https {
            return Err(failed(&shown, "packages are downloaded over https only"));
        }
        let response =
            get(&at, transport, started).map_err(|error| failed(&shown, &error.to_string()))?;
        match response.status {
            200 => return Ok(response.body),
            301 | 302 | 303 | 307 | 308 => {
                let mut headers = response.headers.iter();
                let location = headers.find(|(name, _)| name == "location");
                let next = location.and_then(|(_, location)| at.join(location));
                at = next.ok_or_else(|| failed(&shown, "redirects to no valid URL"))?;
            }
            status => {
                return Err(failed(&shown, &format!("the server answered with status {status}")))
            }
        }
    }
    Err(failed(url, "too many redirects"))
}

/// Requests a URL at each address of its host until one can be reached.
fn get(
    url: &Url,
    transport: &dyn HttpTransport,
    started: Instant,
) -> Result<HttpResponse, TransportError> {
    let timeout = || TIMEOUT.saturating_sub(started.elapsed());
    let addresses = transport.resolve(&url.host, timeout(), &|| false)?;
    let mut result = Err(TransportError::NoAddress);
    for address in addresses {
        result = transport.exchange(
            &Exchange {
                is_https: true,
                host: &url.host,
                port: url.port,
                address,
                target: &url.target,
                method: "GET",
                headers: &[],
                body: &[],
                response_bytes_max: ARCHIVE_BYTES_MAX,
                timeout: timeout(),
            },
            &|| false,
        );
        if !matches!(result, Err(TransportError::Unreachable(_))) {
            break;
        }
    }
    result
}
