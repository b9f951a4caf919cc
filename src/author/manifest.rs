//! All faults of a manifest at once. The runtime's reader stops at the first one, so what it names is replaced in
//! memory by something valid, and the document is read again.

use super::finding::Finding;
use super::place;
use mpp::document::Members as _;
use mpp::json::closed_object::{child_pointer, DocumentError, DocumentErrorKind, Field};
use mpp::limits::{MANIFEST_BYTES_MAX, MANIFEST_DEPTH_MAX, TOOLS_COUNT_MAX};
use mpp::text::{is_hidden, quote_untrusted};
use mpp::{json, privacy, Code, Manifest};
use serde_json::{json, Value};

/// More faults than an author reads. It also ends the search if a repair has no effect.
const FAULTS_COUNT_MAX: usize = 200;

/// A manifest as far as it can be read.
pub struct Read {
    pub faults: Vec<Finding>,
    /// The manifest, in which valid values replace faulty ones; `None` if the text is not JSON.
    pub manifest: Option<Manifest>,
}

/// Reads the bytes of `manifest.json`, which findings call `file`.
pub fn read(bytes: &[u8], file: &str) -> Read {
    let mut faults = Vec::new();
    if bytes.len() > MANIFEST_BYTES_MAX {
        let what = format!("the manifest is {} bytes, limit {MANIFEST_BYTES_MAX}", bytes.len());
        faults.push(Finding::refusal(Code::ManifestSyntax, file, what));
        return Read { faults, manifest: None };
    }
    let mut document = match json::parse(bytes, MANIFEST_DEPTH_MAX) {
        Ok(document) => document,
        Err(what) => {
            let fault = |what: String| Finding::refusal(Code::ManifestSyntax, file, what);
            // serde_json keeps the last of two equal keys, and has no other limit of depth here.
            let lenient = serde_json::from_slice::<Value>(bytes).ok();
            let lenient = lenient.filter(|value| json::depth_within(value, MANIFEST_DEPTH_MAX));
            let twice = lenient.as_ref().map(|_| place::duplicate_keys(bytes)).unwrap_or_default();
            for (key, offset) in twice.iter().take(FAULTS_COUNT_MAX) {
                let what = format!("duplicate key \"{}\"", quote_untrusted(key));
                faults.push(fault(what).at(place::of_offset(bytes, *offset)));
            }
            if twice.is_empty() {
                let place = stated_place(&what);
                faults.push(fault(what).at(place));
            }
            match lenient.filter(|_| !twice.is_empty()) {
                Some(document) => document,
                None => return Read { faults, manifest: None },
            }
        }
    };
    let mut found = Vec::new();
    take_hidden(&mut document, "", &mut found);
    let manifest = read_repairing(&mut document, &mut found);
    for (pointer, code, what) in found {
        let message = match pointer.as_str() {
            "" => what,
            pointer => format!("{}: {what}", quote_untrusted(pointer)),
        };
        let place = place::of_pointer(bytes, &pointer);
        faults.push(Finding::refusal(code, file, message).at(place));
    }
    Read { faults, manifest }
}

/// Pointer, code and text of a fault.
type Found = (String, Code, String);

fn read_repairing(document: &mut Value, found: &mut Vec<Found>) -> Option<Manifest> {
    let (mut skipped, mut last) = (Skipped::default(), None);
    for number in 0..FAULTS_COUNT_MAX {
        match read_document(document) {
            Ok(manifest) => {
                check_patterns(&manifest, found);
                return Some(manifest);
            }
            Err(fault) => {
                let parts: Vec<String> = parts_of(&fault.pointer);
                let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
                // A repair without effect: the value is removed, or what contains it.
                let is_again = last.as_ref() == Some(&fault.pointer);
                if !is_again && !skipped.includes(&parts) {
                    let code = code_of(fault.kind);
                    found.push((fault.pointer.clone(), code, fault.what.clone()));
                }
                let is_unknown = fault.kind == DocumentErrorKind::UnknownKey;
                repair(document, &parts, number, is_unknown || is_again);
                last = Some(fault.pointer);
            }
        }
    }
    let what = format!("more faults than {FAULTS_COUNT_MAX}; the rest is not shown");
    found.push((String::new(), Code::ManifestValue, what));
    None
}

fn read_document(document: &Value) -> Result<Manifest, DocumentError> {
    Field::new(document, "").object(|object| {
        let manifest = Manifest::members(object)?;
        object.optional("$schema").map(|place| place.text()).transpose()?;
        Ok(manifest)
    })
}

fn code_of(kind: DocumentErrorKind) -> Code {
    match kind {
        DocumentErrorKind::UnknownKey => Code::ManifestUnknownKey,
        DocumentErrorKind::MissingKey => Code::ManifestMissingKey,
        DocumentErrorKind::WrongType => Code::ManifestType,
        DocumentErrorKind::BadValue => Code::ManifestValue,
        DocumentErrorKind::Unsupported => Code::ManifestSchema,
    }
}

/// Faults that only follow from an earlier one.
#[derive(Default)]
struct Skipped {
    /// The protocol, which decides what members a tool has, is not known.
    protocol: bool,
    /// The tools with a fault in `parameters`, which `command` refers to.
    tools: Vec<String>,
}

impl Skipped {
    /// Returns `true` if a fault is skipped, and remembers what follows from it otherwise.
    fn includes(&mut self, parts: &[&str]) -> bool {
        match parts {
            ["tools", _, "command" | "calls" | "returns"] if self.protocol => true,
            ["tools", at, "command", ..] if self.tools.iter().any(|tool| tool == at) => true,
            ["runtime"] | ["runtime", "protocol"] => {
                self.protocol = true;
                false
            }
            ["tools", at, "parameters", ..] => {
                self.tools.push((*at).to_owned());
                false
            }
            _ => false,
        }
    }
}

fn parts_of(pointer: &str) -> Vec<String> {
    let parts = pointer.split('/').skip(1);
    parts.map(|part| part.replace("~1", "/").replace("~0", "~")).collect()
}

/// Makes the value at a path valid, or removes it. `number` makes values distinct.
fn repair(document: &mut Value, parts: &[&str], number: usize, is_removed: bool) {
    let tool = || {
        json!({ "name": format!("repaired-{number}"), "description": "x", "sensitivity": "read",
                "parameters": { "type": "object" } })
    };
    let valid = match parts {
        _ if is_removed => None,
        [] => Some(json!({})),
        ["mpp_version"] => Some(json!("1.0")),
        ["id"] => Some(json!("org.example.repaired")),
        ["version"] => Some(json!("1.0.0")),
        ["name" | "description"] | ["tools", _, "description"] => Some(json!("x")),
        ["runtime"] => Some(json!({ "target": "wasm32-wasip1" })),
        ["runtime", "target"] => Some(json!("wasm32-wasip1")),
        ["authors", _] | ["privacy_filters", "patterns", _] => {
            Some(json!(format!("repaired {number}")))
        }
        ["privacy_filters", "custom", _] => {
            Some(json!({ "name": format!("REPAIRED_{number}"), "pattern": "x" }))
        }
        ["privacy_filters", "custom", _, "name"] => Some(json!(format!("REPAIRED_{number}"))),
        ["privacy_filters", "custom", _, "pattern"] => Some(json!("x")),
        [path @ .., "required", at] if parts.len() > 4 && at.parse::<usize>().is_ok() => {
            // A property of that name, so that the other items keep their numbers.
            let name = format!("repaired-{number}");
            put(document, &[path, &["properties", &name]].concat(), json!(true));
            Some(json!(name))
        }
        ["runtime", "args", _] => Some(json!("x")),
        ["capabilities", "network", _] => Some(json!(format!("repaired-{number}.example"))),
        ["capabilities", "environment", _] => Some(json!(format!("REPAIRED_{number}"))),
        ["capabilities", "filesystem", _, _] => Some(json!(format!("/repaired-{number}"))),
        ["capabilities", "storage", "limit_kb"] => Some(json!(1)),
        ["tools"] => match document.get_mut("tools").and_then(Value::as_array_mut) {
            Some(tools) if tools.len() > TOOLS_COUNT_MAX => return tools.truncate(TOOLS_COUNT_MAX),
            _ => Some(json!([tool()])),
        },
        ["tools", _] => Some(tool()),
        ["tools", _, "name"] => Some(json!(format!("repaired-{number}"))),
        ["tools", _, "sensitivity"] => Some(json!("read")),
        ["tools", _, "parameters" | "returns"] => Some(json!({ "type": "object" })),
        ["tools", _, "parameters" | "returns", "type"] => Some(json!("object")),
        // A schema is replaced by one that accepts everything, a keyword is removed.
        ["tools", _, "parameters" | "returns", .., "properties" | "$defs", _]
        | ["tools", _, "parameters" | "returns", .., "items"] => Some(json!(true)),
        ["tools", at, "command", ..] => {
            // A command names all properties of `parameters`, which were read before it.
            put(document, &["tools", at, "parameters"], json!({ "type": "object" }));
            return put(document, &["tools", at, "command"], json!({ "args": ["x"] }));
        }
        _ => None,
    };
    match valid {
        Some(valid) => put(document, parts, valid),
        None => remove(document, parts),
    }
}

/// Sets the value at a path whose container exists.
fn put(document: &mut Value, parts: &[&str], value: Value) {
    let Some((last, path)) = parts.split_last() else {
        *document = value;
        return;
    };
    match container(document, path) {
        Some(Value::Object(members)) => drop(members.insert((*last).to_owned(), value)),
        Some(Value::Array(items)) => {
            let item = last.parse().ok().and_then(|at: usize| items.get_mut(at));
            item.into_iter().for_each(|item| *item = value.clone());
        }
        _ => {}
    }
}

/// Removes the nearest object member at or above a path: what follows in an array keeps its number.
fn remove(document: &mut Value, parts: &[&str]) {
    let Some((last, path)) = parts.split_last() else { return };
    let members = container(document, path).and_then(Value::as_object_mut);
    if members.and_then(|members| members.remove(*last)).is_none() {
        remove(document, path);
    }
}

fn container<'a>(document: &'a mut Value, path: &[&str]) -> Option<&'a mut Value> {
    let pointer = path.iter().fold(String::new(), |pointer, part| child_pointer(&pointer, part));
    document.pointer_mut(&pointer)
}

/// Takes forbidden characters out of all strings and keys, and notes their places.
fn take_hidden(value: &mut Value, pointer: &str, found: &mut Vec<Found>) {
    match value {
        Value::String(text) => {
            without_hidden(text, pointer, found).into_iter().for_each(|clean| *text = clean);
        }
        Value::Array(items) => {
            for (at, item) in items.iter_mut().enumerate() {
                take_hidden(item, &child_pointer(pointer, &at.to_string()), found);
            }
        }
        Value::Object(members) => {
            members.retain(|key, _| {
                without_hidden(key, &child_pointer(pointer, key), found).is_none()
            });
            for (key, member) in members {
                take_hidden(member, &child_pointer(pointer, key), found);
            }
        }
        _ => {}
    }
}

fn without_hidden(text: &str, pointer: &str, found: &mut Vec<Found>) -> Option<String> {
    let hidden = |c: char| !"\n\t".contains(c) && is_hidden(c);
    let first = text.chars().find(|c| hidden(*c))?;
    let what = format!("contains the forbidden character U+{:04X}", u32::from(first));
    found.push((pointer.to_owned(), Code::ManifestValue, what));
    Some(text.replace(hidden, "x"))
}

/// Notes the patterns that no filter can be made of.
fn check_patterns(manifest: &Manifest, found: &mut Vec<Found>) {
    let filters = &manifest.privacy_filters;
    let before = found.len();
    let mut note = |pointer: String, checked: Result<(), mpp::Error>| {
        let error = checked.err();
        found.extend(error.map(|it| (pointer, Code::ManifestPattern, it.detail().to_owned())));
    };
    for (at, kind) in filters.patterns.iter().enumerate() {
        if !kind.starts_with("repaired ") {
            let checked = privacy::check_patterns(std::slice::from_ref(kind), &[]);
            note(format!("/privacy_filters/patterns/{at}"), checked);
        }
    }
    for (at, custom) in filters.custom.iter().enumerate() {
        // The place says which one it is, and its name may be a replacement.
        let checked = privacy::check_patterns(&[], std::slice::from_ref(custom)).map_err(|error| {
            let detail = error.detail().replace(&format!("\"{}\" ", custom.name), "");
            mpp::Error::new(error.code(), detail)
        });
        note(format!("/privacy_filters/custom/{at}/pattern"), checked);
    }
    // A limit on all of them together.
    if found.len() == before {
        let kinds: Vec<String> =
            filters.patterns.iter().filter(|it| !it.starts_with("repaired ")).cloned().collect();
        let together = privacy::check_patterns(&kinds, &filters.custom).err();
        found.extend(together.map(|it| {
            ("/privacy_filters".to_owned(), Code::ManifestPattern, it.detail().to_owned())
        }));
    }
}

/// Reads `at line 3 column 7` at the end of a message.
fn stated_place(what: &str) -> (usize, usize) {
    let place = || {
        let (_, place) = what.rsplit_once("at line ")?;
        let (line, column) = place.split_once(" column ")?;
        Some((line.parse().ok()?, column.parse::<usize>().ok()?.max(1)))
    };
    place().unwrap_or_default()
}
