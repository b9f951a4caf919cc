//! What an embedder puts behind the tools of this system: a way to the network, and a place for storage.

use crate::kernel::network::{Exchange, HttpResponse, TransportError};
use crate::kernel::storage::StorageBackend;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// How this host reaches the network. Calls come from several threads at once.
pub trait HttpTransport: Send + Sync {
    /// All addresses of a name, as the host's resolver gives them, within `timeout`. `is_cancelled` is
    /// looked at as in [`HttpTransport::exchange`].
    ///
    /// # Errors
    /// [`TransportError::NoAddress`], [`TransportError::TimedOut`], [`TransportError::Cancelled`],
    /// [`TransportError::Host`].
    fn resolve(
        &self,
        host: &str,
        timeout: Duration,
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<IpAddr>, TransportError>;

    /// One exchange. `is_cancelled` is looked at often enough that a cancelled call ends within a
    /// tenth of a second.
    ///
    /// # Errors
    /// Any [`TransportError`]. No byte of a response that is not whole is given.
    fn exchange(
        &self,
        exchange: &Exchange,
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<HttpResponse, TransportError>;
}

/// What a host has behind the door.
///
/// ```
/// use mpp::network::{Exchange, HttpResponse, HttpTransport, Services, TransportError};
/// use std::{net::IpAddr, sync::Arc, time::Duration};
///
/// /// A network in which nothing answers.
/// struct Nowhere;
/// impl HttpTransport for Nowhere {
///     fn resolve(
///         &self, _: &str, _: Duration, _: &dyn Fn() -> bool,
///     ) -> Result<Vec<IpAddr>, TransportError> {
///         Err(TransportError::NoAddress)
///     }
///     fn exchange(&self, _: &Exchange, _: &dyn Fn() -> bool) -> Result<HttpResponse, TransportError> {
///         Err(TransportError::Unreachable("there is nobody".to_owned()))
///     }
/// }
/// let services = Services { http: Some(Arc::new(Nowhere)), storage: None };
/// let sandbox = mpp::WasmSandbox::new()?.with_services(services);
/// # drop(sandbox);
/// # Ok::<(), mpp::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Services {
    /// How its tools reach the network; without one they do not.
    pub http: Option<Arc<dyn HttpTransport>>,
    /// Where its packages keep what they store; without one those that ask for it do not run.
    pub storage: Option<Arc<dyn StorageBackend>>,
}

impl fmt::Debug for Services {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (http, storage) = (self.http.is_some(), self.storage.is_some());
        out.debug_struct("Services").field("http", &http).field("storage", &storage).finish()
    }
}
