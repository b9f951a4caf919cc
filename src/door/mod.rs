//! Floor 2: the one door out of the sandbox: what a guest may ask of its host besides files.
//!
//! The gate is ours and the same for every host: it reads the request, holds it against the token, checks
//! addresses and follows redirects. What touches the network is a [`HttpTransport`], which only does
//! what it is told: one name to look up, one exchange with one address.

pub mod transport;

pub use transport::{Exchange, HttpResponse, HttpTransport, TransportError};
