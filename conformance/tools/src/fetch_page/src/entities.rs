//! Character references of HTML: by number, and by those names that pages use. Others stay as they are.

/// Sorted by name.
#[rustfmt::skip]
const NAMES: [(&str, u32); 326] = [
    ("AElig", 198), ("AMP", 38), ("Aacute", 193), ("Acirc", 194), ("Agrave", 192), ("Alpha", 913),
    ("Aring", 197), ("Atilde", 195), ("Auml", 196), ("Beta", 914), ("COPY", 169), ("Ccaron", 268),
    ("Ccedil", 199), ("Chi", 935), ("Dagger", 8225), ("Delta", 916), ("ETH", 208), ("Eacute", 201),
    ("Ecirc", 202), ("Egrave", 200), ("Epsilon", 917), ("Eta", 919), ("Euml", 203), ("GT", 62),
    ("Gamma", 915), ("Iacute", 205), ("Icirc", 206), ("Idot", 304), ("Igrave", 204), ("Iota", 921),
    ("Iuml", 207), ("Kappa", 922), ("LT", 60), ("Lambda", 923), ("Lstrok", 321), ("Mu", 924),
    ("NewLine", 10), ("Ntilde", 209), ("Nu", 925), ("OElig", 338), ("Oacute", 211), ("Ocirc", 212),
    ("Ograve", 210), ("Omega", 937), ("Omicron", 927), ("Oslash", 216), ("Otilde", 213),
    ("Ouml", 214), ("Phi", 934), ("Pi", 928), ("Prime", 8243), ("Psi", 936), ("QUOT", 34),
    ("REG", 174), ("Rho", 929), ("Scaron", 352), ("Sigma", 931), ("THORN", 222), ("Tab", 9),
    ("Tau", 932), ("Theta", 920), ("Uacute", 218), ("Ucirc", 219), ("Ugrave", 217),
    ("Upsilon", 933), ("Uuml", 220), ("Xi", 926), ("Yacute", 221), ("Yuml", 376), ("Zcaron", 381),
    ("Zeta", 918), ("aacute", 225), ("abreve", 259), ("acirc", 226), ("acute", 180), ("aelig", 230),
    ("agrave", 224), ("alefsym", 8501), ("alpha", 945), ("amacr", 257), ("amp", 38), ("and", 8743),
    ("ang", 8736), ("aogon", 261), ("apos", 39), ("aring", 229), ("ast", 42), ("asymp", 8776),
    ("atilde", 227), ("auml", 228), ("bdquo", 8222), ("beta", 946), ("brvbar", 166), ("bsol", 92),
    ("bull", 8226), ("cacute", 263), ("cap", 8745), ("ccaron", 269), ("ccedil", 231),
    ("cedil", 184), ("cent", 162), ("check", 10003), ("chi", 967), ("circ", 710), ("clubs", 9827),
    ("colon", 58), ("comma", 44), ("commat", 64), ("cong", 8773), ("copy", 169), ("crarr", 8629),
    ("cross", 10007), ("cup", 8746), ("curren", 164), ("dArr", 8659), ("dagger", 8224),
    ("darr", 8595), ("dash", 8208), ("deg", 176), ("delta", 948), ("diams", 9830), ("divide", 247),
    ("dollar", 36), ("eacute", 233), ("ecaron", 283), ("ecirc", 234), ("egrave", 232),
    ("emacr", 275), ("empty", 8709), ("emsp", 8195), ("ensp", 8194), ("eogon", 281),
    ("epsilon", 949), ("equals", 61), ("equiv", 8801), ("eta", 951), ("eth", 240), ("euml", 235),
    ("euro", 8364), ("excl", 33), ("exist", 8707), ("fnof", 402), ("forall", 8704), ("frac12", 189),
    ("frac14", 188), ("frac34", 190), ("frasl", 8260), ("gamma", 947), ("gbreve", 287),
    ("ge", 8805), ("grave", 96), ("gt", 62), ("hArr", 8660), ("hairsp", 8202),
    ("harr", 8596), ("hearts", 9829), ("hellip", 8230), ("horbar", 8213), ("hyphen", 8208),
    ("iacute", 237), ("icirc", 238), ("iexcl", 161), ("igrave", 236), ("imacr", 299),
    ("image", 8465), ("infin", 8734), ("inodot", 305), ("int", 8747), ("iota", 953),
    ("iquest", 191), ("isin", 8712), ("iuml", 239), ("kappa", 954), ("lArr", 8656), ("lambda", 955),
    ("lang", 9001), ("laquo", 171), ("larr", 8592), ("lbrace", 123), ("lbrack", 91),
    ("lceil", 8968), ("lcub", 123), ("ldquo", 8220), ("le", 8804), ("lfloor", 8970),
    ("lowast", 8727), ("lowbar", 95), ("loz", 9674), ("lpar", 40), ("lrm", 8206), ("lsaquo", 8249),
    ("lsqb", 91), ("lsquo", 8216), ("lstrok", 322), ("lt", 60), ("macr", 175), ("mdash", 8212),
    ("micro", 181), ("middot", 183), ("minus", 8722), ("mu", 956), ("nabla", 8711), ("nacute", 324),
    ("nbsp", 160), ("ndash", 8211), ("ne", 8800), ("ni", 8715), ("not", 172), ("notin", 8713),
    ("nsub", 8836), ("ntilde", 241), ("nu", 957), ("num", 35), ("oacute", 243), ("ocirc", 244),
    ("odblac", 337), ("oelig", 339), ("ograve", 242), ("oline", 8254), ("omacr", 333),
    ("omega", 969), ("omicron", 959), ("oplus", 8853), ("or", 8744), ("ordf", 170), ("ordm", 186),
    ("oslash", 248), ("otilde", 245), ("otimes", 8855), ("ouml", 246), ("para", 182),
    ("part", 8706), ("percnt", 37), ("period", 46), ("permil", 8240), ("perp", 8869), ("phi", 966),
    ("phone", 9742), ("pi", 960), ("piv", 982), ("plus", 43), ("plusmn", 177), ("pound", 163),
    ("prime", 8242), ("prod", 8719), ("prop", 8733), ("psi", 968), ("quest", 63), ("quot", 34),
    ("rArr", 8658), ("radic", 8730), ("rang", 9002), ("raquo", 187), ("rarr", 8594),
    ("rbrace", 125), ("rbrack", 93), ("rcaron", 345), ("rceil", 8969), ("rcub", 125),
    ("rdquo", 8221), ("real", 8476), ("reg", 174), ("rfloor", 8971), ("rho", 961), ("rlm", 8207),
    ("rpar", 41), ("rsaquo", 8250), ("rsqb", 93), ("rsquo", 8217), ("sacute", 347), ("sbquo", 8218),
    ("scaron", 353), ("scedil", 351), ("sdot", 8901), ("sect", 167), ("semi", 59), ("shy", 173),
    ("sigma", 963), ("sigmaf", 962), ("sim", 8764), ("sol", 47), ("spades", 9824), ("star", 9734),
    ("starf", 9733), ("sub", 8834), ("sube", 8838), ("sum", 8721), ("sup", 8835), ("sup1", 185),
    ("sup2", 178), ("sup3", 179), ("supe", 8839), ("szlig", 223), ("tau", 964), ("there4", 8756),
    ("theta", 952), ("thetasym", 977), ("thinsp", 8201), ("thorn", 254), ("tilde", 732),
    ("times", 215), ("trade", 8482), ("uArr", 8657), ("uacute", 250), ("uarr", 8593),
    ("ucirc", 251), ("udblac", 369), ("ugrave", 249), ("umacr", 363), ("uml", 168), ("upsih", 978),
    ("upsilon", 965), ("uuml", 252), ("verbar", 124), ("vert", 124), ("weierp", 8472), ("xi", 958),
    ("yacute", 253), ("yen", 165), ("yuml", 255), ("zacute", 378), ("zcaron", 382), ("zdot", 380),
    ("zeta", 950), ("zwj", 8205), ("zwnj", 8204),
];

/// What browsers make of references to the control characters U+0080 to U+009F: those of windows-1252.
#[rustfmt::skip]
pub const WINDOWS_1252: [char; 32] = [
    '\u{20ac}', '\u{81}', '\u{201a}', '\u{192}', '\u{201e}', '\u{2026}', '\u{2020}', '\u{2021}',
    '\u{2c6}', '\u{2030}', '\u{160}', '\u{2039}', '\u{152}', '\u{8d}', '\u{17d}', '\u{8f}',
    '\u{90}', '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}', '\u{2022}', '\u{2013}', '\u{2014}',
    '\u{2dc}', '\u{2122}', '\u{161}', '\u{203a}', '\u{153}', '\u{9d}', '\u{17e}', '\u{178}',
];

/// Replaces the references in a text. In an attribute a name without its semicolon may be a part of a query
/// (`?a=1&copy=2`), and is left alone where it could be.
pub fn decode(text: &str, in_attribute: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        match reference(rest, in_attribute) {
            Some((character, length)) => {
                out.push(character);
                rest = &rest[length..];
            }
            None => out.push('&'),
        }
    }
    out.push_str(rest);
    out
}

/// The character that the text behind an ampersand stands for, and how long its name is.
fn reference(text: &str, in_attribute: bool) -> Option<(char, usize)> {
    if let Some(number) = text.strip_prefix('#') {
        let (digits, radix, prefix) = match number.strip_prefix(|c| c == 'x' || c == 'X') {
            Some(digits) => (digits, 16, 2),
            None => (number, 10, 1),
        };
        let count = digits.bytes().take_while(|byte| char::from(*byte).is_digit(radix)).count();
        if count == 0 {
            return None;
        }
        let semicolon = usize::from(digits[count..].starts_with(';'));
        let code = u32::from_str_radix(&digits[..count], radix).unwrap_or(u32::MAX);
        return Some((numbered(code), prefix + count + semicolon));
    }
    let count = text.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let at = NAMES.binary_search_by(|(name, _)| (*name).cmp(&text[..count])).ok()?;
    let code = NAMES[at].1;
    if text[count..].starts_with(';') {
        return Some((char::from_u32(code)?, count + 1));
    }
    // Only the oldest names do without.
    let is_old = matches!(code, 34 | 38 | 60 | 62 | 160..=255);
    let is_query = in_attribute && text[count..].starts_with('=');
    (is_old && !is_query).then(|| char::from_u32(code)).flatten().map(|found| (found, count))
}

fn numbered(code: u32) -> char {
    match code {
        0x80..=0x9f => WINDOWS_1252[code as usize - 0x80],
        0 => char::REPLACEMENT_CHARACTER,
        _ => char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_decoded_and_what_is_none_is_left_alone() {
        assert!(NAMES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for (text, expected) in [
            ("a &amp; b &lt;&gt; &quot;&apos;", "a & b <> \"'"),
            ("&eacute;&Eacute;&euro;&hellip;", "\u{e9}\u{c9}\u{20ac}\u{2026}"),
            ("&#233;&#xE9;&#Xe9", "\u{e9}\u{e9}\u{e9}"),
            ("&#128;&#x99;", "\u{20ac}\u{2122}"),
            ("&#0;&#xD800;&#x110000;&#99999999999999;", "\u{fffd}\u{fffd}\u{fffd}\u{fffd}"),
            ("&copy 2024 &euro 5", "\u{a9} 2024 &euro 5"),
            ("& &; &# &#x &#; &nosuch; &amp", "& &; &# &#x &#; &nosuch; &"),
            ("&amp;lt;", "&lt;"),
        ] {
            assert_eq!(decode(text, false), expected);
        }
        assert_eq!(decode("?a=1&copy=2&lt=3&amp;b=4&copy", true), "?a=1&copy=2&lt=3&b=4\u{a9}");
        assert_eq!(decode("&copy=2", false), "\u{a9}=2");
    }
}
