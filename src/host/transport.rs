//! Host services that an embedder supplies: the HTTP transport, and the storage backend.

use crate::kernel::network::{Exchange, HttpResponse, TransportError};
use crate::kernel::storage::StorageBackend;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// Connects this host to the network. Several threads call it at once.
pub trait HttpTransport: Send + Sync {
    /// Resolves a name to all its addresses within `timeout`. Polls `is_cancelled` as
    /// [`HttpTransport::exchange`] does.
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

    /// Sends one request and reads its response. Polls `is_cancelled` often enough that a cancelled call ends
    /// within a tenth of a second.
    ///
    /// # Errors
    /// Any [`TransportError`]. An incomplete response is an error, never a part of it.
    fn exchange(
        &self,
        exchange: &Exchange,
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<HttpResponse, TransportError>;
}

/// The host services of a sandbox.
///
/// ```
/// use mpp::network::{Exchange, HttpResponse, HttpTransport, Services, TransportError};
/// use std::{net::IpAddr, sync::Arc, time::Duration};
///
/// /// A network without any server.
/// struct Nowhere;
/// impl HttpTransport for Nowhere {
///     fn resolve(
///         &self, _: &str, _: Duration, _: &dyn Fn() -> bool,
///     ) -> Result<Vec<IpAddr>, TransportError> {
///         Err(TransportError::NoAddress)
///     }
///     fn exchange(&self, _: &Exchange, _: &dyn Fn() -> bool) -> Result<HttpResponse, TransportError> {
///         Err(TransportError::Unreachable("no route to host".to_owned()))
///     }
/// }
/// let services = Services { http: Some(Arc::new(Nowhere)), storage: None };
/// let sandbox = mpp::WasmSandbox::new()?.with_services(services);
/// # drop(sandbox);
/// # Ok::<(), mpp::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Services {
    /// The HTTP transport of tools; without one they reach no host.
    pub http: Option<Arc<dyn HttpTransport>>,
    /// The storage of packages; without one, packages that request storage do not run.
    pub storage: Option<Arc<dyn StorageBackend>>,
}

impl fmt::Debug for Services {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (http, storage) = (self.http.is_some(), self.storage.is_some());
        out.debug_struct("Services").field("http", &http).field("storage", &storage).finish()
    }
}
