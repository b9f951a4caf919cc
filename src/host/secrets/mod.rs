//! Secret stores: where a host reads the values of secrets from, a file or a command.

mod command;
mod file;
#[cfg(test)]
#[path = "../../../conformance/unit/host/secrets.rs"]
mod tests;

pub use crate::kernel::secrets::{check_name, is_name, SecretValue};
pub use command::CommandSecretStore;
pub use file::FileSecretStore;

use crate::kernel::error::Error;
use std::fmt;

/// Provides the values of secrets: from a file, a command, or an embedder's implementation.
///
/// ```
/// use mpp::secrets::{SecretStore, SecretValue};
///
/// struct Vault;
/// impl SecretStore for Vault {
///     fn value(&self, name: &str) -> Result<Option<SecretValue>, mpp::Error> {
///         (name == "API_KEY").then(|| SecretValue::parse("correct-horse-battery")).transpose()
///     }
/// }
/// assert!(Vault.value("API_KEY")?.is_some());
/// # Ok::<(), mpp::Error>(())
/// ```
pub trait SecretStore: Send + Sync {
    /// Returns the value of a secret; `None` if absent. Several threads call it at once, once for each secret
    /// of a call.
    ///
    /// # Errors
    /// Any code. The text must not contain a value: people and agents read it.
    fn value(&self, name: &str) -> Result<Option<SecretValue>, Error>;
}

/// Shows nothing of the store's content.
impl fmt::Debug for dyn SecretStore {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SecretStore")
    }
}
