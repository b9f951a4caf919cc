//! Why the filter finds a value: the rule in `spec/privacy.md`, and the context word without which it does not.
//! The word is found by trial: it is the true reason, even if the detectors change.

use mpp::privacy::{Finding, Kind, PrivacyFilterEngine, RedactionReport};
use serde_json::{json, Value};

/// The farthest words that are tried, in characters before and after a value.
const BEFORE_CHARS_MAX: usize = 96;
const AFTER_CHARS_MAX: usize = 24;

/// Returns a finding in a text as JSON, without its place.
pub fn finding(engine: &PrivacyFilterEngine, text: &str, found: &Finding) -> Value {
    let hint = hint(engine, text, found);
    let value = text.get(found.start..found.end).unwrap_or_default();
    let before = text.get(..found.start).unwrap_or_default();
    let rule = rule(found.kind, value, before, hint.is_some());
    json!({ "type": found.label, "kind": found.kind, "rule": rule, "hint": hint })
}

/// Returns the findings of a report about a JSON value, with their places.
pub fn places(engine: &PrivacyFilterEngine, value: &Value, applied: &RedactionReport) -> Value {
    let report = applied.to_json();
    let mut spans = Vec::new();
    for (kind, _) in applied.counts() {
        let places = report.get(kind).and_then(|tally| tally.get("at")).and_then(Value::as_array);
        for at in places.into_iter().flatten().filter_map(Value::as_str) {
            let mut span = place(engine, value, kind, at);
            if let Some(members) = span.as_object_mut() {
                members.insert("at".to_owned(), at.into());
            }
            spans.push(span);
        }
    }
    Value::Array(spans)
}

fn place(engine: &PrivacyFilterEngine, value: &Value, kind: &str, at: &str) -> Value {
    let text = match value.pointer(at) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    // The context of a key is that of the word before a value.
    let keys = at.rsplit('/').filter(|key| key.parse::<usize>().is_err());
    let named = keys.map(|key| format!("{key}: {text}"));
    for text in [text.clone()].into_iter().chain(named) {
        let found = engine.find(&text).unwrap_or_default();
        if let Some(found) = found.iter().find(|found| found.kind == kind) {
            return finding(engine, &text, found);
        }
    }
    let label =
        Kind::from_name(kind).map_or_else(|| kind.to_owned(), |kind| kind.label().to_owned());
    json!({ "type": label, "kind": kind, "rule": rule(kind, &text, "", false), "hint": null })
}

/// Returns the nearest word that makes the value a finding, or `None` if it is one alone.
fn hint<'a>(engine: &PrivacyFilterEngine, text: &'a str, found: &Finding) -> Option<&'a str> {
    let is_found = |from: usize, to: usize| {
        let piece = text.get(from..to).unwrap_or_default();
        let start = found.start.saturating_sub(from);
        let covers = |it: &Finding| it.kind == found.kind && (it.start..it.end).contains(&start);
        engine.find(piece).is_ok_and(|all| all.iter().any(covers))
    };
    let (before, after) = (text.get(..found.start)?, text.get(found.end..)?);
    if is_found(found.start, found.end) {
        return None;
    }
    let is_outside = |character: char| !character.is_alphanumeric() && character != '_';
    let length = after.char_indices().nth(AFTER_CHARS_MAX).map_or(after.len(), |it| it.0);
    let to = found.end.saturating_add(length);
    if is_found(found.start, to) {
        return after.split(is_outside).find(|word| !word.is_empty());
    }
    let from = before.char_indices().rev().nth(BEFORE_CHARS_MAX).map_or(0, |it| it.0);
    let starts = before.rmatch_indices(is_outside).map(|(at, it)| at.saturating_add(it.len()));
    starts.chain([0]).take_while(|start| *start >= from).find_map(|start| {
        let word = before.get(start..)?.split(is_outside).next()?;
        (!word.is_empty() && is_found(start, to)).then_some(word)
    })
}

/// The rule of each kind; some have another one by the form of the value.
const RULES: [(&str, &str); 34] = [
    ("secret", "SECRET-20"),
    ("private-key", "PRIV-100"),
    ("jwt", "PRIV-101"),
    ("api-key", "PRIV-103"),
    ("credential", "PRIV-105"),
    ("credit-card", "PRIV-31"),
    ("iban", "PRIV-45"),
    ("ssn", "PRIV-41"),
    ("itin", "PRIV-112"),
    ("aadhaar", "PRIV-113"),
    ("nhs-number", "PRIV-114"),
    ("npi", "PRIV-115"),
    ("sin", "PRIV-116"),
    ("aba-routing", "PRIV-117"),
    ("cpf", "PRIV-118"),
    ("cnpj", "PRIV-119"),
    ("nino", "PRIV-120"),
    ("codice-fiscale", "PRIV-121"),
    ("dni", "PRIV-122"),
    ("nie", "PRIV-123"),
    ("pesel", "PRIV-124"),
    ("bsn", "PRIV-125"),
    ("steuer-id", "PRIV-126"),
    ("personnummer", "PRIV-127"),
    ("india-pan", "PRIV-128"),
    ("nir", "PRIV-129"),
    ("ahv", "PRIV-130"),
    ("hetu", "PRIV-131"),
    ("email", "PRIV-35"),
    ("ip-address", "PRIV-50"),
    ("passport", "PRIV-58"),
    ("drivers-license", "PRIV-59"),
    ("date-of-birth", "PRIV-56"),
    ("phone", "PRIV-65"),
];

/// Returns the rule that finds a value of this kind, by its form and the text before it. Other names than those
/// of `RULES` are custom patterns.
fn rule(kind: &str, value: &str, before: &str, has_hint: bool) -> &'static str {
    match kind {
        "credential" if is_in_url(before) => "PRIV-104",
        "credit-card" if has_hint => "PRIV-33",
        "ip-address" if value.contains(':') => "PRIV-52",
        "date-of-birth" if value.contains(char::is_alphabetic) => "PRIV-57",
        "phone" => phone_rule(value),
        _ => RULES.iter().find(|(name, _)| *name == kind).map_or("PRIV-94", |(_, rule)| *rule),
    }
}

/// Returns `true` before the password in `scheme://user:password@host`.
fn is_in_url(before: &str) -> bool {
    let user = before.rsplit("//").next().unwrap_or_default();
    user.len() < before.len() && user.ends_with(':') && !user.contains(char::is_whitespace)
}

fn phone_rule(value: &str) -> &'static str {
    let groups: Vec<&str> =
        value.split(|it: char| !it.is_numeric()).filter(|group| !group.is_empty()).collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.chars().count()).collect();
    match (value.chars().next(), lengths.as_slice()) {
        (Some('+' | '＋'), _) => "PRIV-60",
        (Some('('), _) if value.starts_with("(+") => "PRIV-60",
        (Some('('), _) => "PRIV-62",
        _ if groups.len() >= 3 && (value.starts_with("00") || value.starts_with("011")) => {
            "PRIV-61"
        }
        (_, [3, 3, 4, ..] | [1, 3, 3, 4, ..]) => "PRIV-63",
        (Some('0'), [_, _, ..]) => "PRIV-64",
        (_, [_]) => "PRIV-66",
        _ => "PRIV-65",
    }
}
