//! Addresses of web pages: one reading, one spelling.

use crate::kernel::limits::HTTP_URL_BYTES_MAX;
use crate::kernel::network::url::Url;

fn shown(text: &str) -> Option<String> {
    Url::parse(text).map(|url| url.to_string())
}

#[test]
fn one_spelling_is_kept_verbatim_and_others_become_it() {
    for text in [
        "https://a/",
        "http://a/",
        "https://a.example/",
        "https://xn--bcher-kva.example/",
        "https://a.example:1/",
        "https://a.example:65535/",
        "https://a.example:80/",
        "http://a.example:443/",
        "https://a.example/x/y%20z;a=b,c/'()*!$&+=:@~-._",
        "https://a.example/?",
        "https://a.example/?a=b|c&d[]=e{f}^`",
        "https://a.example//x//",
        "https://a.example/.../..a/a..",
        "https://a.example/%",
        "https://a.example/?/../x",
        "https://a.example/http://b.example/@c",
    ] {
        assert_eq!(shown(text).as_deref(), Some(text));
    }
    for (text, becomes) in [
        ("https://a.example", "https://a.example/"),
        ("https://a.example?q", "https://a.example/?q"),
        ("https://a.example#f", "https://a.example/"),
        ("https://a.example/x#f/../@", "https://a.example/x"),
        ("https://a.example/x?y#z?w", "https://a.example/x?y"),
        ("https://a.example:443/", "https://a.example/"),
        ("http://a.example:80/", "http://a.example/"),
        ("HTTPS://A.Example/X", "https://a.example/X"),
    ] {
        assert_eq!(shown(text).as_deref(), Some(becomes));
    }
}

#[test]
fn what_two_readers_could_read_differently_is_refused() {
    let long = format!("https://a.example/{}", "x".repeat(HTTP_URL_BYTES_MAX));
    for text in [
        "",
        "https:",
        "https://",
        "https:///x",
        "https:a.example",
        "https:/a.example",
        "https:\\\\a.example",
        "https://a.example\\@b.example/",
        "https://a.example\\.b.example/",
        "https://u@a.example/",
        "https://u:p@a.example/",
        "https://@a.example/",
        "https://a.example@/",
        "https://a.example:@b.example/",
        "https://a.example:/",
        "https://a.example:0/",
        "https://a.example:0443/",
        "https://a.example:+443/",
        "https://a.example:65536/",
        "https://a.example:443:443/",
        "https://a.example:x/",
        "https://a.example./",
        "https://.a.example/",
        "https://a..example/",
        "https://-a.example/",
        "https://a_b.example/",
        "https://*.example/",
        "https://%61.example/",
        "https://1.2.3.4/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://a.0x7f/",
        "https://[::1]/",
        "https://::1/",
        "https://\u{e4}.example/",
        "https://\u{2488}.example/",
        "https://a.example/\u{e4}",
        "https://a.example/ x",
        " https://a.example/",
        "https://a.example/\n",
        "https://a.example/\t",
        "https://a.exam\nple/",
        "https://a.example/\0",
        "https://a.example/<x>",
        "https://a.example/\"",
        "https://a.example/..",
        "https://a.example/./x",
        "https://a.example/x/../y",
        "https://a.example/..?x",
        "httpss://a.example/",
        "ws://a.example/",
        "data://a.example/",
        "://a.example/",
        &long,
    ] {
        assert_eq!(Url::parse(text), None, "{text:?}");
    }
}

#[test]
fn a_location_is_read_as_rfc_3986_says() {
    let base = Url::parse("https://a.example/b/c/d?q").unwrap();
    for (location, expected) in [
        // Section 5.4, without the examples of other schemes.
        ("g", "/b/c/g"),
        ("./g", "/b/c/g"),
        ("g/", "/b/c/g/"),
        ("/g", "/g"),
        ("?y", "/b/c/d?y"),
        ("g?y", "/b/c/g?y"),
        ("#s", "/b/c/d?q"),
        ("g#s", "/b/c/g"),
        ("g?y#s", "/b/c/g?y"),
        (";x", "/b/c/;x"),
        ("", "/b/c/d?q"),
        (".", "/b/c/"),
        ("./", "/b/c/"),
        ("..", "/b/"),
        ("../", "/b/"),
        ("../g", "/b/g"),
        ("../..", "/"),
        ("../../g", "/g"),
        ("../../../g", "/g"),
        ("/./g", "/g"),
        ("/../g", "/g"),
        ("g.", "/b/c/g."),
        ("..g", "/b/c/..g"),
        ("./../g", "/b/g"),
        ("./g/.", "/b/c/g/"),
        ("g/./h", "/b/c/g/h"),
        ("g/../h", "/b/c/h"),
        ("g?y/./x", "/b/c/g?y/./x"),
        ("g?y/../x", "/b/c/g?y/../x"),
        ("?a:b", "/b/c/d?a:b"),
        ("/a:b", "/a:b"),
    ] {
        let joined = base.join(location).unwrap_or_else(|| panic!("{location}"));
        assert_eq!(joined.to_string(), format!("https://a.example{expected}"), "{location}");
    }
    for (location, expected) in [
        ("//b.example/x", "https://b.example/x"),
        ("http://b.example", "http://b.example/"),
        ("https://b.example/x/../y?z#f", "https://b.example/y?z"),
        ("https://b.example:8443?z", "https://b.example:8443/?z"),
    ] {
        assert_eq!(base.join(location).unwrap().to_string(), expected);
    }
    for location in [
        "g:h",
        "https:g",
        "https:/g",
        "///g",
        "////g",
        "http://",
        "\\g",
        "a b",
        "\u{e4}",
        "mailto:a@b",
    ] {
        assert_eq!(base.join(location), None, "{location:?}");
    }
}

/// Random texts out of pieces that parsers trip over.
#[test]
fn every_accepted_url_parses_to_itself_and_has_one_host() {
    const PIECES: [&str; 24] = [
        "https://",
        "http://",
        "HTTP://",
        "//",
        "/",
        ":",
        "443",
        "80",
        "8443",
        "@",
        "a",
        "b.example",
        "%2e",
        ".",
        "..",
        "?",
        "#",
        "\\",
        "[::1]",
        "127.0.0.1",
        "xn--a",
        "\u{e4}",
        " ",
        "\n",
    ];
    let base = Url::parse("https://base.example/x/y?z").unwrap();
    let (mut state, mut taken) = (1_u64, 0);
    for _ in 0..200_000 {
        let mut text = if state & 1 == 0 { String::new() } else { "https://".to_owned() };
        for _ in 0..(state >> 40) % 8 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            text += PIECES[(state >> 33) as usize % PIECES.len()];
        }
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        for url in [Url::parse(&text), base.join(&text)].into_iter().flatten() {
            taken += 1;
            let again = url.to_string();
            assert_eq!(Url::parse(&again), Some(url.clone()), "{text:?}");
            assert!(url.target.starts_with('/') && url.target.is_ascii(), "{text:?}");
            // What follows the scheme up to the first slash is all that a client can take for the host.
            let authority =
                again.split("://").nth(1).unwrap().split('/').next().unwrap().to_owned();
            assert_eq!(authority.split(':').next(), Some(url.host.as_str()), "{text:?}");
            assert!(
                !again.contains(['\\', '#', ' ', '\n']) && !authority.contains('@'),
                "{text:?}"
            );
        }
    }
    assert!(taken > 1000, "{taken}");
}
