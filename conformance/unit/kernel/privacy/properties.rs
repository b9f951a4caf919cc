//! What holds for any text and any document, on texts made by a small seeded generator.
#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, clippy::unwrap_used)]

use super::{all, custom};
use crate::kernel::privacy::{PrivacyFilterEngine, Replacement, WITHHELD};
use serde_json::{json, Map, Value};

/// Values that prove themselves, in forms that never depend on their surroundings.
const PLANTED: [&str; 12] = [
    "ann.smith@mail.example",
    "4012888888881881",
    "3714 496353 98431",
    "536-33-3955",
    "GB29 NWBK 6016 1331 9268 19",
    "DE89370400440532013000",
    "203.0.113.77",
    "2001:db8::7:1",
    "+44 20 7946 0958",
    "AKIAIOSFODNN7EXAMPLE",
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
];

/// A generator of Marsaglia's xorshift kind.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() >> 16).unwrap() % end
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// Pieces that scanners stop at, words that hint, digits, and characters that fold.
    fn noise(&mut self) -> String {
        const PIECES: [&str; 64] = [
            "0",
            "1",
            "12",
            "415",
            "4012",
            "8888",
            "555-0132",
            "(",
            ")",
            "+",
            "-",
            ".",
            "/",
            ":",
            "::",
            "@",
            "%40",
            "%",
            "\\n",
            "\\u0040",
            "\\",
            "\"",
            "[",
            "]",
            "[EMAIL]",
            "{",
            "}",
            ",",
            " ",
            "  ",
            "\n",
            "\u{200B}",
            "\u{AD}",
            "٤",
            "０",
            "é",
            "汉",
            "а",
            "🦀",
            "phone",
            "card ",
            "born ",
            "passport",
            "GB29",
            "a@b.co",
            "x",
            "ext",
            "fe80",
            "ghp_",
            "xoxb-",
            "eyJ",
            "AKIAIOSFODNN7EXAMPLE",
            "-----BEGIN PRIVATE KEY-----",
            "-----END ",
            "nhs ",
            "dob",
            "März",
            "ssn ",
            "sin ",
            "\r\n",
            ".\n",
            "sk-ant-a0b1c2d3e4f5a6b7c8d9",
            "21",
            "1985",
        ];
        (0..self.below(24)).map(|_| self.pick(&PIECES)).collect()
    }

    /// Words around at most one planted value.
    fn sentence(&mut self) -> String {
        const WORDS: [&str; 12] = [
            "the",
            "report",
            "was",
            "sent",
            "über",
            "to",
            "12",
            "3.5",
            "2024-01-15",
            "x-1",
            "ok",
            "汉字",
        ];
        let mut words: Vec<&str> = (0..self.below(6)).map(|_| self.pick(&WORDS)).collect();
        if self.below(3) > 0 {
            let place = self.below(words.len() + 1);
            words.insert(place, self.pick(&PLANTED));
        }
        words.join("; ")
    }

    fn document(&mut self, depth: usize) -> Value {
        match self.below(if depth == 0 { 4 } else { 7 }) {
            0 => json!(self.below(100_000)),
            1 => json!(f64::from(u32::try_from(self.below(1_000_000)).unwrap()) / 64.0),
            2 | 3 => json!(self.sentence()),
            4 => Value::Array((0..self.below(4)).map(|_| self.document(depth - 1)).collect()),
            5 => json!(self.document(depth - 1).to_string()),
            _ => {
                let member = |_| (self.sentence(), self.document(depth - 1));
                Value::Object((0..3).map(member).collect::<Map<String, Value>>())
            }
        }
    }
}

/// The same types at the same places; a number may have become a string.
fn same_shape(before: &Value, after: &Value) -> bool {
    match (before, after) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_shape(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            let kinds = |object: &Map<String, Value>| {
                let mut kinds: Vec<u8> = object.values().map(rank).collect();
                kinds.sort_unstable();
                kinds
            };
            a.len() == b.len() && kinds(a) == kinds(b)
        }
        (Value::Number(_), Value::String(label)) => label.starts_with('['),
        (Value::String(a), Value::String(b)) => match serde_json::from_str::<Value>(a) {
            Ok(a) if !a.is_number() => same_shape(&a, &serde_json::from_str(b).unwrap()),
            _ => true,
        },
        (a, b) => a == b,
    }
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) | Value::String(_) => 2,
        Value::Array(_) => 3,
        Value::Object(_) => 4,
    }
}

#[test]
fn no_planted_value_survives_in_a_random_document() {
    let engine = all();
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for round in 0..3_000 {
        let document = random.document(4);
        let (filtered, applied) = engine.redact_json(&document);
        assert_eq!(applied.withheld(), None, "round {round}: {document}");
        let text = filtered.to_string();
        for planted in PLANTED {
            assert!(!text.contains(planted), "round {round}: {planted} in {text}\nof {document}");
        }
        assert!(same_shape(&document, &filtered), "round {round}: {document}\n{filtered}");
        let (again, nothing) = engine.redact_json(&filtered);
        assert!(again == filtered && nothing.is_empty(), "round {round}: {filtered}\n{again}");
    }
}

#[test]
fn filtering_again_changes_nothing_however_values_are_replaced() {
    let mut random = Random(0x5DEE_CE66_D154_21F3);
    for replacement in Replacement::ALL {
        let engine = all().with_replacement(replacement, [3; 32]);
        for _ in 0..1_000 {
            let document = json!([random.document(3), random.noise()]);
            let Ok((filtered, _)) = engine.try_redact_json(&document) else {
                panic!("{document} is withheld");
            };
            let (again, nothing) = engine.redact_json(&filtered);
            assert!(again == filtered && nothing.is_empty(), "{document}\n{filtered}\n{again}");
        }
    }
}

#[test]
fn a_document_without_values_is_unchanged() {
    let engine = all();
    let mut random = Random(77);
    for _ in 0..2_000 {
        let document = random.document(3);
        if !PLANTED.iter().any(|planted| document.to_string().contains(planted)) {
            let (filtered, applied) = engine.redact_json(&document);
            assert!(filtered == document && applied.is_empty(), "{document}\n{filtered}");
        }
    }
}

#[test]
fn any_text_is_filtered_to_rest_without_a_panic_and_only_where_something_was_found() {
    let engine = all();
    let mut random = Random(42);
    for _ in 0..20_000 {
        let text = random.noise();
        let hits = engine.find(&text).unwrap();
        let mut last = 0;
        for hit in &hits {
            assert!(hit.start >= last && hit.start < hit.end, "{text:?}");
            assert!(text.is_char_boundary(hit.start) && text.is_char_boundary(hit.end), "{text:?}");
            last = hit.end;
        }
        let Ok((filtered, applied)) = engine.redact_text(&text) else {
            continue;
        };
        assert_eq!(engine.find(&filtered).unwrap(), [], "{text:?} -> {filtered:?}");
        assert_eq!(hits.is_empty(), applied.is_empty(), "{text:?}");
        if hits.is_empty() {
            assert_eq!(filtered, text);
        }
        let (head, tail) = match (hits.first(), hits.last()) {
            (Some(first), Some(last)) => (&text[..first.start], &text[last.end..]),
            _ => continue,
        };
        if applied.total() == u64::try_from(hits.len()).unwrap() {
            assert!(
                filtered.starts_with(head) && filtered.ends_with(tail),
                "{text:?} {filtered:?}"
            );
        }
    }
}

#[test]
fn values_are_found_in_every_disguise_that_folding_undoes() {
    let spread = |by: &str, text: &str| {
        let apart: Vec<String> = text.chars().map(String::from).collect();
        apart.join(by)
    };
    let map =
        |text: &str, change: &dyn Fn(char) -> char| text.chars().map(change).collect::<String>();
    let digits = |zero: u32| {
        move |c: char| match c.to_digit(10) {
            Some(value) => char::from_u32(zero + value).unwrap(),
            None => c,
        }
    };
    let wide = |c: char| match c {
        '!'..='~' => char::from_u32(u32::from(c) + 0xFEE0).unwrap(),
        c => c,
    };
    for planted in PLANTED {
        // They are case-sensitive.
        let secret = ["AKIA", "ghp_", "eyJ"].iter().any(|prefix| planted.starts_with(prefix));
        let percent: String = planted
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() {
                    c.to_string()
                } else {
                    format!("%{:02X}", u32::from(c))
                }
            })
            .collect();
        let escaped: String = planted.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
        for disguise in [
            spread("\u{200B}", planted),
            spread("\u{2060}", planted),
            spread("\u{AD}", planted),
            map(planted, &digits(0x660)),
            map(planted, &digits(0x966)),
            map(planted, &digits(0x1D7CE)),
            map(planted, &wide),
            planted.replace(' ', "\u{A0}").replace('-', "\u{2013}"),
            planted.replace(' ', "\u{2009}").replace('-', "\u{2212}"),
            planted.replace('a', "а").replace('e', "е").replace('o', "о"),
            if secret { planted.to_owned() } else { planted.to_uppercase() },
            if secret { planted.to_owned() } else { planted.to_lowercase() },
            format!("\\n{planted}\\n"),
            format!("\\\\n{planted}\\\\n"),
            percent,
            escaped.replace('\\', "\\\\"),
            escaped,
        ] {
            let text = format!("so {disguise} it is");
            let (filtered, _) = all().redact_text(&text).unwrap();
            let kept = filtered.replace("\\n", "").replace("\\\\n", "").replace('\\', "");
            let label = kept.strip_prefix("so [").and_then(|rest| rest.strip_suffix("] it is"));
            assert!(label.is_some_and(|label| !label.contains('[')), "{text:?} -> {filtered:?}");
        }
    }
}

#[test]
fn a_document_in_strings_deeper_than_the_limit_is_still_filtered() {
    let mut document = json!({ "to": "ann.smith@mail.example", "n": 1 });
    for layer in 0..9 {
        document = json!({ "layer": layer, "text": document.to_string() });
        let (filtered, applied) = all().redact_json(&document);
        assert_eq!(applied.total(), 1);
        assert!(!filtered.to_string().contains("ann"), "{filtered}");
    }
}

#[test]
fn rows_of_values_come_to_rest() {
    for unit in
        ["012 345 6789 ", "415-555-0132 ", "4012888888881881 ", "a@b.co@", "10.0.0.1 ", "+44 20 "]
    {
        let text = unit.repeat(400);
        let (filtered, applied) = all().redact_json(&json!(text));
        assert_eq!(applied.withheld(), None, "{unit}");
        assert_ne!(filtered, json!(WITHHELD));
    }
}

#[test]
fn a_custom_pattern_for_anything_leaves_only_labels() {
    let patterns = [custom("ANY", "[a-zA-Z0-9 @.]+")];
    let engine = PrivacyFilterEngine::from_config(&["email".to_owned()], &patterns).unwrap();
    let (filtered, applied) = engine.redact_json(&json!({ "key": "ann@b.example [EMAIL] x" }));
    assert_eq!(applied.withheld(), None);
    assert_eq!(filtered, json!({ "[ANY]": "[ANY][EMAIL][ANY]" }));
}
