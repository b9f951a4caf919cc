use super::Timestamp;

#[test]
fn every_day_until_2400_reads_back_as_written() {
    for day in 0..157_054_u64 {
        let moment = Timestamp(day * 86_400 + day % 86_400);
        assert_eq!(Timestamp::parse(&moment.to_string()), Some(moment));
    }
}

#[test]
fn second_spellings_and_impossible_dates_are_rejected() {
    for text in [
        "",
        "2026-01-01T00:00:00",
        "2026-01-01t00:00:00Z",
        "2026-01-01T00:00:00z",
        "2026-01-01T00:00:00+00:00",
        "2026-01-01T00:00:00.0Z",
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-01-32T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:60Z",
        "1969-12-31T23:59:59Z",
        "+026-01-01T00:00:00Z",
        " 2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00Z ",
        "２026-01-01T00:00:00Z",
    ] {
        assert_eq!(Timestamp::parse(text), None, "{text}");
    }
}
