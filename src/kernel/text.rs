//! Text from outside: hidden characters, and safe quoting in messages.

use crate::kernel::prelude::*;

/// The most characters of an untrusted text that a message quotes.
const SHOWN_CHARS_MAX: usize = 160;

/// Returns `true` if a character is a control character, is invisible, or changes the text direction.
/// Joiners and the two variation selectors of emoji are needed to write some scripts and do not count.
// [MAN-07]
#[must_use]
pub fn is_hidden(character: char) -> bool {
    match character {
        '\u{200C}' | '\u{200D}' | '\u{FE0E}' | '\u{FE0F}' => false,
        '\u{2028}' | '\u{2029}' => true,
        other => other.is_control() || is_ignorable(other),
    }
}

/// Returns `true` if a character is Default_Ignorable_Code_Point in Unicode, or an annotation.
// [PRIV-11]
pub(in crate::kernel) fn is_ignorable(character: char) -> bool {
    matches!(
        character,
        '\u{AD}'
            | '\u{34F}'
            | '\u{61C}'
            | '\u{115F}'..='\u{1160}'
            | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}'
            | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFFB}'
            | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}'
    )
}

/// Names the encoding of a text that should be UTF-8 without a byte order mark, if it is another one.
#[must_use]
pub fn encoding_error(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xef, 0xbb, 0xbf, ..] => {
            Some("begins with a byte order mark; save it as UTF-8 without one")
        }
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, 1..=255, ..] | [1..=255, 0, ..] => {
            Some("is UTF-16; save it as UTF-8 without a byte order mark")
        }
        _ => None,
    }
}

/// Quotes an untrusted text for a message: hidden characters are escaped as `\u{202e}`, and a long text is
/// truncated.
///
/// ```
/// assert_eq!(mpp::text::quote_untrusted("a\u{202e}b\n"), "a\\u{202e}b\\u{a}");
/// ```
pub fn quote_untrusted(text: &str) -> String {
    let mut quoted = String::new();
    for character in text.chars().take(SHOWN_CHARS_MAX) {
        match is_hidden(character) {
            true => quoted.extend(character.escape_unicode()),
            false => quoted.push(character),
        }
    }
    if text.chars().nth(SHOWN_CHARS_MAX).is_some() {
        quoted.push_str("...");
    }
    quoted
}
