//! Room: US social security numbers. Area, group and serial number each exclude some values; with
//! separators that is proof enough, without them the surroundings have to name the number.
#![allow(clippy::arithmetic_side_effects)] // offsets inside one text

use super::digits::{number, Gap, Group};
use super::hint::Around;
use super::text::{is_alnum, Text};
use super::words::Hints;

/// Reports every social security number among the groups.
pub(crate) fn find(
    text: Text<'_>,
    groups: &[Group],
    around: Around,
    report: &mut impl FnMut(usize, usize),
) {
    for (index, group) in groups.iter().enumerate() {
        let rest = groups.get(index..).unwrap_or_default();
        if let [area, pair, serial, ..] = rest {
            let next = rest.get(3).map_or(Gap::Start, |next| next.gap);
            if separated(text, [*area, *pair, *serial], next) {
                report(area.start, serial.end);
            }
        }
        let next = rest.get(1).map_or(Gap::Start, |next| next.gap);
        if group.len() == 9 && around.closely.say(Hints::SSN) && bare(text, *group, next) {
            report(group.start, group.end);
        }
    }
}

/// `ddd-dd-dddd` with the same separator twice, and no third one before or behind.
// [PRIV-40] [PRIV-41]
fn separated(text: Text<'_>, [area, pair, serial]: [Group; 3], next: Gap) -> bool {
    let separator = pair.gap;
    (area.len(), pair.len(), serial.len()) == (3, 2, 4)
        && matches!(separator, Gap::Space | Gap::Dash | Gap::Dot)
        && serial.gap == separator
        && area.gap != separator
        && next != separator
        && bounded(text, area.start, serial.end)
        && valid(number(text, area), number(text, pair), number(text, serial))
}

/// Nine digits that the key or word before them names.
// [PRIV-42]
fn bare(text: Text<'_>, group: Group, next: Gap) -> bool {
    let nine = number(text, group);
    group.gap != Gap::Dot
        && next != Gap::Dot
        && bounded(text, group.start, group.end)
        && valid(nine / 1_000_000, nine / 10_000 % 100, nine % 10_000)
}

fn bounded(text: Text<'_>, start: usize, end: usize) -> bool {
    !is_alnum(text.before(start)) && !is_alnum(text.at(end))
}

/// Values that were never given out, and three that were printed too often to be anyone's.
// [PRIV-41]
pub(crate) fn valid(area: u32, pair: u32, serial: u32) -> bool {
    let never = area == 0 || area == 666 || area >= 900 || pair == 0 || serial == 0;
    let all_equal =
        area.is_multiple_of(111) && pair == area / 111 * 11 && serial == area / 111 * 1111;
    let printed = matches!((area, pair, serial), (123, 45, 6789) | (78, 5, 1120));
    !(never || all_equal || printed)
}
