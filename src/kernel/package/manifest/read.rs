//! Room: the rules for single values of the manifest, which its declaration names.

use crate::kernel::document::{distinct, text};
use crate::kernel::json::closed_object::{DocumentError, Field};
use crate::kernel::limits::{DESCRIPTION_BYTES_MAX, LIST_COUNT_MAX};
use crate::kernel::names;
use crate::kernel::prelude::*;

// [MAN-15]
pub(super) fn target(place: &Field) -> Result<String, DocumentError> {
    match place.text()? {
        "wasm32-wasi" => Err(place.bad_value("is the old name of wasm32-wasip1; write that")),
        _ => text(|text| text == "wasm32-wasip1", "\"wasm32-wasip1\"")(place),
    }
}

/// One argument of a program, as it stands.
pub(super) fn argument(place: &Field) -> Result<String, DocumentError> {
    let text = place.text()?;
    let what = format!("must have at most {DESCRIPTION_BYTES_MAX} bytes");
    place.check(text.len() <= DESCRIPTION_BYTES_MAX, &what)?;
    Ok(text.to_owned())
}

// [MAN-20] [MAN-21]
pub(super) fn host(place: &Field) -> Result<String, DocumentError> {
    let what = match place.text()? {
        text if text.contains('*') => "one host by its name; there are no wildcards",
        text if text.ends_with(":443") => "without :443, which every host without a port means",
        _ => "a lower-case host name, not an address, with an optional port",
    };
    text(names::is_host_and_port, what)(place)
}

/// Directories that lie neither in each other nor in others of the same manifest.
// [MAN-22] [MAN-23] [MAN-24]
pub(super) fn directories(place: &Field, others: &[String]) -> Result<Vec<String>, DocumentError> {
    let what = "an absolute path such as /data, of A-Z a-z 0-9 . _ - between slashes";
    let mut taken = others.to_vec();
    place.array(0..=LIST_COUNT_MAX, |item| {
        let path = text(names::is_guest_directory, what)(item)?;
        let is_own = |own: &&&str| path != "/" && names::overlap(&path, own);
        if let Some(own) = [names::ASSETS_MOUNT, names::STORAGE_MOUNT].iter().find(is_own) {
            return Err(item.bad_value(format!("{own} is where the package's own files are")));
        }
        if taken.iter().any(|other| names::overlap(other, &path)) {
            return Err(item.bad_value("is declared twice, or lies in another declared directory"));
        }
        taken.push(path.clone());
        Ok(path)
    })
}

// [MAN-08]
pub(super) fn line(place: &Field) -> Result<String, DocumentError> {
    text(names::is_line, "1 to 256 bytes on one line, without white space around them")(place)
}

// [MAN-08]
pub(super) fn paragraph(place: &Field) -> Result<String, DocumentError> {
    let text = argument(place)?;
    place.check(names::is_text(&text), "must not be empty, nor have white space around it")?;
    Ok(text)
}

/// A list of strings that all differ.
// [MAN-12]
pub(super) fn each(
    rule: impl Fn(&Field) -> Result<String, DocumentError>,
) -> impl FnOnce(&Field) -> Result<Vec<String>, DocumentError> {
    distinct(0..=LIST_COUNT_MAX, rule, String::clone, "stands here twice")
}
