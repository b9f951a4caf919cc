//! From bytes to text: UTF-8, UTF-16 and windows-1252, which is what browsers take ISO 8859-1 for.

use crate::entities::WINDOWS_1252;

#[derive(Clone, Copy)]
enum Charset {
    Utf8,
    Utf16 { big_endian: bool },
    Windows1252,
}

/// Decodes a page by its byte order mark, else as its server says, else as its `meta` element says; a page that
/// says nothing is UTF-8 if it can be.
pub fn decode(bytes: &[u8], content_type: &str) -> Result<String, String> {
    let marks: [(&[u8], Charset); 3] = [
        (b"\xef\xbb\xbf", Charset::Utf8),
        (b"\xfe\xff", Charset::Utf16 { big_endian: true }),
        (b"\xff\xfe", Charset::Utf16 { big_endian: false }),
    ];
    for (mark, charset) in marks {
        if let Some(bytes) = bytes.strip_prefix(mark) {
            return Ok(decode_as(bytes, charset));
        }
    }
    let head = &bytes[..bytes.len().min(1024)];
    let label = label_in(content_type).or_else(|| label_in_meta(&String::from_utf8_lossy(head)));
    let charset = match label.as_deref() {
        Some(label) => by_label(label).ok_or(format!("the charset {} is not known here", label))?,
        None if std::str::from_utf8(bytes).is_ok() => Charset::Utf8,
        None => Charset::Windows1252,
    };
    Ok(decode_as(bytes, charset))
}

fn by_label(label: &str) -> Option<Charset> {
    match label {
        "utf-8" | "utf8" | "unicode-1-1-utf-8" => Some(Charset::Utf8),
        "utf-16" | "utf-16le" => Some(Charset::Utf16 { big_endian: false }),
        "utf-16be" => Some(Charset::Utf16 { big_endian: true }),
        "iso-8859-1" | "iso8859-1" | "iso_8859-1" | "latin1" | "l1" | "windows-1252" | "cp1252"
        | "ascii" | "us-ascii" => Some(Charset::Windows1252),
        _ => None,
    }
}

/// `charset=…` in a content type.
fn label_in(text: &str) -> Option<String> {
    let text = text.to_ascii_lowercase();
    let (_, label) = text.split_once("charset")?;
    let label = label.trim_start().strip_prefix('=')?.trim_start();
    let label = match label.strip_prefix(|c| c == '"' || c == '\'') {
        Some(quoted) => quoted.split(|c| c == '"' || c == '\'').next()?,
        None => label.split(|c: char| c == ';' || c.is_ascii_whitespace()).next()?,
    };
    Some(label.trim().to_owned()).filter(|label| !label.is_empty())
}

/// What `<meta charset=…>` or `<meta http-equiv=content-type content=…>` says.
fn label_in_meta(head: &str) -> Option<String> {
    crate::html::Pieces::of(head).find_map(|piece| match piece {
        crate::html::Piece::Start(tag) if tag.name == "meta" => {
            let says = tag.get("http-equiv").map_or(false, |it| it.eq_ignore_ascii_case("content-type"));
            let by_content = tag.get("content").filter(|_| says).and_then(label_in);
            let label = tag.get("charset").map(|label| label.trim().to_ascii_lowercase()).or(by_content);
            // Whoever could read it as ASCII up to here has no UTF-16.
            label.map(|label| if label.starts_with("utf-16") { "utf-8".to_owned() } else { label })
        }
        _ => None,
    })
}

fn decode_as(bytes: &[u8], charset: Charset) -> String {
    match charset {
        Charset::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
        Charset::Utf16 { big_endian } => {
            let unit = |pair: &[u8]| match (pair, big_endian) {
                ([a, b], true) => u16::from_be_bytes([*a, *b]),
                ([a, b], false) => u16::from_le_bytes([*a, *b]),
                _ => 0xfffd,
            };
            String::from_utf16_lossy(&bytes.chunks(2).map(unit).collect::<Vec<_>>())
        }
        Charset::Windows1252 => bytes
            .iter()
            .map(|byte| match byte {
                0x80..=0x9f => WINDOWS_1252[usize::from(*byte) - 0x80],
                byte => char::from(*byte),
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_in_the_charset_that_it_has() {
        for (bytes, content_type, expected) in [
            (&b"caf\xc3\xa9"[..], "text/html", "caf\u{e9}"),
            (b"caf\xe9 \x80", "text/html", "caf\u{e9} \u{20ac}"),
            (b"caf\xe9", "text/html; charset=ISO-8859-1", "caf\u{e9}"),
            (b"caf\xc3\xa9", "text/html; Charset = \"UTF-8\"; x", "caf\u{e9}"),
            (b"caf\xc3\xa9", "text/html;charset=latin1", "caf\u{c3}\u{a9}"),
            (b"caf\xe9", "text/html; charset=utf-8", "caf\u{fffd}"),
            (b"\xef\xbb\xbfcaf\xc3\xa9", "text/html; charset=latin1", "caf\u{e9}"),
            (b"\xff\xfea\0\xe9\0", "", "a\u{e9}"),
            (b"\xfe\xff\0a\0\xe9", "", "a\u{e9}"),
            (b"<meta charset=latin1>\xc3\xa9", "text/html", "<meta charset=latin1>\u{c3}\u{a9}"),
            (b"<meta charset=utf-16>\xc3\xa9", "text/html", "<meta charset=utf-16>\u{e9}"),
        ] {
            assert_eq!(decode(bytes, content_type).unwrap(), expected, "{:?}", bytes);
        }
        let meta = b"<META content='text/html; charset=windows-1252' HTTP-EQUIV=Content-Type>\x93";
        assert!(decode(meta, "").unwrap().ends_with('\u{201c}'));
        assert!(decode(b"a", "text/html; charset=shift_jis").unwrap_err().contains("shift_jis"));
    }
}
