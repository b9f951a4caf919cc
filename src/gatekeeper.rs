//! Room: the Gatekeeper: seven checks, in order, ending in an attestation. (Being built.)

use crate::module::Module;
use crate::package::listing::ContentHash;
use crate::package::manifest::Manifest;
use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

/// A manifest out of a package that passed all seven checks. Reads like a [`Manifest`]; it can't be
/// made or changed by anyone but the Gatekeeper, so a policy decision is always about what was signed.
#[derive(Clone, Debug)]
pub struct VerifiedManifest {
    manifest: Arc<Manifest>,
    content_hash: ContentHash,
    publisher: String,
    signed_by: Vec<String>,
}

impl Deref for VerifiedManifest {
    type Target = Manifest;
    fn deref(&self) -> &Manifest {
        &self.manifest
    }
}

impl VerifiedManifest {
    /// The identity of the package that the manifest came from.
    #[must_use]
    pub fn content_hash(&self) -> &ContentHash {
        &self.content_hash
    }

    /// The name of the trusted publisher, as the trust store gives it.
    #[must_use]
    pub fn publisher(&self) -> &str {
        &self.publisher
    }

    /// The names of all trusted publishers that signed it, each once: an author, an approver.
    #[must_use]
    pub fn signed_by(&self) -> &[String] {
        &self.signed_by
    }

    /// For the tests of the rooms above, which need no package.
    #[cfg(test)]
    pub(crate) fn for_tests(
        manifest: Manifest,
        content_hash: ContentHash,
        signed_by: &[&str],
    ) -> Self {
        let signed_by: Vec<String> = signed_by.iter().map(|name| (*name).to_owned()).collect();
        let publisher = signed_by.first().cloned().unwrap_or_default();
        VerifiedManifest { manifest: Arc::new(manifest), content_hash, publisher, signed_by }
    }
}

/// The module and assets of a package that passed all seven checks: all that the sandbox accepts.
#[derive(Clone, Debug)]
pub struct WasmBinary {
    module: Module,
    assets: Arc<BTreeMap<String, Vec<u8>>>,
    manifest: VerifiedManifest,
}

impl WasmBinary {
    /// The compiled module.
    pub(crate) fn module(&self) -> &Module {
        &self.module
    }
    /// Contents of `assets/`, by the path below that folder (`db/shop.sqlite`).
    pub(crate) fn assets(&self) -> &Arc<BTreeMap<String, Vec<u8>>> {
        &self.assets
    }
    /// The manifest it was signed with.
    pub(crate) fn manifest(&self) -> &VerifiedManifest {
        &self.manifest
    }
}
