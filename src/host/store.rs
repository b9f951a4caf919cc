//! Room: installed packages. Files by content hash in a folder, and one index that says which of them
//! are installed.
//!
//! A package's file is on the disk before the index names it, and goes after the index has forgotten
//! it; the index changes in one step under a lock. So a crash at any moment leaves the old state or the
//! new one, and perhaps a file that nothing names, which the next change clears away.
//!
//! The index says what an agent may be shown. It is no proof: whoever runs a package reads the file and
//! has the Gatekeeper verify it.

use crate::host::home;
use crate::host::json_file;
use crate::host::system::PackageSource;
use crate::kernel::document::{keyed, list, object, text, Document, FromJson};
use crate::kernel::encoding::unhex;
use crate::kernel::error::{Code, Error};
use crate::kernel::gatekeeper::AttestationResult;
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
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const INDEX_NAME: &str = "installed.json";
const FOLDER_NAME: &str = "packages";
/// Of each package the package itself and, apart, its manifest.
const ENDINGS: [&str; 2] = ["mpp", "json"];

/// The installed packages of one home folder.
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
    /// One installed package, as the index has it.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct InstalledPackage: FromJson + ToJson {
        /// Id of the package; one version of it is installed.
        pub id: String, text(names::is_id, "a package id");
        /// Its version.
        pub version: Version;
        /// Identity of its contents, and name of its file.
        pub content_hash: ContentHash;
        /// Keys of its trusted signers at the time.
        pub signers: Vec<KeyId>;
        /// Names of its tools.
        pub tools: Vec<String>, list(0..=usize::MAX, text(names::is_tool_name, "a tool's name"));
    }
}

object! {
    /// The index: which packages are installed, by id.
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
    /// The store in this home folder, which need not exist yet.
    pub fn new(home: &Path) -> Self {
        PackageStore { home: home.to_owned() }
    }

    /// What is installed, by id in ascending order.
    ///
    /// # Errors
    /// `host.file`, `store.invalid`.
    pub fn installed(&self) -> Result<Vec<InstalledPackage>, Error> {
        let index: Index = json_file::load(&self.index())?.unwrap_or_default();
        Ok(index.packages.into_values().collect())
    }

    /// The installed package of this id.
    ///
    /// # Errors
    /// As [`PackageStore::installed`], and `store.not_installed`.
    pub fn find(&self, id: &str) -> Result<InstalledPackage, Error> {
        let all = self.installed()?;
        all.into_iter().find(|found| found.id == id).ok_or_else(|| not_installed(id))
    }

    /// The manifest of an installed package as it was when it was verified: for lists, not for running.
    ///
    /// # Errors
    /// `host.file`; the codes of check 6 if somebody altered it.
    pub fn manifest(&self, content_hash: &ContentHash) -> Result<Manifest, Error> {
        let path = self.file(content_hash, "json");
        let bytes = home::read_file(&path, MANIFEST_BYTES_MAX)?;
        Manifest::parse(&bytes.ok_or_else(|| missing(&path))?)
    }

    /// Installs a verified package in the place of what is installed under its id, if anything is.
    ///
    /// # Errors
    /// `store.name_collision`, `host.file`, `store.invalid`.
    // [STORE-01] [STORE-02]
    pub fn install(&self, package: &[u8], attestation: &AttestationResult) -> Result<(), Error> {
        let manifest = &attestation.manifest;
        let new = InstalledPackage {
            id: manifest.id.clone(),
            version: manifest.version.clone(),
            content_hash: attestation.content_hash.clone(),
            signers: attestation.signers.iter().map(|signer| signer.key_id().clone()).collect(),
            tools: manifest.tools.iter().map(|tool| tool.name.clone()).collect(),
        };
        self.edit(|installed| {
            installed.remove(&new.id);
            check_names(installed, &new)?;
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

    /// Changes the index, and then clears away the files that it no longer names.
    // [STORE-01]
    fn edit(
        &self,
        change: impl FnOnce(&mut BTreeMap<String, InstalledPackage>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        json_file::edit(&self.index(), |index: &mut Index| {
            // What a crash left goes first: nothing that the index names is touched.
            self.clear(index);
            change(&mut index.packages)
        })?;
        // The new index is on the disk. Another process may have changed it since, so it is read again
        // under the lock before anything is deleted.
        json_file::edit(&self.index(), |index: &mut Index| {
            self.clear(index);
            Ok(())
        })
    }

    /// Deletes those of our files in the folder that the index does not name. What can't be deleted now is
    /// in nobody's way, and goes another time.
    fn clear(&self, index: &Index) {
        let files =
            |found: &InstalledPackage| ENDINGS.map(|end| self.file(&found.content_hash, end));
        let kept: BTreeSet<PathBuf> = index.packages.values().flat_map(files).collect();
        let Ok(entries) = fs::read_dir(self.home.join(FOLDER_NAME)) else { return };
        for path in entries.flatten().map(|entry| entry.path()) {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if is_ours(name) && !kept.contains(&path) {
                let _another_time = fs::remove_file(&path);
            }
        }
    }

    fn index(&self) -> PathBuf {
        self.home.join(INDEX_NAME)
    }

    fn file(&self, content_hash: &ContentHash, ending: &str) -> PathBuf {
        let hex = content_hash.as_str().trim_start_matches("sha256:");
        self.home.join(FOLDER_NAME).join(format!("{hex}.{ending}"))
    }
}

impl PackageSource for PackageStore {
    fn read(&self, content_hash: &ContentHash) -> Result<Vec<u8>, Error> {
        let path = self.file(content_hash, "mpp");
        home::read_file(&path, ARCHIVE_BYTES_MAX)?.ok_or_else(|| missing(&path))
    }

    // [STORE-08] By the index: the file of a removed package stays if it can't be deleted.
    fn check(&self, content_hash: &ContentHash) -> Result<(), Error> {
        let mut installed = self.installed()?.into_iter();
        if !installed.any(|found| found.content_hash == *content_hash) {
            let what =
                "the package was removed or replaced; a running server has to be started anew";
            return Err(Error::new(Code::StoreNotInstalled, what));
        }
        let path = self.file(content_hash, "mpp");
        path.exists().then_some(()).ok_or_else(|| missing(&path))
    }
}

/// The manifest of a package that was verified.
fn manifest_of(package: &[u8]) -> Result<Vec<u8>, Error> {
    let entries = archive::read(package)?;
    let found = entries.into_iter().find(|entry| entry.name == MANIFEST_ENTRY);
    let missing = || Error::new(Code::StructureMissing, "the package has no manifest.json");
    found.map(|entry| entry.content.into_owned()).ok_or_else(missing)
}

/// Refuses a tool whose name some client would take for another's: clients fold case, and turn what is
/// neither letter nor digit into `_`.
// [STORE-02]
fn check_names(
    installed: &BTreeMap<String, InstalledPackage>,
    new: &InstalledPackage,
) -> Result<(), Error> {
    let mut taken: BTreeMap<String, (&str, &str)> = BTreeMap::new();
    for package in installed.values().chain([new]) {
        for tool in &package.tools {
            let other = taken.insert(folded(tool), (tool, &package.id));
            if let Some((other, id)) = other {
                let detail = format!("tool {tool} of {} and tool {other} of {id}", package.id);
                return Err(Error::new(Code::StoreCollision, detail));
            }
        }
    }
    Ok(())
}

fn folded(name: &str) -> String {
    let fold = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    name.chars().map(fold).collect()
}

/// Whether a file has a name that only this room gives: 64 hexadecimal digits and an ending, and `.new`
/// while it is written.
fn is_ours(name: &str) -> bool {
    let name = name.strip_suffix(".new").unwrap_or(name);
    let parts = name.split_once('.');
    parts.is_some_and(|(hex, end)| unhex::<32>(hex).is_some() && ENDINGS.contains(&end))
}

fn missing(path: &Path) -> Error {
    Error::new(Code::HostFile, format!("{} is missing", path.display()))
}

fn not_installed(id: &str) -> Error {
    Error::new(Code::StoreNotInstalled, crate::kernel::text::quote_untrusted(id))
}
