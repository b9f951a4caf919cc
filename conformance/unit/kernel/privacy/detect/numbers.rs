use super::{DIGITS_MAX, DIGITS_MIN, NUMBER_FORMATS};

#[test]
fn the_fewest_and_the_most_digits_are_those_of_the_rows() {
    assert_eq!(NUMBER_FORMATS.iter().map(|row| *row.2.start()).min(), Some(DIGITS_MIN));
    assert_eq!(NUMBER_FORMATS.iter().map(|row| *row.2.end()).max(), Some(DIGITS_MAX));
}
