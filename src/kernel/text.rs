//! Room: text that comes from outside and is shown to people or models: which characters hide
//! something, and how a piece of such text is quoted.

use crate::kernel::prelude::*;

/// Longest piece of foreign text, in characters, that a message quotes.
const SHOWN_CHARS_MAX: usize = 160;

/// Whether a character is a control character, is invisible, or turns the direction of the text around
/// it. Joiners and the two selectors of emoji are part of how scripts are written, so they do not count.
// [MAN-07]
#[must_use]
pub fn is_hidden(character: char) -> bool {
    match character {
        '\u{200C}' | '\u{200D}' | '\u{FE0E}' | '\u{FE0F}' => false,
        '\u{2028}' | '\u{2029}' => true,
        other => other.is_control() || is_ignorable(other),
    }
}

/// Whether a character shows nothing by itself: what Unicode calls Default_Ignorable_Code_Point, and
/// annotations.
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

/// Foreign text as a message may quote it: hidden characters written as `\u{202e}`, and the rest of a
/// long one left out.
///
/// ```
/// assert_eq!(mpp::text::shown("a\u{202e}b\n"), "a\\u{202e}b\\u{a}");
/// ```
#[must_use]
pub fn shown(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars().take(SHOWN_CHARS_MAX) {
        match is_hidden(character) {
            true => shown.extend(character.escape_unicode()),
            false => shown.push(character),
        }
    }
    if text.chars().nth(SHOWN_CHARS_MAX).is_some() {
        shown.push_str("...");
    }
    shown
}
