//! Room: reading the host's own JSON documents, the trust store and the policy: closed objects like a
//! manifest's, but with one reason code for every fault, since one person wrote and will mend them.

use crate::error::{Code, Error};
use crate::json;
use crate::json::object::{Fault, Member, Object};
use crate::limits::HOST_FILE_DEPTH_MAX;

/// Parses a document of at most so many bytes and reads its root object with `read`.
pub(crate) fn read_document<T>(
    bytes: &[u8],
    bytes_max: usize,
    code: Code,
    read: impl FnOnce(&mut Object<'_>) -> Result<T, Fault>,
) -> Result<T, Error> {
    if bytes.len() > bytes_max {
        return Err(Error::new(code, format!("longer than {bytes_max} bytes")));
    }
    let document = json::parse(bytes, HOST_FILE_DEPTH_MAX)
        .map_err(|error| Error::new(code, error.to_string()))?;
    let root = Member::new(&document, "");
    root.object(read).map_err(|fault| Error::new(code, fault.to_string()))
}

/// Reads a text that stands for a `T`; `what` says which texts do.
pub(crate) fn parsed<T>(
    member: &Member<'_>,
    what: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, Fault> {
    parse(member.text()?).ok_or_else(|| member.bad_value(format!("must be {what}")))
}

/// Reads a list of values; an absent list is an empty one.
pub(crate) fn list<'a, T>(
    member: Option<Member<'a>>,
    read: impl FnMut(&Member<'a>) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    member.map_or(Ok(Vec::new()), |member| member.array(0..=usize::MAX, read))
}

/// Reads a list of texts; an absent list is an empty one.
pub(crate) fn texts(
    member: Option<Member<'_>>,
    what: &str,
    allowed: impl Fn(&str) -> bool,
) -> Result<Vec<String>, Fault> {
    list(member, |item| parsed(item, what, |text| allowed(text).then(|| text.to_owned())))
}
