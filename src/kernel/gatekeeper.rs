//! Room: the Gatekeeper: seven checks, in order, ending in an attestation.
//!
//! ```text
//! bytes ─1 archive─► entries ─2 structure─► parts ─3 content─► hash ─4 signature─► signers
//!       ─5 publisher─► publisher ─6 manifest─► manifest ─7 module─► AttestationResult
//! ```
//!
//! Each check takes what the ones before it have proved and returns what it proves itself. The first
//! failure ends it, and there is no override. An [`AttestationResult`] can be had in no other way:
//! its parts have private fields that only this file fills, and the policy and the sandbox accept
//! nothing else.

use crate::kernel::module::Module;
use crate::kernel::package::archive::{self, Entry};
use crate::kernel::package::content_hash::{listing, ContentHash};
use crate::kernel::package::key::KeyId;
use crate::kernel::package::manifest::Manifest;
use crate::kernel::package::signature::{SignatureFile, Signer};
use crate::kernel::package::version::Version;
use crate::kernel::package::{
    is_module_entry, is_package_file, ASSETS_FOLDER, MANIFEST_ENTRY, SIGNATURE_ENTRY,
};
use crate::kernel::prelude::*;
use crate::kernel::privacy;
use crate::kernel::time::Timestamp;
use crate::kernel::trust::{TrustStore, TrustedSigner};
use core::ops::Deref;

/// Verifies packages against one trust store at one moment.
#[derive(Clone, Debug)]
pub struct Gatekeeper {
    trust: TrustStore,
    signers_required: usize,
    now: Timestamp,
}

/// The proof that a package passed all seven checks, and what the next stages need of it.
///
/// Nothing else can make one:
///
/// ```compile_fail,E0451
/// fn forge(real: mpp::AttestationResult) -> mpp::AttestationResult {
///     mpp::AttestationResult { signed_by: Vec::new(), ..real }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct AttestationResult {
    /// What the package says about itself, as it was signed.
    pub manifest: VerifiedManifest,
    /// The compiled module and the assets: the only thing that the sandbox runs.
    pub wasm_binary: WasmBinary,
    /// The package's identity.
    pub content_hash: ContentHash,
    /// Its trusted signers, in the order of `signature.json`.
    pub signers: Vec<TrustedSigner>,
    /// All keys that signed it, known here or not.
    signed_by: Vec<KeyId>,
}

impl Gatekeeper {
    /// A Gatekeeper that asks for one trusted signer, at this moment.
    pub fn new(trust: TrustStore, now: Timestamp) -> Self {
        Gatekeeper { trust, signers_required: 1, now }
    }

    /// Asks for trusted signatures by this many publishers, such as an author and an approver.
    pub fn signers_required(mut self, count: usize) -> Self {
        self.signers_required = count.max(1);
        self
    }

    /// What may have changed since a package passed the seven checks: its signers are judged anew, by
    /// this trust store and at this moment, and its version is held against the highest seen.
    ///
    /// # Errors
    /// The codes of check 5; `manifest.namespace`, `manifest.downgrade`.
    // [GATE-08]
    pub fn revalidate(&self, earlier: &AttestationResult) -> Result<AttestationResult, Error> {
        let AttestationResult { manifest, content_hash, signed_by, .. } = earlier;
        let Gatekeeper { trust, signers_required, now } = self;
        let signers = trust.evaluate_signers(signed_by, content_hash, *now, *signers_required)?;
        check_id_and_version(trust, manifest, &signers)?;
        let manifest = verified(Arc::clone(&manifest.manifest), content_hash, &signers);
        Ok(AttestationResult { manifest, signers, ..earlier.clone() })
    }

    /// The highest version of a package that was seen before.
    pub(in crate::kernel) fn highest_version_seen(&self, id: &str) -> Option<Version> {
        self.trust.highest_version_seen(id)
    }

    /// The seven checks.
    ///
    /// # Errors
    /// The code of the check that failed.
    // [GATE-01]
    pub fn verify(&self, package: &[u8]) -> Result<AttestationResult, Error> {
        let entries = check_1_archive(package)?;
        let parts = check_2_structure(&entries)?;
        let record = check_3_content(&parts)?;
        let signed_by = check_4_signature(&record)?;
        let signers = check_5_publisher(self, &record, &signed_by)?;
        let manifest = check_6_manifest(&self.trust, &parts, &signers)?;
        let module = check_7_module(&parts, &manifest)?;
        let signed_by = signed_by.into_iter().map(|signer| signer.key_id).collect();
        Ok(attest(entries, record.content_hash, signed_by, signers, manifest, module))
    }
}

/// The parts of a package, each in its place.
struct PackageParts<'a> {
    entries: &'a [Entry<'a>],
    manifest: &'a [u8],
    signature: &'a [u8],
    module_name: &'a str,
    module: &'a [u8],
}

/// 1. The ZIP has one reading and stays within the limits.
fn check_1_archive(package: &[u8]) -> Result<Vec<Entry<'_>>, Error> {
    archive::read(package)
}

/// 2. The required entries are present, and nothing unknown is.
// [PKG-01] [PKG-02]
fn check_2_structure<'a>(entries: &'a [Entry<'a>]) -> Result<PackageParts<'a>, Error> {
    if let Some(entry) = entries.iter().find(|entry| !is_package_file(entry.name)) {
        return Err(Error::new(Code::StructureUnknown, format!("unknown entry {}", entry.name)));
    }
    let required = |name: &str| {
        let entry = entries.iter().find(|entry| entry.name == name);
        entry
            .map(|entry| entry.content.as_ref())
            .ok_or_else(|| Error::new(Code::StructureMissing, format!("the package has no {name}")))
    };
    let (manifest, signature) = (required(MANIFEST_ENTRY)?, required(SIGNATURE_ENTRY)?);
    let mut modules = entries.iter().filter(|entry| is_module_entry(entry.name));
    let Some(module) = modules.next() else {
        return Err(Error::new(Code::StructureMissing, "the package has no .wasm module"));
    };
    if let Some(second) = modules.next() {
        return Err(Error::new(Code::StructureUnknown, format!("second module {}", second.name)));
    }
    let (module_name, module) = (module.name, module.content.as_ref());
    Ok(PackageParts { entries, manifest, signature, module_name, module })
}

/// 3. The hash of the listing is the recorded one.
// [HASH-03]
fn check_3_content(parts: &PackageParts<'_>) -> Result<SignatureFile, Error> {
    let record = SignatureFile::parse(parts.signature)?;
    let contents = parts.entries.iter().map(|entry| (entry.name, entry.content.as_ref()));
    let found = ContentHash::of_listing(&listing(contents));
    if found != record.content_hash {
        let detail = format!("contents with hash {found}, signed was {}", record.content_hash);
        return Err(Error::new(Code::ContentHash, detail));
    }
    Ok(record)
}

/// 4. Every signature verifies over that hash.
fn check_4_signature(record: &SignatureFile) -> Result<Vec<Signer>, Error> {
    record.verify()
}

/// 5. Neither contents nor signers are revoked, and enough signers are trusted now.
fn check_5_publisher(
    gatekeeper: &Gatekeeper,
    record: &SignatureFile,
    signed_by: &[Signer],
) -> Result<Vec<TrustedSigner>, Error> {
    let keys: Vec<_> = signed_by.iter().map(|signer| signer.key_id.clone()).collect();
    let Gatekeeper { trust, signers_required, now } = gatekeeper;
    trust.evaluate_signers(&keys, &record.content_hash, *now, *signers_required)
}

/// 6. The manifest follows its schema and its rules, and the signer may publish under its id.
fn check_6_manifest(
    trust: &TrustStore,
    parts: &PackageParts<'_>,
    signers: &[TrustedSigner],
) -> Result<Manifest, Error> {
    let manifest = read_manifest(parts)?;
    check_id_and_version(trust, &manifest, signers)?;
    Ok(manifest)
}

/// What check 6 asks of the manifest and this host's trust store.
fn check_id_and_version(
    trust: &TrustStore,
    manifest: &Manifest,
    signers: &[TrustedSigner],
) -> Result<(), Error> {
    // [GATE-05]
    if !signers.iter().any(|signer| signer.may_publish(&manifest.id)) {
        let names: Vec<_> = signers.iter().map(TrustedSigner::publisher).collect();
        let detail = format!("id {} outside the namespaces of {}", manifest.id, names.join(", "));
        return Err(Error::new(Code::ManifestNamespace, detail));
    }
    // [GATE-06]
    if let Some(seen) =
        trust.highest_version_seen(&manifest.id).filter(|seen| *seen > manifest.version)
    {
        let detail = format!("{} {} behind {seen}", manifest.id, manifest.version);
        return Err(Error::new(Code::ManifestDowngrade, detail));
    }
    Ok(())
}

/// What check 6 asks of the manifest alone.
fn read_manifest(parts: &PackageParts<'_>) -> Result<Manifest, Error> {
    let manifest = Manifest::parse(parts.manifest)?;
    // [GATE-03]
    if manifest.runtime.entry != parts.module_name {
        let (entry, module) = (&manifest.runtime.entry, parts.module_name);
        let detail = format!("`runtime.entry` is {entry}, the module is {module}");
        return Err(Error::new(Code::ManifestEntry, detail));
    }
    // [GATE-04]
    let filters = &manifest.privacy_filters;
    privacy::check_patterns(&filters.patterns, &filters.custom)
        .map_err(|error| Error::new(Code::ManifestPattern, error.detail()))?;
    Ok(manifest)
}

/// 7. The module is valid, within the limits, and imports only what exists and was declared.
fn check_7_module(parts: &PackageParts<'_>, manifest: &Manifest) -> Result<Module, Error> {
    Module::check(parts.module, manifest)
}

fn attest(
    entries: Vec<Entry<'_>>,
    content_hash: ContentHash,
    signed_by: Vec<KeyId>,
    signers: Vec<TrustedSigner>,
    manifest: Manifest,
    module: Module,
) -> AttestationResult {
    let manifest = verified(Arc::new(manifest), &content_hash, &signers);
    let assets = entries.into_iter().filter_map(|entry| {
        let path = entry.name.strip_prefix(ASSETS_FOLDER)?;
        Some((path.to_owned(), entry.content.into_owned()))
    });
    let wasm_binary =
        WasmBinary { module, assets: Arc::new(assets.collect()), manifest: manifest.clone() };
    AttestationResult { manifest, wasm_binary, content_hash, signers, signed_by }
}

/// The manifest with the publisher's key and the names of the trusted signers, each once. The publisher is the
/// first signer who may publish this id; an approver need not be one.
fn verified(
    manifest: Arc<Manifest>,
    content_hash: &ContentHash,
    signers: &[TrustedSigner],
) -> VerifiedManifest {
    let (publishers, approvers): (Vec<_>, Vec<_>) =
        signers.iter().partition(|signer| signer.may_publish(&manifest.id));
    let mut names: Vec<String> = Vec::new();
    for signer in publishers.iter().chain(&approvers) {
        if !names.iter().any(|name| name == signer.publisher()) {
            names.push(signer.publisher().to_owned());
        }
    }
    VerifiedManifest {
        manifest,
        content_hash: content_hash.clone(),
        signed_by: names.into(),
        publisher_key: publishers.first().map(|signer| signer.key_id().clone()),
    }
}

/// A manifest out of a package that passed all seven checks. Reads like a [`Manifest`].
///
/// Only the Gatekeeper can make or change one, so a policy decision is always about what was signed:
///
/// ```compile_fail,E0308
/// # fn any() -> mpp::Manifest { todo!() }
/// let unsigned: mpp::Manifest = any();
/// mpp::PermissionPolicy::new().evaluate(&unsigned);
/// ```
///
/// ```compile_fail,E0594
/// # fn any() -> mpp::AttestationResult { todo!() }
/// let mut attestation = any();
/// attestation.manifest.runtime.fuel = u64::MAX;
/// ```
#[derive(Clone, Debug)]
pub struct VerifiedManifest {
    manifest: Arc<Manifest>,
    content_hash: ContentHash,
    signed_by: Arc<[String]>,
    publisher_key: Option<KeyId>,
}

impl Deref for VerifiedManifest {
    type Target = Manifest;
    fn deref(&self) -> &Manifest {
        &self.manifest
    }
}

impl VerifiedManifest {
    /// The identity of the package that the manifest came from.
    pub fn content_hash(&self) -> &ContentHash {
        &self.content_hash
    }

    /// The name of its publisher, as the trust store gives it: the first trusted signer who may publish
    /// under its id.
    pub fn publisher(&self) -> &str {
        self.signed_by.first().map_or("", String::as_str)
    }

    /// The key by which that publisher signed it.
    pub fn publisher_key(&self) -> Option<&KeyId> {
        self.publisher_key.as_ref()
    }

    /// The names of all trusted publishers that signed it, each once, its own first: an author, an
    /// approver.
    pub fn signed_by(&self) -> &[String] {
        &self.signed_by
    }
}

/// The module and assets of a package that passed all seven checks: all that the sandbox accepts.
///
/// ```compile_fail,E0308
/// # fn any() -> mpp::SandboxConfig { todo!() }
/// let module: Vec<u8> = std::fs::read("tool.wasm").unwrap();
/// mpp::WasmSandbox::new().unwrap().execute(&module, any());
/// ```
#[derive(Clone, Debug)]
pub struct WasmBinary {
    module: Module,
    assets: Arc<BTreeMap<String, Vec<u8>>>,
    manifest: VerifiedManifest,
}

impl WasmBinary {
    /// The compiled module.
    pub(in crate::kernel) fn module(&self) -> &Module {
        &self.module
    }

    /// Contents of `assets/`, by the path below that folder (`db/shop.sqlite`).
    pub(in crate::kernel) fn assets(&self) -> &Arc<BTreeMap<String, Vec<u8>>> {
        &self.assets
    }

    /// The manifest it was signed with.
    pub(in crate::kernel) fn manifest(&self) -> &VerifiedManifest {
        &self.manifest
    }
}

/// What can be said of a package without trusting anyone: it is not refused for its publisher, and it
/// can't be run. For `mpp inspect` and for authors.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Inspection {
    /// The package's identity, signed by all of `signed_by`.
    pub content_hash: ContentHash,
    /// Whoever signed. Nobody has said that they can be trusted.
    pub signed_by: Vec<Signer>,
    /// What the package says about itself.
    pub manifest: Manifest,
    /// What the module imports, as `module.name`, sorted.
    pub imports: Vec<String>,
    /// Name and size in bytes of every entry, by name.
    pub entries: Vec<(String, usize)>,
}

/// All checks but the fifth, and of the sixth what needs no trust store.
///
/// # Errors
/// The code of the check that failed.
// [GATE-07]
pub fn inspect(package: &[u8]) -> Result<Inspection, Error> {
    let entries = check_1_archive(package)?;
    let parts = check_2_structure(&entries)?;
    let record = check_3_content(&parts)?;
    let signed_by = check_4_signature(&record)?;
    let manifest = read_manifest(&parts)?;
    let module = check_7_module(&parts, &manifest)?;
    let entries = entries.iter().map(|entry| (entry.name.to_owned(), entry.content.len()));
    Ok(Inspection {
        content_hash: record.content_hash,
        signed_by,
        imports: module.imports(),
        manifest,
        entries: entries.collect(),
    })
}
