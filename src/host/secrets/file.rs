//! File secret store: `secrets.json` in the home directory, readable only by its owner.

use super::{check_name, is_name, SecretStore, SecretValue};
use crate::host::{home, json_file};
use crate::kernel::document::{object, Document, FromJson, ToJson};
use crate::kernel::error::{Code, Error};
use crate::kernel::json::closed_object::{DocumentError, Field};
use crate::kernel::limits::{SECRETS_COUNT_MAX, SECRETS_FILE_BYTES_MAX};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const FILE_NAME: &str = "secrets.json";

object! {
    #[derive(Default)]
    struct Contents: FromJson + ToJson {
        secrets: Values;
    }
}

impl Document for Contents {
    const FORMAT: &'static str = "mpp-secrets/1";
    const BYTES_MAX: usize = SECRETS_FILE_BYTES_MAX;
    const INVALID: Code = Code::SecretInvalid;
    // [SECRET-10]
    const SECRET: bool = true;
}

/// An object with a member for each secret.
#[derive(Default)]
struct Values(BTreeMap<String, SecretValue>);

impl FromJson for Values {
    fn read(place: &Field) -> Result<Self, DocumentError> {
        let secret = |(name, value): (&String, &Value)| {
            let place = place.child(name, value);
            place.check(is_name(name), "is not a valid secret name")?;
            let value = place.parsed("a value", |text| SecretValue::parse(text).ok())?;
            Ok((name.clone(), value))
        };
        let members = place.members()?;
        let what = format!("has {} secrets, limit {SECRETS_COUNT_MAX}", members.len());
        place.check(members.len() <= SECRETS_COUNT_MAX, &what)?;
        members.iter().map(secret).collect::<Result<_, _>>().map(Values)
    }
}

impl ToJson for Values {
    fn write(&self) -> Value {
        self.0.iter().map(|(name, value)| (name.clone(), Value::from(value.reveal()))).collect()
    }
}

/// The secrets that `mpp secret` manages.
#[derive(Clone, Debug)]
pub struct FileSecretStore {
    path: PathBuf,
}

impl FileSecretStore {
    /// Returns the store of a home directory; its file may be absent.
    pub fn new(home: &Path) -> Self {
        FileSecretStore { path: home.join(FILE_NAME) }
    }

    /// Stores a value. Returns `true` if it replaced another value of this name.
    ///
    /// # Errors
    /// `secret.invalid`, `secret.exposed`, `host.file`.
    pub fn set(&self, name: &str, value: SecretValue) -> Result<bool, Error> {
        check_name(name)?;
        self.edit(|values| {
            let replaced = values.insert(name.to_owned(), value).is_some();
            match values.len() > SECRETS_COUNT_MAX {
                true => {
                    let detail = format!("{} secrets, limit {SECRETS_COUNT_MAX}", values.len());
                    Err(Error::new(Code::SecretInvalid, detail))
                }
                false => Ok(replaced),
            }
        })
    }

    /// Deletes a value.
    ///
    /// # Errors
    /// `secret.missing`, and as [`FileSecretStore::set`].
    pub fn remove(&self, name: &str) -> Result<(), Error> {
        check_name(name)?;
        self.edit(|values| match values.remove(name) {
            Some(_) => Ok(()),
            None => Err(Error::new(Code::SecretMissing, format!("no secret {name}"))),
        })
    }

    /// Returns the names, in ascending order.
    ///
    /// # Errors
    /// `secret.invalid`, `secret.exposed`, `host.file`.
    pub fn names(&self) -> Result<Vec<String>, Error> {
        Ok(self.read()?.into_keys().collect())
    }

    fn read(&self) -> Result<BTreeMap<String, SecretValue>, Error> {
        self.check_mode()?;
        let contents: Contents = json_file::load(&self.path)?.unwrap_or_default();
        Ok(contents.secrets.0)
    }

    fn edit<T>(
        &self,
        change: impl FnOnce(&mut BTreeMap<String, SecretValue>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.check_mode()?;
        json_file::edit(&self.path, |contents: &mut Contents| change(&mut contents.secrets.0))
    }

    /// Refuses a file that other users can access: its values must be considered compromised.
    // [SECRET-11]
    fn check_mode(&self) -> Result<(), Error> {
        if home::has_mode(&self.path, 0o077) {
            let detail = format!("{} is accessible to other users", self.path.display());
            return Err(Error::new(Code::SecretExposed, detail));
        }
        Ok(())
    }
}

impl SecretStore for FileSecretStore {
    fn value(&self, name: &str) -> Result<Option<SecretValue>, Error> {
        check_name(name)?;
        Ok(self.read()?.remove(name))
    }
}
