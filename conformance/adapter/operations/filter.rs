//! One value through the privacy filter.

use super::Case;
use mpp::encoding::unhex;
use mpp::package::manifest::{CustomPattern, PrivacyFilters};
use mpp::privacy::{Kind, Replacement};
use mpp::{Error, PermissionPolicy, PrivacyFilterEngine};
use serde_json::{json, Value};

pub fn filter(case: &Case<'_>) -> Result<Value, Error> {
    let texts = |value: &Value| {
        let items = value.as_array().into_iter().flatten();
        items.filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
    };
    let patterns = match case.input.get("patterns") {
        Some(names) => texts(names),
        None => Kind::ALL.iter().map(|kind| kind.name().to_owned()).collect(),
    };
    let custom = case.input.get("custom").and_then(Value::as_array).into_iter().flatten();
    let text = |pattern: &Value, member: &str| pattern[member].as_str().expect("a text").to_owned();
    let custom = custom
        .map(|each| CustomPattern { name: text(each, "name"), pattern: text(each, "pattern") });
    let custom: Vec<_> = custom.collect();
    let key = case.optional_text("key").map_or([0; 32], |key| unhex(key).expect("a key"));
    let replacement = case.optional_text("replacement").unwrap_or("label");
    let engine = match case.input.get("policy") {
        None => PrivacyFilterEngine::from_config(&patterns, &custom)?,
        Some(rules) => {
            let policy = json!({ "format": "mpp-policy/1", "privacy_filters": rules });
            let policy = PermissionPolicy::from_json(policy.to_string().as_bytes())?;
            policy.privacy_filter("org.example.tool", &PrivacyFilters { patterns, custom })?
        }
    };
    let replacement = Replacement::parse(replacement).expect("a replacement");
    let (value, applied) =
        engine.with_replacement(replacement, key).try_redact_json(&case.input["value"])?;
    Ok(json!({ "value": value, "applied": applied.to_json() }))
}
