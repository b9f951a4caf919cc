//! Where a host keeps secrets: a file of its own, or a command of its administrator.

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

/// Where a host keeps secrets: a file of its own, a command, or what an embedder has.
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
    /// The value of this name, or nothing if there is none. Called once for each secret of a call, from
    /// several threads at once.
    ///
    /// # Errors
    /// Any code. The text must not hold a value: people and agents read it.
    fn value(&self, name: &str) -> Result<Option<SecretValue>, Error>;
}

/// Without anything of what it holds.
impl fmt::Debug for dyn SecretStore {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SecretStore")
    }
}
