//! The pages of the cases: with the member `web`, a tool reaches these and no host.

use mpp::encoding::unbase64_vec;
use mpp::network::{Exchange, HttpResponse, HttpTransport, TransportError};
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

/// A public address, since internal ones are refused.
const ADDRESS: [u8; 4] = [93, 184, 216, 34];

/// The pages of all cases, by their addresses.
pub struct Web(BTreeMap<String, Value>);

impl Web {
    /// Returns `None` if no case has pages.
    pub fn of(cases: &[Value]) -> Option<Self> {
        let webs: Vec<_> = cases.iter().filter_map(|case| case.get("web")?.as_object()).collect();
        let pages = webs.iter().flat_map(|web| web.iter());
        let pages = pages.map(|(url, page)| (url.clone(), page.clone())).collect();
        (!webs.is_empty()).then_some(Web(pages))
    }
}

impl HttpTransport for Web {
    fn resolve(
        &self,
        _: &str,
        _: Duration,
        _: &dyn Fn() -> bool,
    ) -> Result<Vec<IpAddr>, TransportError> {
        Ok(vec![IpAddr::from(ADDRESS)])
    }

    fn exchange(
        &self,
        exchange: &Exchange<'_>,
        _: &dyn Fn() -> bool,
    ) -> Result<HttpResponse, TransportError> {
        let (scheme, port) = if exchange.is_https { ("https", 443) } else { ("http", 80) };
        let port = match exchange.port {
            found if found == port => String::new(),
            other => format!(":{other}"),
        };
        let url = format!("{scheme}://{}{port}{}", exchange.host, exchange.target);
        let unreachable = || TransportError::Unreachable(format!("no page {url} in `web`"));
        response(self.0.get(&url).ok_or_else(unreachable)?).ok_or_else(|| {
            let what = format!("the page {url} in `web` has no `status`, `headers` and `body`");
            TransportError::Unreachable(what)
        })
    }
}

fn response(page: &Value) -> Option<HttpResponse> {
    let text = |name: &str| page.get(name).and_then(Value::as_str);
    let body = match (text("body"), text("body_base64")) {
        (Some(body), _) => body.as_bytes().to_vec(),
        (None, Some(body)) => unbase64_vec(body)?,
        (None, None) => return None,
    };
    let status = u16::try_from(page.get("status")?.as_u64()?).ok()?;
    let pair = |pair: &Value| {
        let name = pair.get(0)?.as_str()?.to_ascii_lowercase();
        Some((name, pair.get(1)?.as_str()?.to_owned()))
    };
    let headers = page.get("headers")?.as_array()?.iter().map(pair).collect::<Option<_>>()?;
    Some(HttpResponse { status, headers, body })
}
