//! Room: secrets in a file of the home folder, which its owner alone can read.

use super::{check_name, SecretStore, SecretValue};
use crate::error::{Code, Error};
use crate::home;
use crate::host_file::{parsed, read_document};
use crate::json::object::Object;
use crate::limits::{SECRETS_COUNT_MAX, SECRETS_FILE_BYTES_MAX};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const FILE_NAME: &str = "secrets.json";
const FORMAT: &str = "mpp-secrets/1";

type Values = BTreeMap<String, SecretValue>;

/// The secrets that `mpp secret` keeps.
#[derive(Clone, Debug)]
pub struct SecretFile {
    path: PathBuf,
}

impl SecretFile {
    /// The secrets of a home folder. There need be none yet.
    #[must_use]
    pub fn new(home: &Path) -> Self {
        SecretFile { path: home.join(FILE_NAME) }
    }

    /// Keeps a value. Whether there was another of this name.
    ///
    /// # Errors
    /// `secret.invalid`, `secret.exposed`, `host.file`.
    pub fn set(&self, name: &str, value: SecretValue) -> Result<bool, Error> {
        check_name(name)?;
        self.edit(|values| {
            let replaced = values.insert(name.to_owned(), value).is_some();
            match values.len() > SECRETS_COUNT_MAX {
                true => {
                    let detail = format!("more than {SECRETS_COUNT_MAX} secrets");
                    Err(Error::new(Code::SecretInvalid, detail))
                }
                false => Ok(replaced),
            }
        })
    }

    /// Forgets a value.
    ///
    /// # Errors
    /// `secret.missing`, and as [`SecretFile::set`].
    pub fn remove(&self, name: &str) -> Result<(), Error> {
        check_name(name)?;
        self.edit(|values| match values.remove(name) {
            Some(_) => Ok(()),
            None => Err(Error::new(Code::SecretMissing, format!("no secret {name}"))),
        })
    }

    /// The names, in order.
    ///
    /// # Errors
    /// `secret.invalid`, `secret.exposed`, `host.file`.
    pub fn names(&self) -> Result<Vec<String>, Error> {
        Ok(self.read()?.into_keys().collect())
    }

    fn read(&self) -> Result<Values, Error> {
        self.check_mode()?;
        let bytes = home::read_file(&self.path, SECRETS_FILE_BYTES_MAX)?;
        bytes.map_or(Ok(Values::new()), |bytes| self.parse(&bytes))
    }

    fn edit<T>(&self, change: impl FnOnce(&mut Values) -> Result<T, Error>) -> Result<T, Error> {
        home::edit_file(&self.path, SECRETS_FILE_BYTES_MAX, |bytes| {
            self.check_mode()?;
            let mut values = bytes.map_or(Ok(Values::new()), |bytes| self.parse(&bytes))?;
            let result = change(&mut values)?;
            let values: BTreeMap<_, _> =
                values.iter().map(|(name, value)| (name, value.reveal())).collect();
            let document = json!({ "format": FORMAT, "secrets": values });
            Ok((Some(format!("{document:#}\n").into_bytes()), result))
        })
    }

    /// What is wrong is not said in more detail: the words for it would quote what stands there.
    // [SECRET-10]
    fn parse(&self, bytes: &[u8]) -> Result<Values, Error> {
        let read = read_document(bytes, SECRETS_FILE_BYTES_MAX, Code::SecretInvalid, |root| {
            parsed(&root.required("format")?, FORMAT, |text| (text == FORMAT).then_some(()))?;
            read_values(root)
        });
        let detail = || format!("{} is no file of secrets", self.path.display());
        let values = read.map_err(|_| Error::new(Code::SecretInvalid, detail()))?;
        let names_are_names = values.keys().all(|name| super::is_name(name));
        match names_are_names && values.len() <= SECRETS_COUNT_MAX {
            true => Ok(values),
            false => Err(Error::new(Code::SecretInvalid, detail())),
        }
    }

    /// Refuses a file that others can read or write: its values have to be taken as known to them.
    // [SECRET-11]
    fn check_mode(&self) -> Result<(), Error> {
        #[cfg(unix)]
        if let Ok(found) = self.path.metadata() {
            let mode = std::os::unix::fs::PermissionsExt::mode(&found.permissions());
            if mode & 0o077 != 0 {
                let detail = format!("others have rights to {}", self.path.display());
                return Err(Error::new(Code::SecretExposed, detail));
            }
        }
        Ok(())
    }
}

fn read_values(root: &mut Object<'_>) -> Result<Values, crate::json::object::Fault> {
    let member = root.required("secrets")?;
    let mut values = Values::new();
    for (name, value) in member.members()? {
        let value = member.child(name, value);
        let parsed = parsed(&value, "a value", |text| SecretValue::parse(text).ok())?;
        values.insert(name.clone(), parsed);
    }
    Ok(values)
}

impl SecretStore for SecretFile {
    fn value(&self, name: &str) -> Result<Option<SecretValue>, Error> {
        check_name(name)?;
        Ok(self.read()?.remove(name))
    }
}
