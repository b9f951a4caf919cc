//! Rules for single values of the manifest.

use crate::kernel::document::{distinct, text};
use crate::kernel::json::closed_object::{DocumentError, Field};
use crate::kernel::limits::{DESCRIPTION_BYTES_MAX, LIST_COUNT_MAX};
use crate::kernel::names;
use crate::kernel::prelude::*;

// [MAN-15]
pub(super) fn target(place: &Field) -> Result<String, DocumentError> {
    match place.text()? {
        "wasm32-wasi" => Err(place.bad_value("is the old name of wasm32-wasip1; use that")),
        _ => text(|text| text == "wasm32-wasip1", "\"wasm32-wasip1\"")(place),
    }
}

/// Reads one argument of a program.
pub(super) fn argument(place: &Field) -> Result<String, DocumentError> {
    let text = place.text()?;
    let what = format!("must be at most {DESCRIPTION_BYTES_MAX} bytes");
    place.check(text.len() <= DESCRIPTION_BYTES_MAX, &what)?;
    Ok(text.to_owned())
}

// [MAN-20] [MAN-21]
pub(super) fn host(place: &Field) -> Result<String, DocumentError> {
    let what = match place.text()? {
        text if text.contains('*') => "a single host name, without wildcards",
        text if text.ends_with(":443") => "without :443, which is the default port",
        _ => "a lower-case host name, not an address, with an optional port",
    };
    text(names::is_host_and_port, what)(place)
}

/// Reads directories, none of which is inside another or inside one of `others`.
// [MAN-22] [MAN-23]
pub(super) fn directories(place: &Field, others: &[String]) -> Result<Vec<String>, DocumentError> {
    let what =
        "an absolute path such as /data, of A-Z a-z 0-9 . _ - between slashes, not in /assets or /storage";
    let mut taken = others.to_vec();
    place.array(0..=LIST_COUNT_MAX, |item| {
        let path = text(names::is_guest_directory, what)(item)?;
        if taken.iter().any(|other| names::directories_overlap(other, &path)) {
            return Err(item.bad_value("duplicate or nested directory"));
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

/// Reads a list of distinct strings.
// [MAN-12]
pub(super) fn string_list(
    rule: impl Fn(&Field) -> Result<String, DocumentError>,
) -> impl FnOnce(&Field) -> Result<Vec<String>, DocumentError> {
    distinct(0..=LIST_COUNT_MAX, rule, String::clone, "duplicate value")
}
