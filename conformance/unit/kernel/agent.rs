use super::*;

#[test]
fn a_name_keeps_nothing_hidden_and_not_more_than_the_limit() {
    let agent = Agent::self_reported(" a\u{202e}b\n ", Some("\t")).unwrap();
    assert_eq!(agent.to_json(), json!({ "name": "ab" }));
    let long = Agent::self_reported(&"é".repeat(9_999), None).unwrap();
    assert_eq!(long.name().chars().count(), AGENT_NAME_CHARS_MAX);
}

#[test]
fn a_value_that_is_not_client_info_names_no_agent() {
    for info in [json!(null), json!([]), json!({}), json!({"name": 7}), json!({"name": ""})] {
        assert_eq!(Agent::from_client_info(&info), None, "{info}");
    }
}

#[test]
fn only_a_whole_traceparent_is_one() {
    let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    assert!(is_traceparent(good));
    let zeros = format!("00-{}-b7ad6b7169203331-01", "0".repeat(32));
    let no_parent = format!("00-0af7651916cd43dd8448eb211c80319c-{}-01", "0".repeat(16));
    let newer = good.replacen("00", "ff", 1);
    for bad in [&zeros, &no_parent, &newer, &good.to_uppercase(), &format!("{good}-"), ""] {
        assert!(!is_traceparent(bad), "{bad}");
    }
    for length in 0..good.len() {
        assert!(!is_traceparent(&good[..length]));
    }
}
