//! `registries.json` of the home directory: which registry is asked for which package ids.

use super::layout::Layout;
use super::reference::Reference;
use super::{refused, rows_of, transfer};
use mpp::gatekeeper::AttestationResult;
use mpp::package::version::Version;
use mpp::trust::namespace_contains;
use mpp::{names, Code, Error};
use serde_json::Value;
use std::path::Path;

pub const FILE_NAME: &str = "registries.json";
const FORMAT: &str = "mpp-registries/1";

/// A registry with one repository or layout for each package, named by its id.
#[derive(Clone, Debug)]
pub struct Registry {
    pub name: String,
    from: String,
    namespaces: Vec<String>,
    /// Names in the trust store; a package has to be signed by one of them.
    publishers: Vec<String>,
    plain_http: bool,
}

/// A package that a registry gave, and how `mpp install` would name it.
pub struct Found {
    pub registry: Registry,
    pub reference: String,
    pub package: Vec<u8>,
}

/// Reads the registries in their order; none if the file does not exist.
///
/// # Errors
/// `registry.invalid`, `host.file`.
// [REG-11]
pub fn read(home: &Path) -> Result<Vec<Registry>, Error> {
    let path = home.join(FILE_NAME);
    let rows = rows_of(&path, FORMAT, "registries", Code::RegistryInvalid)?.unwrap_or_default();
    let invalid =
        |what: String| refused(Code::RegistryInvalid, format!("{}: {what}", path.display()));
    let mut registries: Vec<Registry> = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        let registry =
            registry(row).ok_or_else(|| invalid(format!("registries[{number}] is not one")))?;
        if registries.iter().any(|other| other.name == registry.name) {
            return Err(invalid(format!("{:?} twice", registry.name)));
        }
        registries.push(registry);
    }
    Ok(registries)
}

/// Reads one row; every member but `plain_http` is required.
fn registry(row: &Value) -> Option<Registry> {
    let members = row.as_object()?;
    let text = |name: &str| row.get(name)?.as_str().map(str::to_owned);
    let list = |name: &str, is_one: &dyn Fn(&str) -> bool| -> Option<Vec<String>> {
        let items = row.get(name)?.as_array().filter(|items| !items.is_empty())?;
        items.iter().map(|item| item.as_str().filter(|it| is_one(it)).map(str::to_owned)).collect()
    };
    let plain_http = match row.get("plain_http") {
        None => false,
        Some(value) => value.as_bool()?,
    };
    let registry = Registry {
        name: text("name").filter(|name| names::is_visible_line(name))?,
        from: text("from").filter(|from| matches!(Reference::parse(from), Some(Ok(_))))?,
        namespaces: list("namespaces", &names::is_namespace)?,
        publishers: list("publishers", &names::is_visible_line)?,
        plain_http,
    };
    let count = if row.get("plain_http").is_some() { 5 } else { 4 };
    (members.len() == count).then_some(registry)
}

/// Splits `ID` or `ID@VERSION`; `None` for any other text.
pub fn wanted(text: &str) -> Option<(&str, Option<Version>)> {
    let (id, version) = match text.split_once('@') {
        Some((id, version)) => (id, Some(Version::parse(version)?)),
        None => (text, None),
    };
    names::is_id(id).then_some((id, version))
}

/// Returns whether a registry is for this id.
///
/// # Errors
/// As [`read`].
pub fn is_any_for(home: &Path, id: &str) -> Result<bool, Error> {
    Ok(read(home)?.iter().any(|registry| registry.is_for(id)))
}

/// Asks the registries that are for an id, in their order, until one has it; without a version, for its highest one.
///
/// # Errors
/// `registry.not_found`: none has it. Any other error ends the search: a registry that fails hides nothing behind it.
// [REG-12]
pub fn find(home: &Path, id: &str, version: Option<&Version>) -> Result<Found, Error> {
    let registries: Vec<Registry> = read(home)?.into_iter().filter(|it| it.is_for(id)).collect();
    for registry in &registries {
        if let Some(tag) = registry.tag_of(id, version)? {
            let reference = format!("{}/{id}:{tag}", registry.from);
            let package = match Reference::parse(&reference) {
                Some(Ok(Reference::Layout { directory, tag })) => {
                    Layout::open(&directory)?.package(tag.as_deref())?
                }
                Some(Ok(Reference::Remote(remote))) => {
                    transfer::fetch(&remote, registry.plain_http, |layout| layout.package(None))?
                }
                Some(Err(error)) => return Err(error),
                None => continue,
            };
            return Ok(Found { registry: registry.clone(), reference, package });
        }
    }
    let names: Vec<&str> = registries.iter().map(|registry| registry.name.as_str()).collect();
    let detail = match names.is_empty() {
        true => format!("no registry in {} is for {id}", home.join(FILE_NAME).display()),
        false => format!("{id} is not in {}", names.join(", ")),
    };
    Err(refused(Code::RegistryNotFound, detail))
}

impl Registry {
    fn is_for(&self, id: &str) -> bool {
        self.namespaces.iter().any(|namespace| namespace_contains(namespace, id))
    }

    /// Returns the tag of this version, or of the highest one, if the registry has it.
    fn tag_of(&self, id: &str, version: Option<&Version>) -> Result<Option<String>, Error> {
        let tags = match Reference::parse(&format!("{}/{id}", self.from)) {
            Some(Ok(Reference::Layout { directory, .. })) => match Layout::open(&directory) {
                Err(error) if error.code() == Code::RegistryNotFound => return Ok(None),
                layout => layout?.entries()?.into_iter().filter_map(|entry| entry.tag).collect(),
            },
            Some(Ok(Reference::Remote(remote))) => transfer::tags(&remote, self.plain_http)?,
            Some(Err(error)) => return Err(error),
            None => Vec::new(),
        };
        let versions = tags.into_iter().filter_map(|tag| Some((Version::parse(&tag)?, tag)));
        let found = versions.filter(|(found, _)| version.is_none_or(|version| version == found));
        Ok(found.max().map(|(_, tag)| tag))
    }

    /// Checks that a verified package is the one that was asked for, by a publisher of this registry.
    ///
    /// # Errors
    /// `registry.mismatch`, `registry.publisher`.
    // [REG-13]
    pub fn check(&self, id: &str, package: &AttestationResult) -> Result<(), Error> {
        if package.manifest.id != id {
            let detail = format!("{} gave {} for {id}", self.name, package.manifest.id);
            return Err(refused(Code::RegistryMismatch, detail));
        }
        let signers = package.manifest.signer_names();
        if signers.iter().any(|name| self.publishers.contains(name)) {
            return Ok(());
        }
        let detail =
            format!("{id} of {} is signed by {signers:?}, not by {:?}", self.name, self.publishers);
        Err(refused(Code::RegistryPublisher, detail))
    }
}
