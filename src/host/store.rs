//! Package store: installed packages as files named by content hash, and an index of those installed.
//!
//! A package's file is durable before the index names it, and is deleted after the index has dropped it. The
//! index changes atomically under a lock. So a crash leaves the old state or the new one, and possibly an
//! unlisted file, which the next change deletes.
//!
//! The index only lists what an agent is shown. It is not trusted: the Gatekeeper verifies the package file
//! before it runs.

use crate::host::home;
use crate::host::json_file;
use crate::host::system_host::PackageSource;
use crate::kernel::document::{keyed, list, object, text, Document, FromJson};
use crate::kernel::encoding::unhex;
use crate::kernel::error::{Code, Error};
use crate::kernel::gatekeeper::AttestationResult;
use crate::kernel::json::closed_object::{DocumentError, Field};
use crate::kernel::limits::{
    ARCHIVE_BYTES_MAX, INSTALLED_COUNT_MAX, INSTALLED_FILE_BYTES_MAX, MANIFEST_BYTES_MAX,
};
use crate::kernel::names;
use crate::kernel::package::archive;
use crate::kernel::package::content_hash::ContentHash;
use crate::kernel::package::key::KeyId;
use crate::kernel::package::manifest::Manifest;
use crate::kernel::package::version::Version;
use crate::kernel::package::MANIFEST_ENTRY;
use crate::kernel::policy::PermissionPolicy;
use crate::kernel::text::quote_untrusted;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const INDEX_NAME: &str = "installed.json";
const DIRECTORY_NAME: &str = "packages";
/// The extensions of the two files of a package: the package, and its manifest.
const EXTENSIONS: [&str; 2] = ["mpp", "json"];

/// The installed packages of one home directory.
///
/// ```
/// # let home = std::env::temp_dir().join(format!("mpp-store-doc-{}", std::process::id()));
/// use mpp::{store::PackageStore, Gatekeeper, Timestamp, TrustStore};
/// let package = std::fs::read("conformance/example/text_stats.mpp").unwrap();
/// let trust = TrustStore::load(std::path::Path::new("conformance/example/trust.json"))?;
/// let attestation = Gatekeeper::new(trust, Timestamp::now()).verify(&package)?;
/// let store = PackageStore::new(&home);
/// store.install(&package, &attestation)?;
/// assert_eq!(store.installed()?[0].id, attestation.manifest.id);
/// # std::fs::remove_dir_all(&home).unwrap();
/// # Ok::<(), mpp::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct PackageStore {
    home: PathBuf,
}

object! {
    /// One installed package, as listed in the index.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct InstalledPackage: FromJson + ToJson {
        /// The package's id; one version of it is installed.
        pub id: String, text(names::is_id, "a package id");
        /// The version.
        pub version: Version;
        /// The content hash, which also names its files.
        pub content_hash: ContentHash;
        /// The keys of its trusted signers at the time of the installation.
        pub signers: Vec<KeyId>;
        /// The names of its tools.
        pub tools: Vec<String>, list(0..=usize::MAX, text(names::is_tool_name, "a tool's name"));
        /// The start of the names under which this host lists them.
        pub prefix: Option<String> = None, |place| read_prefix(place, &tools);
    }
}

impl InstalledPackage {
    /// Returns the name under which this host lists a tool of the package: by the policy, else with the prefix.
    // [STORE-10] [POLICY-24]
    pub fn listed_name(&self, tool: &str, policy: &PermissionPolicy) -> String {
        let prefixed = || format!("{}{tool}", self.prefix.as_deref().unwrap_or_default());
        policy.listed_name(&self.id, tool).map_or_else(prefixed, str::to_owned)
    }

    /// Returns the tool's own name for its own or its listed one.
    pub fn own_name(&self, name: &str, policy: &PermissionPolicy) -> Option<&str> {
        let own = self.tools.iter().find(|tool| *tool == name);
        let listed = || self.tools.iter().find(|tool| self.listed_name(tool, policy) == name);
        own.or_else(listed).map(String::as_str)
    }
}

/// Returns `true` for a prefix with which each name of a tool is still one.
// [STORE-10]
fn is_prefix(prefix: &str, tools: &[String]) -> bool {
    let fits = |tool: &String| names::is_tool_name(&format!("{prefix}{tool}"));
    names::is_tool_name(prefix) && tools.iter().all(fits)
}

fn read_prefix(place: &Field, tools: &[String]) -> Result<Option<String>, DocumentError> {
    let read = |text: &str| is_prefix(text, tools).then(|| Some(text.to_owned()));
    place.parsed("the start of a tool's name", read)
}

object! {
    /// The index: the installed packages by id.
    // [STORE-03]
    #[derive(Default)]
    struct Index: FromJson + ToJson {
        packages: BTreeMap<String, InstalledPackage>,
            keyed(0..=INSTALLED_COUNT_MAX, InstalledPackage::read, |package| package.id.clone());
    }
}

impl Document for Index {
    const FORMAT: &'static str = "mpp-installed/1";
    const BYTES_MAX: usize = INSTALLED_FILE_BYTES_MAX;
    const INVALID: Code = Code::StoreInvalid;
}

impl PackageStore {
    /// Returns the store in this home directory, which need not exist yet.
    pub fn new(home: &Path) -> Self {
        PackageStore { home: home.to_owned() }
    }

    /// Lists the installed packages by id, in ascending order.
    ///
    /// # Errors
    /// `host.file`, `store.invalid`.
    pub fn installed(&self) -> Result<Vec<InstalledPackage>, Error> {
        let index: Index = json_file::load(&self.index())?.unwrap_or_default();
        Ok(index.packages.into_values().collect())
    }

    /// Finds the installed package of an id.
    ///
    /// # Errors
    /// As [`PackageStore::installed`], and `store.not_installed`.
    pub fn find(&self, id: &str) -> Result<InstalledPackage, Error> {
        let all = self.installed()?;
        all.into_iter().find(|found| found.id == id).ok_or_else(|| not_installed(id))
    }

    /// Reads the manifest that an installed package had when it was verified. For lists, not for running.
    ///
    /// # Errors
    /// `host.file`; the codes of check 6 if the file was modified.
    pub fn manifest(&self, content_hash: &ContentHash) -> Result<Manifest, Error> {
        let path = self.file(content_hash, "json");
        let bytes = home::read_file(&path, MANIFEST_BYTES_MAX)?;
        Manifest::parse(&bytes.ok_or_else(|| missing(&path))?)
    }

    /// Installs a verified package, in place of the installed package of the same id, if any, whose prefix it
    /// keeps.
    ///
    /// # Errors
    /// `store.name_collision`, `store.prefix`, `host.file`, `store.invalid`.
    pub fn install(&self, package: &[u8], attestation: &AttestationResult) -> Result<(), Error> {
        self.install_with_prefix(package, attestation, None)
    }

    /// Installs a verified package, and lists its tools with a prefix; without one if it is empty, and as
    /// before if it is `None`.
    ///
    /// # Errors
    /// As [`PackageStore::install`].
    // [STORE-01] [STORE-02] [STORE-10]
    pub fn install_with_prefix(
        &self,
        package: &[u8],
        attestation: &AttestationResult,
        prefix: Option<&str>,
    ) -> Result<(), Error> {
        let manifest = &attestation.manifest;
        let mut new = InstalledPackage {
            id: manifest.id.clone(),
            version: manifest.version.clone(),
            content_hash: attestation.content_hash.clone(),
            signers: attestation.signers.iter().map(|signer| signer.key_id().clone()).collect(),
            tools: manifest.tools.iter().map(|tool| tool.name.clone()).collect(),
            prefix: prefix.map(str::to_owned),
        };
        self.edit(|installed| {
            let old = installed.remove(&new.id);
            new.prefix = new.prefix.or(old.and_then(|old| old.prefix)).filter(|it| !it.is_empty());
            if let Some(prefix) = new.prefix.as_ref().filter(|it| !is_prefix(it, &new.tools)) {
                let detail = format!(
                    "{} of {} with prefix {}",
                    new.tools.join(", "),
                    new.id,
                    quote_untrusted(prefix)
                );
                return Err(Error::new(Code::StorePrefix, detail));
            }
            check_tool_names(installed, &new)?;
            home::write_file(&self.file(&new.content_hash, "mpp"), package)?;
            home::write_file(&self.file(&new.content_hash, "json"), &manifest_of(package)?)?;
            installed.insert(new.id.clone(), new);
            Ok(())
        })
    }

    /// Removes a package.
    ///
    /// # Errors
    /// `store.not_installed`, `host.file`, `store.invalid`.
    pub fn remove(&self, id: &str) -> Result<(), Error> {
        self.edit(|installed| match installed.remove(id) {
            Some(_) => Ok(()),
            None => Err(not_installed(id)),
        })
    }

    /// Changes the index, and then deletes the files that it no longer lists.
    // [STORE-01]
    fn edit(
        &self,
        change: impl FnOnce(&mut BTreeMap<String, InstalledPackage>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        json_file::edit(&self.index(), |index: &mut Index| {
            // First delete what a crash left; no file that the index lists is touched.
            self.remove_unlisted(index);
            change(&mut index.packages)
        })?;
        // The new index is durable. Another process may have changed it since, so it is read again under the
        // lock before any file is deleted.
        json_file::edit(&self.index(), |index: &mut Index| {
            self.remove_unlisted(index);
            Ok(())
        })
    }

    /// Deletes the package files that the index does not list. Best effort: the next change tries again.
    fn remove_unlisted(&self, index: &Index) {
        let files = |found: &InstalledPackage| {
            EXTENSIONS.map(|extension| self.file(&found.content_hash, extension))
        };
        let listed: BTreeSet<PathBuf> = index.packages.values().flat_map(files).collect();
        let Ok(entries) = fs::read_dir(self.home.join(DIRECTORY_NAME)) else { return };
        for path in entries.flatten().map(|entry| entry.path()) {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if is_package_file_name(name) && !listed.contains(&path) {
                let _ = fs::remove_file(&path);
            }
        }
    }

    fn index(&self) -> PathBuf {
        self.home.join(INDEX_NAME)
    }

    fn file(&self, content_hash: &ContentHash, extension: &str) -> PathBuf {
        let hex = content_hash.as_str().trim_start_matches("sha256:");
        self.home.join(DIRECTORY_NAME).join(format!("{hex}.{extension}"))
    }
}

impl PackageSource for PackageStore {
    fn read(&self, content_hash: &ContentHash) -> Result<Vec<u8>, Error> {
        let path = self.file(content_hash, "mpp");
        home::read_file(&path, ARCHIVE_BYTES_MAX)?.ok_or_else(|| missing(&path))
    }

    // [STORE-08] The index decides: the file of a removed package stays if it cannot be deleted.
    fn check(&self, content_hash: &ContentHash) -> Result<(), Error> {
        let mut installed = self.installed()?.into_iter();
        if !installed.any(|found| found.content_hash == *content_hash) {
            let what = format!("package {content_hash} was removed or replaced");
            return Err(Error::new(Code::StoreNotInstalled, what));
        }
        let path = self.file(content_hash, "mpp");
        path.exists().then_some(()).ok_or_else(|| missing(&path))
    }
}

/// Extracts the manifest of a verified package.
fn manifest_of(package: &[u8]) -> Result<Vec<u8>, Error> {
    let entries = archive::read(package)?;
    let found = entries.into_iter().find(|entry| entry.name == MANIFEST_ENTRY);
    let missing = || Error::new(Code::StructureMissing, "the package has no manifest.json");
    found.map(|entry| entry.content.into_owned()).ok_or_else(missing)
}

/// Refuses a tool whose listed name some client would confuse with another. The policy's names are not known here.
// [STORE-02]
fn check_tool_names(
    installed: &BTreeMap<String, InstalledPackage>,
    new: &InstalledPackage,
) -> Result<(), Error> {
    let mut taken: BTreeMap<String, (&str, &str)> = BTreeMap::new();
    for package in installed.values().chain([new]) {
        for tool in &package.tools {
            let listed = package.listed_name(tool, &PermissionPolicy::new());
            let other = taken.insert(names::fold_tool_name(&listed), (tool, &package.id));
            if let Some((other, id)) = other {
                let detail = format!("tool {tool} of {} and tool {other} of {id}", package.id);
                return Err(Error::new(Code::StoreCollision, detail));
            }
        }
    }
    Ok(())
}

/// Returns `true` for a name that only this module uses: 64 hexadecimal digits and an extension, and `.new`
/// while the file is being written.
fn is_package_file_name(name: &str) -> bool {
    let name = name.strip_suffix(".new").unwrap_or(name);
    let parts = name.split_once('.');
    parts.is_some_and(|(hex, end)| unhex::<32>(hex).is_some() && EXTENSIONS.contains(&end))
}

fn missing(path: &Path) -> Error {
    Error::new(
        Code::HostFile,
        format!("{} is missing: install its package again with `mpp install FILE`", path.display()),
    )
}

fn not_installed(id: &str) -> Error {
    let id = quote_untrusted(id);
    Error::new(Code::StoreNotInstalled, format!("no package {id} is installed"))
}
