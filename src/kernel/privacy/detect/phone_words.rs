//! Telephone words in scripts other than Latin, whose letters folding does not keep.

/// First letter, words in lower case with it, longer ones first, and their languages; sorted.
#[rustfmt::skip]
pub(super) const WORDS: &[(char, &str, &str)] = &[
    ('κ', "κινητού κινητό κινητο κιν καλέστε", "Greek: mobile, call"),
    ('τ', "τηλεφώνου τηλέφωνο τηλεφωνο τηλέφωνα τηλ", "Greek: telephone"),
    ('φ', "φαξ", "Greek: fax"),
    ('з', "звоните звонить", "Russian: call"),
    ('м', "мобильный мобильного мобильник мобільний мобилен мобилни моб", "Russian, Ukrainian, Bulgarian, Serbian: mobile"),
    ('п', "позвоните позвонить", "Russian: call"),
    ('с', "сотовый сотового сот", "Russian: mobile"),
    ('т', "телефонов телефоном телефона телефону телефоне телефоны телефон тел", "Russian and others: telephone"),
    ('ф', "факс", "Russian and others: fax"),
    ('ב', "בטלפון", "Hebrew: by telephone"),
    ('ה', "הטלפון הנייד התקשרו", "Hebrew: the telephone, the mobile, call"),
    ('ט', "טלפון טל", "Hebrew: telephone"),
    ('נ', "נייד", "Hebrew: mobile"),
    ('ס', "סלולרי", "Hebrew: mobile"),
    ('פ', "פלאפון פקס", "Hebrew: mobile, fax"),
    ('ا', "الموبايل المحمول الهاتف الجوال اتصل", "Arabic: the mobile, the telephone, call"),
    ('ت', "تليفون تلفون تلفن", "Arabic, Persian: telephone"),
    ('ج', "جوال", "Arabic: mobile"),
    ('ف', "فاكس فون", "Arabic: fax; Urdu: telephone"),
    ('م', "موبايل موبایل محمول", "Arabic, Persian: mobile"),
    ('ه', "هاتف همراه", "Arabic: telephone; Persian: mobile"),
    ('क', "कॉल", "Hindi: call"),
    ('ट', "टेलीफ़ोन टेलीफोन", "Hindi: telephone"),
    ('द', "दूरभाष", "Hindi: telephone"),
    ('फ', "फ़ोन फोन", "Hindi: telephone"),
    ('म', "मोबाइल", "Hindi: mobile"),
    ('ม', "มือถือ", "Thai: mobile"),
    ('เ', "เบอร์", "Thai: number"),
    ('โ', "โทรศัพท์ โทร", "Thai: telephone, call"),
    ('ケ', "ケータイ", "Japanese: mobile"),
    ('传', "传真", "Chinese: fax"),
    ('座', "座机", "Chinese: landline"),
    ('手', "手机 手機", "Chinese: mobile"),
    ('拨', "拨打", "Chinese: dial"),
    ('携', "携帯", "Japanese: mobile"),
    ('热', "热线", "Chinese: hotline"),
    ('电', "电话", "Chinese: telephone"),
    ('致', "致电 致電", "Chinese: call"),
    ('連', "連絡先", "Japanese: contact"),
    ('電', "電話", "Chinese, Japanese: telephone"),
    ('모', "모바일", "Korean: mobile"),
    ('연', "연락처", "Korean: contact"),
    ('전', "전화", "Korean: telephone, call"),
    ('팩', "팩스", "Korean: fax"),
    ('핸', "핸드폰", "Korean: mobile"),
    ('휴', "휴대전화 휴대폰", "Korean: mobile"),
];

/// Characters that link it to its number where no spaces are written: number, is.
const LINKS: &[char] =
    &['号', '码', '號', '碼', '番', '是', '为', '為', 'は', '번', '호', '는', '은'];

/// The first character of the scripts after Latin.
const FIRST: char = '\u{370}';
/// Words of earlier scripts are separate words, those of later ones can be anywhere.
const UNSPACED: char = '\u{E00}';

/// Returns the length in bytes of the telephone word that starts at `at`, with linking characters, and its
/// folded form, which is not longer.
// [PRIV-16]
pub(in crate::kernel) fn phone_word(
    text: &str,
    at: usize,
    first: char,
) -> Option<(usize, &'static [u8])> {
    if first < FIRST {
        return None;
    }
    let mut lower = first.to_lowercase();
    let first_lower = lower.next()?;
    let row = WORDS.binary_search_by_key(&first_lower, |row| row.0).ok()?;
    let (before, tail) = text.split_at_checked(at)?;
    let letter = |next: Option<char>| first < UNSPACED && next.is_some_and(char::is_alphabetic);
    if letter(before.chars().next_back()) {
        return None;
    }
    let rest_of = |word: &str| {
        let mut rest = tail.chars();
        let same = word.chars().all(|each| {
            rest.next().is_some_and(|next| next == each || next.to_lowercase().eq([each]))
        });
        let rest = rest.as_str();
        (same && !letter(rest.chars().next())).then_some(rest)
    };
    let rest = WORDS.get(row)?.1.split(' ').find_map(rest_of)?;
    if first < UNSPACED {
        return Some((tail.len().checked_sub(rest.len())?, b"tel "));
    }
    Some((tail.len().checked_sub(rest.trim_start_matches(LINKS).len())?, b" tel "))
}

#[cfg(test)]
#[path = "../../../../conformance/unit/kernel/privacy/detect/phone_words.rs"]
mod tests;
