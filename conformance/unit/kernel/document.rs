//! Documents by declaration: what a reader refuses, where, and that what is written is read as the same.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::kernel::json::closed_object::DocumentErrorKind;
use serde_json::json;

string_enum! {
    /// A colour.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Colour {
        /// Red.
        Red = "red",
        /// Green.
        Green = "dark-green",
    }
}

object! {
    #[derive(Clone, Debug, PartialEq, Eq)]
    struct Shelf: FromJson + ToJson {
        name: String, text(|text| !text.contains(' '), "free of spaces");
        boxes: BTreeMap<String, Box>, keyed(0..=2, Box::read, |one| one.id.clone());
        labels: Vec<String> = Vec::new(),
            distinct(0..=3, text(|text| !text.is_empty(), "a label"), String::clone, "is there twice");
        spare: Option<Box> = None;
    }
}

object! {
    #[derive(Clone, Debug, PartialEq, Eq)]
    struct Box: FromJson + ToJson {
        id: String;
        colour: Colour = Colour::Red;
        /// Not the box's own name.
        inside: Option<String> = None, |place| other_than(place, &id);
    }
}

object! {
    #[derive(Debug, PartialEq, Eq)]
    struct Settings: FromJson {
        count: u8 = 3, integer(1..=8);
        sizes: Vec<u8> = Vec::new(), list(1..=usize::MAX, integer(0..=9));
        on: bool = true;
        either: Either = Either::Neither => either;
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Either {
    Neither,
    Left(bool),
    Right(bool),
}

fn either(object: &mut ClosedObject<'_>) -> Result<Either, DocumentError> {
    match (object.optional("left"), object.optional("right")) {
        (Some(_), Some(right)) => Err(right.bad_value("conflicts with `left`")),
        (Some(left), None) => left.boolean().map(Either::Left),
        (None, Some(right)) => right.boolean().map(Either::Right),
        (None, None) => Ok(Either::Neither),
    }
}

fn other_than(place: &Field<'_>, id: &str) -> Result<Option<String>, DocumentError> {
    let text = String::read(place)?;
    place.check(text != id, "must not be the id")?;
    Ok(Some(text))
}

impl Document for Shelf {
    const FORMAT: &'static str = "test-shelf/1";
    const BYTES_MAX: usize = 400;
    const INVALID: Code = Code::StoreInvalid;
}

/// The same form, of which nothing may be said.
struct KnownSecret(#[allow(dead_code)] Shelf);

impl Members for KnownSecret {
    fn members(object: &mut ClosedObject<'_>) -> Result<Self, DocumentError> {
        Shelf::members(object).map(KnownSecret)
    }
}

impl Document for KnownSecret {
    const FORMAT: &'static str = "test-shelf/1";
    const BYTES_MAX: usize = 400;
    const INVALID: Code = Code::SecretInvalid;
    const SECRET: bool = true;
}

fn full() -> Value {
    json!({
        "format": "test-shelf/1",
        "name": "top",
        "boxes": [{ "id": "b", "colour": "dark-green", "inside": "pens" }, { "id": "a" }],
        "labels": ["x", "y"],
        "spare": { "id": "b" },
    })
}

fn fault<T: FromJson + std::fmt::Debug>(value: &Value) -> (DocumentErrorKind, String) {
    let fault = T::read(&Field::new(value, "")).unwrap_err();
    (fault.kind, fault.pointer)
}

/// The full one with one member put, or (`None`) taken away.
fn changed(object: &str, member: &str, value: Option<Value>) -> Value {
    let mut document = full();
    let members = document.pointer_mut(object).unwrap().as_object_mut().unwrap();
    match value {
        Some(value) => drop(members.insert(member.to_owned(), value)),
        None => assert!(members.remove(member).is_some()),
    }
    document
}

fn refused(value: &Value) -> Error {
    parse::<Shelf>(value.to_string().as_bytes()).unwrap_err()
}

#[test]
fn a_member_that_is_not_declared_is_refused_in_every_object() {
    for object in ["", "/boxes/0", "/boxes/1", "/spare"] {
        let error = refused(&changed(object, "extra", Some(json!(null))));
        assert_eq!(error.code(), Code::StoreInvalid);
        assert_eq!(error.detail(), format!("{object}/extra: unknown key"));
    }
    let extra = fault::<Box>(&json!({ "id": "a", "x/y": 1 }));
    assert_eq!(extra, (DocumentErrorKind::UnknownKey, "/x~1y".to_owned()));
    // `format` is the document's, and no member of an object inside another.
    let inner = fault::<Shelf>(&full());
    assert_eq!(inner, (DocumentErrorKind::UnknownKey, "/format".to_owned()));
}

#[test]
fn a_member_without_a_meaning_for_its_absence_is_missed() {
    for (object, member) in
        [("", "format"), ("", "name"), ("", "boxes"), ("/boxes/1", "id"), ("/spare", "id")]
    {
        let error = refused(&changed(object, member, None));
        assert_eq!(error.detail(), format!("{object}/{member}: missing required key"));
    }
    assert_eq!(fault::<Box>(&json!({})), (DocumentErrorKind::MissingKey, "/id".to_owned()));
}

#[test]
fn null_is_a_value_of_the_wrong_type_and_not_an_absent_member() {
    for (object, member) in
        [("", "name"), ("", "boxes"), ("", "labels"), ("", "spare"), ("/boxes/0", "inside")]
    {
        let error = refused(&changed(object, member, Some(json!(null))));
        assert!(error.detail().starts_with(&format!("{object}/{member}: must be ")), "{error}");
    }
    for members in [json!({ "count": null }), json!({ "on": null }), json!({ "sizes": null })] {
        assert_eq!(fault::<Settings>(&members).0, DocumentErrorKind::WrongType);
    }
}

#[test]
fn a_value_that_its_rule_does_not_allow_is_refused_at_its_place() {
    for (object, member, value, place) in [
        ("", "name", json!("t op"), "/name"),
        ("", "labels", json!(["x", ""]), "/labels/1"),
        ("", "labels", json!(["x", "y", "x"]), "/labels/2"),
        ("", "labels", json!(["a", "b", "c", "d"]), "/labels"),
        ("", "boxes", json!([{ "id": "a" }, { "id": "a", "colour": "dark-green" }]), "/boxes/1"),
        ("", "boxes", json!([{ "id": "a" }, { "id": "b" }, { "id": "c" }]), "/boxes"),
        ("/boxes/0", "colour", json!("blue"), "/boxes/0/colour"),
        ("/boxes/0", "colour", json!("Red"), "/boxes/0/colour"),
        // A rule knows the members before it: here the id.
        ("/boxes/0", "inside", json!("b"), "/boxes/0/inside"),
    ] {
        let error = refused(&changed(object, member, Some(value)));
        assert!(error.detail().starts_with(&format!("{place}: ")), "{error}");
    }
    for members in [json!({ "count": 0 }), json!({ "count": 9 }), json!({ "count": 300 })] {
        assert_eq!(fault::<Settings>(&members), (DocumentErrorKind::BadValue, "/count".to_owned()));
    }
    assert_eq!(fault::<Settings>(&json!({ "count": 1.0 })).0, DocumentErrorKind::WrongType);
    assert_eq!(fault::<Settings>(&json!({ "sizes": [] })).1, "/sizes");
    assert_eq!(fault::<Settings>(&json!({ "sizes": [1, 10] })).1, "/sizes/1");
    assert_eq!(fault::<Settings>(&json!({ "left": true, "right": true })).1, "/right");
}

#[test]
fn an_absent_member_means_what_the_declaration_says() {
    let nothing = Settings::read(&Field::new(&json!({}), "")).unwrap();
    assert_eq!(nothing, Settings { count: 3, sizes: vec![], on: true, either: Either::Neither });
    assert_eq!(nothing, Settings::default());
    let some = json!({ "count": 8, "sizes": [0], "on": false, "right": false });
    let some = Settings::read(&Field::new(&some, "")).unwrap();
    let expected = Settings { count: 8, sizes: vec![0], on: false, either: Either::Right(false) };
    assert_eq!(some, expected);
    let left = Settings::read(&Field::new(&json!({ "left": true }), "")).unwrap();
    assert_eq!(left.either, Either::Left(true));
}

#[test]
fn what_is_written_is_read_as_the_same_and_written_the_same() {
    let read = parse::<Shelf>(full().to_string().as_bytes()).unwrap();
    assert_eq!(read.boxes.keys().collect::<Vec<_>>(), ["a", "b"]);
    let text = print(&read);
    assert_eq!(parse::<Shelf>(text.as_bytes()).unwrap(), read);
    assert_eq!(print(&parse::<Shelf>(text.as_bytes()).unwrap()), text);
    // No value represents an absent member.
    let bare = Shelf { labels: vec![], spare: None, boxes: BTreeMap::new(), ..read };
    let written: Value = serde_json::from_str(&print(&bare)).unwrap();
    let expected = json!({ "format": "test-shelf/1", "name": "top", "boxes": [], "labels": [] });
    assert_eq!(written, expected);
}

#[test]
fn no_other_format_no_duplicate_and_no_longer_or_deeper_text_is_a_document() {
    let good = full().to_string();
    let deep = format!("{}{}", "[".repeat(9), "]".repeat(9));
    for (what, with) in [
        ("test-shelf/1", "test-shelf/2"),
        ("\"test-shelf/1\"", "1"),
        ("\"name\":\"top\"", "\"name\":\"top\",\"name\":\"top\""),
        ("\"name\":\"top\"", "\"name\":\"top\",\"n\\u0061me\":\"low\""),
        ("\"id\":\"a\"", "\"id\":\"a\",\"id\":\"c\""),
        ("\"top\"", &deep),
        ("\"top\"", "\"top"),
        ("{", "[{"),
    ] {
        let bad = good.replacen(what, with, 1);
        assert_ne!(bad, good, "{what}");
        assert_eq!(parse::<Shelf>(bad.as_bytes()).unwrap_err().code(), Code::StoreInvalid);
    }
    let padded = |length: usize| good.clone() + &" ".repeat(length.saturating_sub(good.len()));
    assert!(parse::<Shelf>(padded(400).as_bytes()).is_ok());
    assert_eq!(
        parse::<Shelf>(padded(401).as_bytes()).unwrap_err().detail(),
        "document is 401 bytes, limit 400"
    );
    for text in ["", "null", "[]", "\"test-shelf/1\"", "{}"] {
        assert!(parse::<Shelf>(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn of_a_document_that_holds_secrets_no_fault_quotes_anything() {
    assert!(parse::<KnownSecret>(full().to_string().as_bytes()).is_ok());
    for bad in [
        changed("", "s3cr3t", Some(json!(1))).to_string(),
        changed("/boxes/0", "colour", Some(json!("s3cr3t"))).to_string(),
        full().to_string().replacen('{', "{\"s3cr3t\":1,\"s3cr3t\":2,", 1),
        full().to_string() + "s3cr3t",
    ] {
        let error = parse::<KnownSecret>(bad.as_bytes()).err().unwrap();
        assert_eq!(error.code(), Code::SecretInvalid);
        assert!(!error.to_string().contains("s3cr3t"), "{error}");
    }
}

#[test]
fn a_listed_text_is_read_as_its_value_and_no_other_text_is_read() {
    assert_eq!(Colour::ALL, [Colour::Red, Colour::Green]);
    for colour in Colour::ALL {
        assert_eq!(Colour::parse(colour.as_str()), Some(colour));
        assert_eq!(colour.to_string(), colour.as_str());
    }
    for text in ["", "Red", "red ", "green", "Green"] {
        assert_eq!(Colour::parse(text), None, "{text}");
    }
    let place = json!("blue");
    let fault = Colour::read(&Field::new(&place, "/c")).unwrap_err();
    assert_eq!(fault.what, "must be one of `red` `dark-green`");
}
