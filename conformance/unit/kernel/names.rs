use super::*;
use crate::kernel::package::is_module_entry;

#[test]
fn a_port_of_a_second_spelling_is_rejected() {
    assert_eq!((read_port("1"), read_port("65535")), (Some(1), Some(65_535)));
    for text in ["", "0", "080", "+80", "-1", " 80", "80 ", "65536", "8o"] {
        assert_eq!(read_port(text), None, "{text:?}");
        assert!(!is_host_and_port(&format!("example.com:{text}")), "{text:?}");
    }
    assert!(is_host_and_port("example.com:80") && !is_host_and_port("example.com:443"));
}

#[test]
fn a_label_of_a_domain_is_rejected_where_a_line_for_people_is_not() {
    for text in ["Acme Tools", "-a", "a_b", "ä"] {
        assert!(is_visible_line(text) && !is_dns_label(text), "{text:?}");
    }
    for text in ["", " a", "a\nb", "a\tb", "a\u{202e}b", &"a".repeat(LINE_BYTES_MAX + 1)] {
        assert!(!is_visible_line(text), "{text:?}");
    }
}

#[test]
fn a_module_that_no_manifest_can_name_is_still_found_as_a_module() {
    for name in ["tool.wasm", "a-b_c.d.wasm"] {
        assert!(is_module_name(name) && is_module_entry(name), "{name}");
    }
    for name in [".wasm", "a b.wasm", "ä.wasm"] {
        assert!(!is_module_name(name) && is_module_entry(name), "{name}");
    }
    for name in ["tool.WASM", "wasm", "lib/tool.wasm", "assets/tool.wasm"] {
        assert!(!is_module_name(name) && !is_module_entry(name), "{name}");
    }
}
