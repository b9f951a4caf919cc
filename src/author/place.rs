//! Lines and columns of the values of a JSON text, by their pointers.

use std::collections::BTreeSet;

/// Returns line and column of the value at a pointer, or of the nearest value around it; 1 and 1 for the root.
pub fn of_pointer(text: &[u8], pointer: &str) -> (usize, usize) {
    let unescape = |part: &str| part.replace("~1", "/").replace("~0", "~");
    let wanted: Vec<String> = pointer.split('/').skip(1).map(unescape).collect();
    let (mut best, mut length) = (0, 0);
    walk(text, &mut |path, offset, _| {
        if path.len() > length && wanted.starts_with(path) {
            (best, length) = (offset, path.len());
        }
    });
    of_offset(text, best)
}

/// Returns the keys that an object has twice, each with the offset of the second one.
pub fn duplicate_keys(text: &[u8]) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    walk(text, &mut |path, offset, is_duplicate| {
        found.extend(path.last().filter(|_| is_duplicate).map(|key| (key.clone(), offset)));
    });
    found
}

/// Returns line and column, in characters from 1.
pub fn of_offset(text: &[u8], offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.iter().filter(|byte| **byte == b'\n').count();
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at.saturating_add(1));
    // Bytes that continue a character do not count.
    let rest = before.get(start..).unwrap_or_default();
    let column = rest.iter().filter(|byte| **byte & 0xC0 != 0x80).count();
    (line.saturating_add(1), column.saturating_add(1))
}

/// An array or object that the walk is in.
struct Frame {
    is_object: bool,
    /// How many parts the path of the container itself has.
    depth: usize,
    items: usize,
    keys: BTreeSet<String>,
    expects_key: bool,
}

/// Visits each member and item of a valid JSON text: its path, its offset, and whether its object has an earlier
/// member of that name.
fn walk(text: &[u8], visit: &mut dyn FnMut(&[String], usize, bool)) {
    let (mut path, mut frames, mut at) = (Vec::new(), Vec::<Frame>::new(), 0);
    while let Some(byte) = text.get(at) {
        let end = match byte {
            b'"' => string_end(text, at),
            b'{' | b'}' | b'[' | b']' | b',' | b':' | b' ' | b'\t' | b'\r' | b'\n' => at + 1,
            _ => {
                let rest = text.get(at..).unwrap_or_default();
                let length = rest.iter().position(|byte| b",]} \t\r\n".contains(byte));
                at + length.unwrap_or(rest.len()).max(1)
            }
        };
        match (byte, frames.last_mut()) {
            (b'}' | b']', Some(frame)) => {
                path.truncate(frame.depth);
                frames.pop();
            }
            (b',', Some(frame)) => {
                path.truncate(frame.depth);
                frame.expects_key = frame.is_object;
            }
            (b'"', Some(frame)) if frame.expects_key => {
                let raw = text.get(at..end).unwrap_or_default();
                let key: String = serde_json::from_slice(raw).unwrap_or_default();
                path.push(key.clone());
                frame.expects_key = false;
                visit(&path, at, !frame.keys.insert(key));
            }
            (b':' | b' ' | b'\t' | b'\r' | b'\n' | b'}' | b']' | b',', _) => {}
            (_, frame) => {
                if let Some(frame) = frame.filter(|frame| !frame.is_object) {
                    path.push(frame.items.to_string());
                    frame.items = frame.items.saturating_add(1);
                    visit(&path, at, false);
                }
                let is_object = *byte == b'{';
                if is_object || *byte == b'[' {
                    let (depth, keys) = (path.len(), BTreeSet::new());
                    frames.push(Frame { is_object, depth, items: 0, keys, expects_key: is_object });
                }
            }
        }
        at = end;
    }
}

/// Returns the offset after a string that starts at `start`.
fn string_end(text: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = text.get(at) {
        at += match byte {
            b'"' => return at + 1,
            b'\\' => 2,
            _ => 1,
        };
    }
    text.len()
}
