use super::*;
use crate::kernel::module::tests::manifest;
use crate::kernel::package::manifest::CustomPattern;

#[test]
fn what_needs_a_regular_expression_is_refused_where_none_can_be_matched() {
    let (plain, policy) = (manifest(16), PermissionPolicy::new());
    let custom = CustomPattern { name: "ID".to_owned(), pattern: "ID-[0-9]{4}".to_owned() };
    let mut filtering = plain.clone();
    filtering.privacy_filters.custom.push(custom.clone());
    let mut checking = plain.clone();
    let schema =
        json!({"type": "object", "properties": {"a": {"type": "string", "pattern": "^x"}}});
    checking.tools[0].parameters = Schema::read(&schema, "").unwrap();
    let mut asking = policy.clone();
    asking.privacy_filters.always.custom.push(custom);
    for (manifest, policy) in [(&filtering, &policy), (&checking, &policy), (&plain, &asking)] {
        let refused = check_patterns(false, manifest, policy).unwrap_err();
        assert_eq!(refused.code(), Code::HostPatterns);
        assert_eq!(check_patterns(true, manifest, policy), Ok(()));
    }
    assert_eq!(check_patterns(false, &plain, &policy), Ok(()));
}
