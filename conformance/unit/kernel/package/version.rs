use super::Version;

#[test]
fn the_order_of_semver_11_holds() {
    let ascending = [
        "0.0.9",
        "0.1.0",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
        "1.0.10",
        "1.2.0",
        "10.0.0",
    ];
    let parsed: Vec<_> = ascending.iter().map(|t| Version::parse(t).expect(t)).collect();
    assert!(parsed.windows(2).all(|pair| pair[0] < pair[1]));
    for (text, version) in ascending.iter().zip(&parsed) {
        assert_eq!(&version.to_string(), text);
    }
}

#[test]
fn what_is_no_version_is_rejected() {
    for text in [
        "",
        "1",
        "1.0",
        "1.0.0.0",
        "01.0.0",
        "1.00.0",
        "1.0.0-",
        "1.0.0-01",
        "1.0.0-a..b",
        "1.0.0+build",
        "v1.0.0",
        "1.0.0 ",
        "1.0.-1",
        "+1.0.0",
        "1.0.99999999999999999999",
    ] {
        assert_eq!(Version::parse(text), None, "{text:?}");
    }
}
