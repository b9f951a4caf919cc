//! Text from an adapter, made safe to show: it can hold terminal escapes, markup and invisible characters.

/// The text with every character that is not shown as itself by its number.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_hidden(letter) {
            shown.extend(letter.escape_unicode());
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// Control characters, those that change the direction or have no width, and those that XML does not allow.
fn is_hidden(letter: char) -> bool {
    let hidden = [
        '\u{ad}'..='\u{ad}',
        '\u{61c}'..='\u{61c}',
        '\u{180e}'..='\u{180e}',
        '\u{200b}'..='\u{200f}',
        '\u{2028}'..='\u{202e}',
        '\u{2060}'..='\u{206f}',
        '\u{feff}'..='\u{feff}',
        '\u{fff0}'..='\u{ffff}',
        '\u{e0000}'..='\u{e0fff}',
    ];
    letter.is_control() || hidden.iter().any(|range| range.contains(&letter))
}

/// The text as content or as a quoted attribute of XML and HTML.
pub fn markup(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in visible(text).chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(letter),
        }
    }
    escaped
}

/// At most this number of characters, with an ellipsis where there were more.
pub fn short(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The line, broken before words that go beyond `width`. Further lines begin two characters more to the right.
pub fn wrapped(line: &str, width: usize) -> String {
    let (start, mut length) = (line.len() - line.trim_start().len(), 0);
    let mut lines = " ".repeat(start);
    for word in line[start..].split(' ') {
        let letters = word.chars().count();
        if length > 0 && start + length + 1 + letters > width {
            lines.push('\n');
            lines.push_str(&" ".repeat(start + 2));
            length = 2;
        } else if length > 0 {
            lines.push(' ');
            length += 1;
        }
        lines.push_str(word);
        length += letters;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_not_be_seen_is_shown_by_its_number() {
        assert_eq!(
            visible("a\u{1b}[2Jb\u{202e}c\u{0}\u{9b}é漢"),
            "a\\u{1b}[2Jb\\u{202e}c\\u{0}\\u{9b}é漢"
        );
        assert_eq!(markup("<script>\u{8}&\"'"), "&lt;script&gt;\\u{8}&amp;&quot;&#39;");
        assert_eq!(short("äöü", 2), "äö…");
        assert_eq!(short("äö", 2), "äö");
    }

    #[test]
    fn lines_are_no_longer_than_the_width_unless_one_word_is() {
        assert_eq!(wrapped("one two three", 8), "one two\n  three");
        assert_eq!(wrapped("  one  much-too-long", 8), "  one \n    much-too-long");
    }
}
