//! The Gatekeeper: seven checks, in order, that end in an attestation result.
//!
//! ```text
//! bytes ─1 archive─► entries ─2 structure─► parts ─3 content─► hash ─4 signature─► signers
//!       ─5 publisher─► publisher ─6 manifest─► manifest ─7 module─► AttestationResult
//! ```
//!
//! Each check receives what the earlier ones have proved and returns what it proves itself. The first
//! failure is final; there is no override. No other code can make an [`AttestationResult`]: its parts
//! have private fields that only this file fills. The policy and the sandbox accept nothing else.

use crate::kernel::encoding::as_u64;
use crate::kernel::module::Module;
use crate::kernel::package::archive::{self, Entry};
use crate::kernel::package::content_hash::{checksum_list, ContentHash};
use crate::kernel::package::key::KeyId;
use crate::kernel::package::manifest::Manifest;
use crate::kernel::package::signature::{SignatureFile, Signer};
use crate::kernel::package::version::Version;
use crate::kernel::package::{
    is_module_entry, is_package_file, ASSETS_PREFIX, MANIFEST_ENTRY, SIGNATURE_ENTRY,
};
use crate::kernel::prelude::*;
use crate::kernel::privacy;
use crate::kernel::time::Timestamp;
use crate::kernel::trust::{TrustStore, TrustedSigner};
use core::ops::Deref;

/// Verifies packages against one trust store at one time.
#[derive(Clone, Debug)]
pub struct Gatekeeper {
    trust: TrustStore,
    signers_required: usize,
    now: Timestamp,
}

/// The proof that a package passed all seven checks, and what the next stages need of it.
///
/// No other code can make one:
///
/// ```compile_fail,E0451
/// fn forge(real: mpp::AttestationResult) -> mpp::AttestationResult {
///     mpp::AttestationResult { signature_key_ids: Vec::new(), ..real }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct AttestationResult {
    /// The signed manifest.
    pub manifest: VerifiedManifest,
    /// The compiled module and the assets: the only thing that the sandbox runs.
    pub wasm_binary: WasmBinary,
    /// The identity of the package.
    pub content_hash: ContentHash,
    /// The trusted signers, in the order of `signature.json`.
    pub signers: Vec<TrustedSigner>,
    /// All keys that signed the package, trusted or not.
    signature_key_ids: Vec<KeyId>,
}

impl Gatekeeper {
    /// Returns a Gatekeeper that requires one trusted signer.
    pub fn new(trust: TrustStore, now: Timestamp) -> Self {
        Gatekeeper { trust, signers_required: 1, now }
    }

    /// Requires signatures by this many trusted publishers, such as an author and an approver.
    pub fn signers_required(mut self, count: usize) -> Self {
        self.signers_required = count.max(1);
        self
    }

    /// Checks again what can change after verification: the signers against this trust store at this
    /// time, and the version against the highest one seen.
    ///
    /// # Errors
    /// The codes of check 5; `manifest.namespace`, `manifest.downgrade`.
    // [GATE-08]
    pub fn revalidate(&self, earlier: &AttestationResult) -> Result<AttestationResult, Error> {
        let AttestationResult { manifest, content_hash, signature_key_ids: key_ids, .. } = earlier;
        let Gatekeeper { trust, signers_required, now } = self;
        let signers = trust.evaluate_signers(key_ids, content_hash, *now, *signers_required)?;
        check_id_and_version(trust, manifest, &signers)?;
        let manifest = verified_manifest(Arc::clone(&manifest.manifest), content_hash, &signers);
        Ok(AttestationResult { manifest, signers, ..earlier.clone() })
    }

    /// Returns the highest version of a package that was accepted before.
    pub(in crate::kernel) fn highest_version_seen(&self, id: &str) -> Option<Version> {
        self.trust.highest_version_seen(id)
    }

    /// Runs the seven checks.
    ///
    /// # Errors
    /// The code of the check that failed.
    // [GATE-01]
    pub fn verify(&self, package: &[u8]) -> Result<AttestationResult, Error> {
        let entries = check_1_archive(package)?;
        let parts = check_2_structure(&entries)?;
        let record = check_3_content(&parts)?;
        let signers = check_4_signature(&record)?;
        let key_ids: Vec<_> = signers.into_iter().map(|signer| signer.key_id).collect();
        let signers = check_5_publisher(self, &record, &key_ids)?;
        let manifest = check_6_manifest(&self.trust, &parts, &signers)?;
        let module = check_7_module(&parts, &manifest)?;
        Ok(attest(entries, record.content_hash, key_ids, signers, manifest, module))
    }
}

impl AttestationResult {
    /// Returns `true` if there is another copy of this value, such as that of a running call.
    pub fn is_shared(&self) -> bool {
        Arc::strong_count(&self.wasm_binary.assets) > 1
    }
}

/// The entries of a package by their roles.
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
        return Err(Error::new(Code::StructureUnknown, format!("unknown entry {:?}", entry.name)));
    }
    let required = |name: &str| {
        let entry = entries.iter().find(|entry| entry.name == name);
        entry
            .map(|entry| entry.content.as_ref())
            .ok_or_else(|| Error::new(Code::StructureMissing, format!("missing entry \"{name}\"")))
    };
    let (manifest, signature) = (required(MANIFEST_ENTRY)?, required(SIGNATURE_ENTRY)?);
    let mut modules = entries.iter().filter(|entry| is_module_entry(entry.name));
    let Some(module) = modules.next() else {
        return Err(Error::new(Code::StructureMissing, "missing .wasm module"));
    };
    if let Some(second) = modules.next() {
        return Err(Error::new(Code::StructureUnknown, format!("second module {:?}", second.name)));
    }
    let (module_name, module) = (module.name, module.content.as_ref());
    Ok(PackageParts { entries, manifest, signature, module_name, module })
}

/// 3. The hash of the checksum list is the recorded one.
// [HASH-03]
fn check_3_content(parts: &PackageParts<'_>) -> Result<SignatureFile, Error> {
    let record = SignatureFile::parse(parts.signature)?;
    let contents = parts.entries.iter().map(|entry| (entry.name, entry.content.as_ref()));
    let found = ContentHash::from_checksum_list(&checksum_list(contents));
    if found != record.content_hash {
        let detail = format!("content hash is {found}, signature.json has {}", record.content_hash);
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
    key_ids: &[KeyId],
) -> Result<Vec<TrustedSigner>, Error> {
    let Gatekeeper { trust, signers_required, now } = gatekeeper;
    trust.evaluate_signers(key_ids, &record.content_hash, *now, *signers_required)
}

/// 6. The manifest follows its schema and its rules, and a signer is allowed to publish its id.
fn check_6_manifest(
    trust: &TrustStore,
    parts: &PackageParts<'_>,
    signers: &[TrustedSigner],
) -> Result<Manifest, Error> {
    let manifest = read_manifest(parts)?;
    check_id_and_version(trust, &manifest, signers)?;
    Ok(manifest)
}

/// The part of check 6 that needs the trust store.
fn check_id_and_version(
    trust: &TrustStore,
    manifest: &Manifest,
    signers: &[TrustedSigner],
) -> Result<(), Error> {
    // [GATE-05]
    if !signers.iter().any(|signer| signer.may_publish(&manifest.id)) {
        let names: Vec<_> = signers.iter().map(TrustedSigner::publisher).collect();
        let id = &manifest.id;
        let command = signers.first().map_or_else(String::new, |signer| {
            let name = signer.publisher().replace('\'', "'\\''");
            format!(": mpp trust add {} --name '{name}' --namespace {id}", signer.key_id())
        });
        let detail = format!("id {id} is outside the namespaces of {names:?}{command}");
        return Err(Error::new(Code::ManifestNamespace, detail));
    }
    trust.check_approval(signers, &manifest.id)?;
    // [GATE-06]
    if let Some(seen) =
        trust.highest_version_seen(&manifest.id).filter(|seen| *seen > manifest.version)
    {
        let detail = format!("{} {} is older than {seen}", manifest.id, manifest.version);
        return Err(Error::new(Code::ManifestDowngrade, detail));
    }
    Ok(())
}

/// The part of check 6 that needs the manifest alone.
fn read_manifest(parts: &PackageParts<'_>) -> Result<Manifest, Error> {
    let manifest = Manifest::parse(parts.manifest)?;
    // [GATE-03]
    if manifest.runtime.entry != parts.module_name {
        let (entry, module) = (&manifest.runtime.entry, parts.module_name);
        let detail = format!("`runtime.entry` is \"{entry}\", the module is \"{module}\"");
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
    Module::validate(parts.module, manifest)
}

fn attest(
    entries: Vec<Entry<'_>>,
    content_hash: ContentHash,
    signature_key_ids: Vec<KeyId>,
    signers: Vec<TrustedSigner>,
    manifest: Manifest,
    module: Module,
) -> AttestationResult {
    let manifest = verified_manifest(Arc::new(manifest), &content_hash, &signers);
    let assets = entries.into_iter().filter_map(|entry| {
        let path = entry.name.strip_prefix(ASSETS_PREFIX)?;
        Some((path.to_owned(), entry.content.into_owned()))
    });
    let wasm_binary =
        WasmBinary { module, assets: Arc::new(assets.collect()), manifest: manifest.clone() };
    AttestationResult { manifest, wasm_binary, content_hash, signers, signature_key_ids }
}

/// Adds the publisher's key and the names of the trusted signers, without duplicates. The publisher is the
/// first signer that is allowed to publish this id; an approver does not need that.
fn verified_manifest(
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
        signer_names: names.into(),
        publisher_key: publishers.first().map(|signer| signer.key_id().clone()),
    }
}

/// The manifest of a package that passed all seven checks. It dereferences to a [`Manifest`].
///
/// Only the Gatekeeper can make or change one, so a policy decides only about signed manifests:
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
    signer_names: Arc<[String]>,
    publisher_key: Option<KeyId>,
}

impl Deref for VerifiedManifest {
    type Target = Manifest;
    fn deref(&self) -> &Manifest {
        &self.manifest
    }
}

impl VerifiedManifest {
    /// Returns the identity of the package.
    pub fn content_hash(&self) -> &ContentHash {
        &self.content_hash
    }

    /// Returns the publisher's name in the trust store: the first trusted signer that is allowed to
    /// publish this id.
    pub fn publisher(&self) -> &str {
        self.signer_names.first().map_or("", String::as_str)
    }

    /// Returns the key with which the publisher signed the package.
    pub fn publisher_key(&self) -> Option<&KeyId> {
        self.publisher_key.as_ref()
    }

    /// Returns the names of all trusted publishers that signed the package, without duplicates, the
    /// publisher of this id first.
    pub fn signer_names(&self) -> &[String] {
        &self.signer_names
    }
}

/// The module and assets of a package that passed all seven checks. The sandbox accepts nothing else.
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
    /// Returns the compiled module.
    pub(in crate::kernel) fn module(&self) -> &Module {
        &self.module
    }

    /// Returns the files of `assets/`, by their paths below it (`db/shop.sqlite`).
    pub(in crate::kernel) fn assets(&self) -> &Arc<BTreeMap<String, Vec<u8>>> {
        &self.assets
    }

    /// Returns the most bytes that the module and the assets take in memory.
    pub fn memory_bytes_max(&self) -> u64 {
        let assets = self.assets.values().map(|content| as_u64(content.len()));
        assets.fold(self.module.code_bytes_max(), u64::saturating_add)
    }

    /// Returns the manifest that was signed with the module.
    pub(in crate::kernel) fn manifest(&self) -> &VerifiedManifest {
        &self.manifest
    }
}

/// What is known of a package without a trust store, for `mpp inspect` and for authors. It cannot be run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Inspection {
    /// The package's identity, with valid signatures by all of `signers`.
    pub content_hash: ContentHash,
    /// The signers. Nothing is known about the trust in their keys.
    pub signers: Vec<Signer>,
    /// The manifest.
    pub manifest: Manifest,
    /// Imports of the module, as `module.name`, sorted.
    pub imports: Vec<String>,
    /// Name and size in bytes of each entry, sorted by name.
    pub entries: Vec<(String, usize)>,
}

/// Runs all checks except the fifth, and the part of the sixth that needs no trust store.
///
/// # Errors
/// The code of the check that failed.
// [GATE-07]
pub fn inspect(package: &[u8]) -> Result<Inspection, Error> {
    let entries = check_1_archive(package)?;
    let parts = check_2_structure(&entries)?;
    let record = check_3_content(&parts)?;
    let signers = check_4_signature(&record)?;
    let manifest = read_manifest(&parts)?;
    let module = check_7_module(&parts, &manifest)?;
    let entries = entries.iter().map(|entry| (entry.name.to_owned(), entry.content.len()));
    Ok(Inspection {
        content_hash: record.content_hash,
        signers,
        imports: module.imports(),
        manifest,
        entries: entries.collect(),
    })
}
