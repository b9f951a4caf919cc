//! A transport without a network, for tests of the layers above it: it does what the table states.

use super::table::Means;
use mpp::network::{Exchange, HttpResponse, HttpTransport, TransportError};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Who answers where. It knows no names.
#[derive(Debug, Default)]
pub struct FakeTransport {
    sites: Mutex<BTreeMap<SocketAddr, Means>>,
}

impl FakeTransport {
    /// Gives a site an address of its own.
    pub fn serve(&self, means: Means) -> SocketAddr {
        let mut sites = self.sites.lock().unwrap();
        let port = 40_000 + u16::try_from(sites.len()).unwrap();
        let at = SocketAddr::from(([127, 0, 0, 1], port));
        sites.insert(at, means);
        at
    }

    /// Puts something else at an address.
    pub fn replace(&self, at: SocketAddr, means: Means) {
        self.sites.lock().unwrap().insert(at, means);
    }
}

impl HttpTransport for FakeTransport {
    fn resolve(
        &self,
        _: &str,
        _: Duration,
        _: &dyn Fn() -> bool,
    ) -> Result<Vec<IpAddr>, TransportError> {
        Err(TransportError::NoAddress)
    }

    fn exchange(
        &self,
        exchange: &Exchange<'_>,
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<HttpResponse, TransportError> {
        let at = SocketAddr::new(exchange.address, exchange.port);
        let means = self.sites.lock().unwrap().get(&at).cloned();
        let unreachable = || TransportError::Unreachable("no such site".to_owned());
        match means.ok_or_else(unreachable)? {
            Means::Fails(error) => Err(error),
            Means::Endless => Err(TransportError::TooLarge),
            Means::Response(response) if response.body.len() > exchange.response_bytes_max => {
                Err(TransportError::TooLarge)
            }
            Means::Response(response) => Ok(response),
            Means::Silence => {
                let began = Instant::now();
                while began.elapsed() < exchange.timeout {
                    if is_cancelled() {
                        return Err(TransportError::Cancelled);
                    }
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(TransportError::TimedOut)
            }
        }
    }
}
