use super::{DIGITS_MAX, DIGITS_MIN, ROWS};

#[test]
fn the_fewest_and_the_most_digits_are_those_of_the_rows() {
    assert_eq!(ROWS.iter().map(|row| *row.2.start()).min(), Some(DIGITS_MIN));
    assert_eq!(ROWS.iter().map(|row| *row.2.end()).max(), Some(DIGITS_MAX));
}
