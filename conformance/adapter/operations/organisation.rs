//! Rotation statements and bundles: following one, and putting one into force.

use super::Case;
use mpp::bundle::{Root, SignedBundle};
use mpp::rotation::Rotation;
use mpp::{Error, Timestamp, TrustStore};
use serde_json::{json, Map, Value};

fn now(case: &Case<'_>) -> Timestamp {
    Timestamp::parse(case.text("now")).expect("a time")
}

pub fn rotate(case: &Case<'_>) -> Result<Value, Error> {
    let mut store = TrustStore::from_json(&case.file("trust"))?;
    store.rotate(&Rotation::from_json(case.text("statement").as_bytes())?, now(case))?;
    let row = |(publisher, key): (&mpp::trust::Publisher, &mpp::trust::PublisherKey)| {
        let until = key.valid_until.map(|until| until.to_string());
        (key.key_id.to_string(), json!({ "publisher": publisher.name, "valid_until": until }))
    };
    Ok(json!({ "keys": store.keys().map(row).collect::<Map<_, _>>() }))
}

pub fn bundle(case: &Case<'_>) -> Result<Value, Error> {
    let signed = SignedBundle::from_json(case.text("bundle").as_bytes())?;
    let root = Root::from_json(case.text("root").as_bytes())?;
    let bundle = root.open(&signed, now(case))?;
    if let Some(before) = case.optional_text("before") {
        bundle.check_follows(&SignedBundle::from_json(before.as_bytes())?, &signed)?;
    }
    let publishers: Vec<&str> = bundle.trust.publishers().map(|one| one.name.as_str()).collect();
    Ok(json!({ "sequence": bundle.sequence, "publishers": publishers }))
}
