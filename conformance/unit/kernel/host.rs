//! The host of the kernel's own tests.

use super::*;
use std::sync::Mutex;

/// A host that has secrets and random numbers where a test gives it some, and nothing else.
#[derive(Default)]
pub(in crate::kernel) struct Fake {
    /// Names of secrets, whose values are `s3cr3t of` the name.
    pub(in crate::kernel) secrets: &'static [&'static str],
    /// The secrets that it was asked for.
    pub(in crate::kernel) asked: Mutex<Vec<String>>,
    pub(in crate::kernel) random: Option<fn(&mut [u8])>,
}

impl Clock for Fake {
    fn now(&self) -> Duration {
        Duration::ZERO
    }
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

impl Host for Fake {
    fn secret(&self, name: &str) -> Result<Option<SecretValue>, Error> {
        self.asked.lock().unwrap().push(name.to_owned());
        let known = self.secrets.contains(&name);
        known.then(|| SecretValue::parse(format!("s3cr3t of {name}"))).transpose()
    }
    fn random(&self, bytes: &mut [u8]) -> Result<(), Error> {
        let random = self.random.ok_or_else(|| unsupported("random numbers"))?;
        random(bytes);
        Ok(())
    }
}
