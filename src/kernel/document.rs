//! Declarations of JSON document types: the macro `object` generates the type, its reader and, on request,
//! its writer from one table of members.
//!
//! ```text
//! object! {
//!     /// Documentation and attributes, as of any struct.
//!     pub struct Rule: FromJson + ToJson {            // `+ ToJson` only if it is written too
//!         pub id: String, text(is_id, "a package id");    // required, read by this rule
//!         pub version: Version;                           // required, in the JSON form of its type
//!         pub read_only: bool = false;                    // optional, with a default
//!         pub count: usize = 1, integer(1..=8);           // optional; read by this rule if present
//!         pub source: ValueSource => of_variable;         // read from several members of the object
//!     }
//! }
//! ```
//!
//! Members are read in the order of the declaration, and a rule can use earlier members by their names.
//! Unknown and duplicate members are refused. An object whose members are all optional has a `Default`.

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
        $crate::kernel::document::apply(&mut *$object, $whole)?
    };
    (@rule $place:ident) => { $crate::kernel::document::FromJson::read(&$place) };
    (@rule $place:ident $rule:expr) => { $crate::kernel::document::apply(&$place, $rule) };
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

/// Declares an enum with one fixed text for each variant, and the conversions in both directions.
macro_rules! string_enum {
    (
        $(#[$attribute:meta])*
        $visibility:vis enum $name:ident {
            $( $(#[$variant_attribute:meta])* $variant:ident = $text:literal, )*
        }
    ) => {
        $(#[$attribute])*
        $visibility enum $name { $( $(#[$variant_attribute])* $variant, )* }
        impl $name {
            /// All variants, in the order of the specification.
            pub const ALL: [$name; [$($text),*].len()] = [$($name::$variant),*];

            /// Returns the text of the variant.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text),* }
            }

            /// Returns the variant with this text.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some($name::$variant),)* _ => None }
            }
        }
        impl core::fmt::Display for $name {
            fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                out.write_str(self.as_str())
            }
        }
        $crate::kernel::document::text_form!($name, concat!("one of" $(, " `", $text, "`")*));
    };
}
pub(in crate::kernel) use string_enum;

/// Declares the JSON form of a type with `parse` and `Display`: a string.
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

/// A type with a JSON form.
pub trait FromJson: Sized {
    /// Reads the value at a place of a document.
    ///
    /// # Errors
    /// What is wrong with the value, and where.
    fn read(place: &Field) -> Result<Self, DocumentError>;
}

/// A type that can be written in that form. A member whose value is null is omitted.
pub trait ToJson {
    /// Returns the JSON value.
    fn write(&self) -> Value;
}

/// A closed object, declared with the macro `object`.
pub trait Members: Sized {
    /// Reads the members.
    ///
    /// # Errors
    /// What is wrong with one of them, and where.
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

/// Entries that contain their own key, as [`keyed`] reads them.
impl<K, T: ToJson> ToJson for BTreeMap<K, T> {
    fn write(&self) -> Value {
        self.values().map(T::write).collect()
    }
}

/// Applies a rule. A function, so that the compiler can infer the argument type of a closure.
pub fn apply<P, T>(
    place: P,
    rule: impl FnOnce(P) -> Result<T, DocumentError>,
) -> Result<T, DocumentError> {
    rule(place)
}

/// Returns the rule of a string that `allowed` accepts; `what` describes these strings.
pub fn text(
    allowed: impl Fn(&str) -> bool,
    what: &'static str,
) -> impl Fn(&Field) -> Result<String, DocumentError> {
    move |place| place.parsed(what, |text| allowed(text).then(|| text.to_owned()))
}

/// Returns the rule of an integer in this range.
pub fn integer<T>(range: RangeInclusive<T>) -> impl Fn(&Field) -> Result<T, DocumentError>
where
    T: TryFrom<u64> + PartialOrd + Display + Clone,
{
    move |place| place.integer(range.clone())
}

/// Returns the rule of an optional member.
pub fn optional<T>(
    rule: impl Fn(&Field) -> Result<T, DocumentError>,
) -> impl Fn(&Field) -> Result<Option<T>, DocumentError> {
    move |place| rule(place).map(Some)
}

/// Returns the rule of a list or a set with an allowed number of items.
pub fn list<T, C: FromIterator<T>>(
    count: RangeInclusive<usize>,
    rule: impl FnMut(&Field) -> Result<T, DocumentError>,
) -> impl FnOnce(&Field) -> Result<C, DocumentError> {
    move |place| Ok(place.array(count, rule)?.into_iter().collect())
}

/// Returns the rule of a list without duplicates: no two items have the same `key`. `duplicate` is the
/// error text for the second one.
pub fn distinct<T, K: Ord>(
    count: RangeInclusive<usize>,
    mut rule: impl FnMut(&Field) -> Result<T, DocumentError>,
    key: impl Fn(&T) -> K,
    duplicate: &'static str,
) -> impl FnOnce(&Field) -> Result<Vec<T>, DocumentError> {
    let mut keys = BTreeSet::new();
    let mut once = move |place: &Field| {
        let item = rule(place)?;
        match keys.insert(key(&item)) {
            true => Ok(item),
            false => Err(place.bad_value(duplicate)),
        }
    };
    move |place| place.array(count, &mut once)
}

/// Returns the rule of a list whose entries contain their own keys, without duplicates.
pub fn keyed<T, K: Ord>(
    count: RangeInclusive<usize>,
    rule: impl FnMut(&Field) -> Result<T, DocumentError>,
    key: impl Fn(&T) -> K + Copy,
) -> impl FnOnce(&Field) -> Result<BTreeMap<K, T>, DocumentError> {
    let entries = distinct(count, rule, key, "duplicate entry");
    move |place| Ok(entries(place)?.into_iter().map(|entry| (key(&entry), entry)).collect())
}

/// A standalone document. Its member `format` identifies its type, and is not part of the Rust type.
pub trait Document: Members {
    /// The value of the member `format`.
    const FORMAT: &'static str;
    /// The size limit, in bytes.
    const BYTES_MAX: usize;
    /// The reason code for every error in the document: one author writes and fixes it.
    const INVALID: Code;
    /// Whether error details are suppressed, since they would quote secrets.
    const SECRET: bool = false;
}

/// Reads a document. Nothing is ignored: what one reader ignored, another might honor.
///
/// # Errors
/// [`Document::INVALID`].
pub fn parse<T: Document>(bytes: &[u8]) -> Result<T, Error> {
    let invalid = |what: String| match T::SECRET {
        true => Error::new(T::INVALID, "invalid document; the detail could contain a secret"),
        false => Error::new(T::INVALID, what),
    };
    if bytes.len() > T::BYTES_MAX {
        return Err(invalid(format!("document is {} bytes, limit {}", bytes.len(), T::BYTES_MAX)));
    }
    let document = json::parse(bytes, HOST_FILE_DEPTH_MAX).map_err(invalid)?;
    let members = Field::new(&document, "").object(|object| {
        object.required("format")?.parsed(T::FORMAT, |text| (text == T::FORMAT).then_some(()))?;
        T::members(object)
    });
    members.map_err(|error| invalid(error.to_string()))
}

/// Writes a document. The same document always gives the same text.
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
