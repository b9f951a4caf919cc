//! JSON documents whose members are each named once: a declaration gives the type, its reader and, where
//! one is needed, its writer. It reads like the table of members in a page of `spec/`.
//!
//! ```text
//! object! {
//!     /// Documentation and attributes, as of any struct.
//!     pub struct Rule: FromJson + ToJson {            // `+ ToJson` only where it is written as well
//!         pub id: String, text(is_id, "a package id");    // required, read by this rule
//!         pub version: Version;                           // required, in the form of its type
//!         pub read_only: bool = false;                    // may be absent, and is false then
//!         pub count: usize = 1, integer(1..=8);           // may be absent; where present, by the rule
//!         pub given: ValueSource => given;                      // read from several members of the object
//!     }
//! }
//! ```
//!
//! Members are read in the order of the declaration, and a rule may use those before it by their names. A
//! member that the declaration does not name is refused, and so is one that stands twice. An object whose
//! members may all be absent has a `Default`: what the empty object means.

use crate::kernel::json;
use crate::kernel::json::closed_object::{ClosedObject, DocumentError, Field};
use crate::kernel::limits::HOST_FILE_DEPTH_MAX;
use crate::kernel::prelude::*;
use core::fmt::Display;
use core::ops::RangeInclusive;
use serde_json::Value;

macro_rules! object {
    (
        $(#[$attribute:meta])*
        $visibility:vis struct $name:ident: FromJson + ToJson { $($members:tt)* }
    ) => {
        $crate::kernel::document::object! {
            $(#[$attribute])* $visibility struct $name: FromJson { $($members)* }
        }
        $crate::kernel::document::object! { @write $name $($members)* }
    };
    (
        $(#[$attribute:meta])*
        $visibility:vis struct $name:ident: FromJson { $(
            $(#[$member_attribute:meta])* $member_visibility:vis $member:ident: $type:ty
            $(= $absent:expr)? $(, $rule:expr)? $(=> $whole:expr)?;
        )* }
    ) => {
        $(#[$attribute])*
        $visibility struct $name {
            $( $(#[$member_attribute])* $member_visibility $member: $type, )*
        }
        impl $crate::kernel::document::Members for $name {
            fn members(object: &mut $crate::kernel::json::closed_object::ClosedObject<'_>)
            -> Result<Self, $crate::kernel::json::closed_object::DocumentError> {
                $( let $member: $type = $crate::kernel::document::object! {
                    @read object $member [$($absent)?] [$($rule)?] [$($whole)?]
                }; )*
                Ok($name { $($member),* })
            }
        }
        $crate::kernel::document::object! { @default $name $($member [$($absent)?])* }
    };
    (@read $object:ident $member:ident [$($absent:expr)?] [$($rule:expr)?] []) => {
        match $object.optional(stringify!($member)) {
            Some(place) => $crate::kernel::document::object! { @rule place $($rule)? }?,
            None => $crate::kernel::document::object! { @absent $object $member $($absent)? },
        }
    };
    (@read $object:ident $member:ident [$($absent:expr)?] [] [$whole:expr]) => {
        $crate::kernel::document::by(&mut *$object, $whole)?
    };
    (@rule $place:ident) => { $crate::kernel::document::FromJson::read(&$place) };
    (@rule $place:ident $rule:expr) => { $crate::kernel::document::by(&$place, $rule) };
    (@absent $object:ident $member:ident) => {
        return Err($object.missing(stringify!($member)))
    };
    (@absent $object:ident $member:ident $absent:expr) => { $absent };
    (@default $name:ident $($member:ident [$absent:expr])*) => {
        impl Default for $name {
            fn default() -> Self {
                $name { $($member: $absent),* }
            }
        }
    };
    (@default $($some_are_required:tt)*) => {};
    (@write $name:ident $(
        $(#[$member_attribute:meta])* $member_visibility:vis $member:ident: $type:ty
        $(= $absent:expr)? $(, $rule:expr)?;
    )*) => {
        impl $crate::kernel::document::ToJson for $name {
            fn write(&self) -> serde_json::Value {
                let members = [$((stringify!($member), self.$member.write())),*];
                let present = members.into_iter().filter(|(_, value)| !value.is_null());
                present.map(|(name, value)| (name.to_owned(), value)).collect()
            }
        }
    };
}
pub(crate) use object;

/// An enum of closed texts: its type, their list, and both ways between them.
macro_rules! words {
    (
        $(#[$attribute:meta])*
        $visibility:vis enum $name:ident {
            $( $(#[$variant_attribute:meta])* $variant:ident = $word:literal, )*
        }
    ) => {
        $(#[$attribute])*
        $visibility enum $name { $( $(#[$variant_attribute])* $variant, )* }
        impl $name {
            /// Each of them, in the order of the spec.
            pub const ALL: [$name; [$($word),*].len()] = [$($name::$variant),*];

            /// The text for it.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word),* }
            }

            /// What a text stands for.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($word => Some($name::$variant),)* _ => None }
            }
        }
        impl core::fmt::Display for $name {
            fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                out.write_str(self.as_str())
            }
        }
        $crate::kernel::document::text_form!($name, concat!("one of" $(, " `", $word, "`")*));
    };
}
pub(in crate::kernel) use words;

/// The JSON form of a type that has `parse` and `Display`: a text.
macro_rules! text_form {
    ($name:ident, $what:expr) => {
        impl $crate::kernel::document::FromJson for $name {
            fn read(
                place: &$crate::kernel::json::closed_object::Field<'_>,
            ) -> Result<Self, $crate::kernel::json::closed_object::DocumentError> {
                place.parsed($what, |text| $name::parse(text))
            }
        }
        impl $crate::kernel::document::ToJson for $name {
            fn write(&self) -> serde_json::Value {
                self.to_string().into()
            }
        }
    };
}
pub(in crate::kernel) use text_form;

/// A type that has one JSON form.
pub trait FromJson: Sized {
    /// Reads it.
    ///
    /// # Errors
    /// What is wrong with the value, and where.
    fn read(place: &Field) -> Result<Self, DocumentError>;
}

/// A type that is written in that form; null is a member that is left out.
pub trait ToJson {
    /// The value that reads as this.
    fn write(&self) -> Value;
}

/// A closed object, which the macro `object` declares.
pub trait Members: Sized {
    /// Takes its members.
    ///
    /// # Errors
    /// What is wrong with one, and where.
    fn members(object: &mut ClosedObject) -> Result<Self, DocumentError>;
}

impl<T: Members> FromJson for T {
    fn read(place: &Field) -> Result<Self, DocumentError> {
        place.object(T::members)
    }
}

impl FromJson for bool {
    fn read(place: &Field) -> Result<Self, DocumentError> {
        place.boolean()
    }
}

impl ToJson for bool {
    fn write(&self) -> Value {
        (*self).into()
    }
}

impl ToJson for u64 {
    fn write(&self) -> Value {
        (*self).into()
    }
}

impl FromJson for String {
    fn read(place: &Field) -> Result<Self, DocumentError> {
        place.text().map(str::to_owned)
    }
}

impl ToJson for String {
    fn write(&self) -> Value {
        self.as_str().into()
    }
}

impl<T: FromJson> FromJson for Option<T> {
    fn read(place: &Field) -> Result<Self, DocumentError> {
        T::read(place).map(Some)
    }
}

impl<T: ToJson> ToJson for Option<T> {
    fn write(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::write)
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn read(place: &Field) -> Result<Self, DocumentError> {
        place.array(0..=usize::MAX, T::read)
    }
}

impl<T: ToJson> ToJson for Vec<T> {
    fn write(&self) -> Value {
        self.iter().map(T::write).collect()
    }
}

impl<T: ToJson> ToJson for BTreeSet<T> {
    fn write(&self) -> Value {
        self.iter().map(T::write).collect()
    }
}

/// Entries that say themselves what they are about, by [`keyed`].
impl<K, T: ToJson> ToJson for BTreeMap<K, T> {
    fn write(&self) -> Value {
        self.values().map(T::write).collect()
    }
}

/// Reads a place by a rule. A function, so that the compiler knows what a closure gets.
pub fn by<P, T>(
    place: P,
    rule: impl FnOnce(P) -> Result<T, DocumentError>,
) -> Result<T, DocumentError> {
    rule(place)
}

/// The rule of a text that `allowed` allows; `what` says which those are.
pub fn text(
    allowed: impl Fn(&str) -> bool,
    what: &'static str,
) -> impl Fn(&Field) -> Result<String, DocumentError> {
    move |place| place.parsed(what, |text| allowed(text).then(|| text.to_owned()))
}

/// The rule of an integer in this range.
pub fn integer<T>(range: RangeInclusive<T>) -> impl Fn(&Field) -> Result<T, DocumentError>
where
    T: TryFrom<u64> + PartialOrd + Display + Clone,
{
    move |place| place.integer(range.clone())
}

/// The rule of a member that may be absent.
pub fn some<T>(
    rule: impl Fn(&Field) -> Result<T, DocumentError>,
) -> impl Fn(&Field) -> Result<Option<T>, DocumentError> {
    move |place| rule(place).map(Some)
}

/// The rule of a list or a set of so many items.
pub fn list<T, C: FromIterator<T>>(
    count: RangeInclusive<usize>,
    rule: impl FnMut(&Field) -> Result<T, DocumentError>,
) -> impl FnOnce(&Field) -> Result<C, DocumentError> {
    move |place| Ok(place.array(count, rule)?.into_iter().collect())
}

/// The rule of a list in which no two items are about the same thing, which is their `key`; `twice` says
/// what is wrong with a second one.
pub fn distinct<T, K: Ord>(
    count: RangeInclusive<usize>,
    mut rule: impl FnMut(&Field) -> Result<T, DocumentError>,
    key: impl Fn(&T) -> K,
    twice: &'static str,
) -> impl FnOnce(&Field) -> Result<Vec<T>, DocumentError> {
    let mut keys = BTreeSet::new();
    let mut once = move |place: &Field| {
        let item = rule(place)?;
        match keys.insert(key(&item)) {
            true => Ok(item),
            false => Err(place.bad_value(twice)),
        }
    };
    move |place| place.array(count, &mut once)
}

/// The rule of a list whose entries each say what they are about, their `key`, and no two the same.
pub fn keyed<T, K: Ord>(
    count: RangeInclusive<usize>,
    rule: impl FnMut(&Field) -> Result<T, DocumentError>,
    key: impl Fn(&T) -> K + Copy,
) -> impl FnOnce(&Field) -> Result<BTreeMap<K, T>, DocumentError> {
    let entries = distinct(count, rule, key, "is about the same as another entry");
    move |place| Ok(entries(place)?.into_iter().map(|entry| (key(&entry), entry)).collect())
}

/// A document by itself. Its member `format` says which it is, and is not part of the type.
pub trait Document: Members {
    /// The value of `format`.
    const FORMAT: &'static str;
    /// Bytes of the longest one.
    const BYTES_MAX: usize;
    /// The one reason code for whatever is wrong: one person wrote it and will mend it.
    const INVALID: Code;
    /// Whether nothing may be said of what is wrong, since it would quote what stands there.
    const SECRET: bool = false;
}

/// Reads a document. Nothing is forgiven: what one reader skipped, another would honour.
///
/// # Errors
/// [`Document::INVALID`].
pub fn parse<T: Document>(bytes: &[u8]) -> Result<T, Error> {
    let document = read_document(bytes, T::BYTES_MAX, T::INVALID, |object| {
        object.required("format")?.parsed(T::FORMAT, |text| (text == T::FORMAT).then_some(()))?;
        T::members(object)
    });
    document.map_err(|error| match T::SECRET {
        true => Error::new(T::INVALID, "not in its form, and holds what is not to be shown"),
        false => error,
    })
}

/// Parses a document of at most so many bytes and reads its root object with `read`.
pub fn read_document<T>(
    bytes: &[u8],
    bytes_max: usize,
    code: Code,
    read: impl FnOnce(&mut ClosedObject) -> Result<T, DocumentError>,
) -> Result<T, Error> {
    if bytes.len() > bytes_max {
        return Err(Error::new(code, format!("longer than {bytes_max} bytes")));
    }
    let document =
        json::parse(bytes, HOST_FILE_DEPTH_MAX).map_err(|what| Error::new(code, what))?;
    let root = Field::new(&document, "");
    root.object(read).map_err(|fault| Error::new(code, fault.to_string()))
}

/// Writes a document: the same one, the same text.
pub fn print<T: Document + ToJson>(document: &T) -> String {
    let mut value = document.write();
    if let Some(members) = value.as_object_mut() {
        members.insert("format".to_owned(), T::FORMAT.into());
    }
    format!("{value:#}\n")
}

#[cfg(test)]
#[path = "../../conformance/unit/kernel/document.rs"]
mod tests;
