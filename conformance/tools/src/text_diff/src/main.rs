//! text_diff: what changed between two texts, line by line, as a unified diff.

#[path = "../../../../../src/sdk/mod.rs"]
mod sdk;

use sdk::{tool_handler, Call, Failure};
use serde_json::{json, Value};

const CONTEXT_MAX: usize = 20;
/// Texts that differ in more lines than this are not compared: time and memory grow with its square.
const EDITS_MAX: usize = 2_000;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Texts {
    before: String,
    after: String,
    #[serde(default = "context_default")]
    context: usize,
}

fn context_default() -> usize {
    3
}

fn main() {
    tool_handler().tool("compare", compare).run();
}

fn compare(texts: Texts, _: &Call) -> Result<(String, Value), Failure> {
    let (before, after, context) = (lines(&texts.before), lines(&texts.after), texts.context);
    if context > CONTEXT_MAX {
        return Err(Failure::arguments("context is not an integer from 0 to 20"));
    }
    let steps = match edits(&before, &after) {
        Some(steps) => steps,
        None => return Err(Failure::new(format!("the texts differ in more than {} lines", EDITS_MAX))),
    };
    let count = |wanted: Step| steps.iter().filter(|step| **step == wanted).count();
    let (added, removed) = (count(Step::Add), count(Step::Remove));
    let diff = unified(&before, &after, &steps, context);
    let message = if diff.is_empty() { "no difference".to_owned() } else { diff.clone() };
    Ok((message, json!({ "diff": diff, "added": added, "removed": removed })))
}

/// With their line feeds, so that a last line without one differs from the same with one.
fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

#[derive(Clone, Copy, PartialEq)]
enum Step {
    Keep,
    Remove,
    Add,
}

/// The shortest way from one text to the other (Myers, 1986), with the furthest point of each
/// diagonal kept for each number of edits, so that the way can be walked back.
fn edits(before: &[&str], after: &[&str]) -> Option<Vec<Step>> {
    let (width, height) = (before.len() as isize, after.len() as isize);
    let mut furthest: Vec<Vec<isize>> = Vec::new();
    for edits in 0..=(width + height).min(EDITS_MAX as isize) {
        let mut row = Vec::new();
        // Diagonals of this round: -edits, -edits + 2, ..., edits.
        for diagonal in (-edits..=edits).step_by(2) {
            let mut x = start(&furthest, edits, diagonal).0;
            let mut y = x - diagonal;
            while x < width && y < height && before[x as usize] == after[y as usize] {
                x += 1;
                y += 1;
            }
            row.push(x);
            if x >= width && y >= height {
                furthest.push(row);
                return Some(walk_back(&furthest, width, height));
            }
        }
        furthest.push(row);
    }
    None
}

/// Where a diagonal begins in a round, from the better of its neighbours in the round before, and by
/// which step.
fn start(furthest: &[Vec<isize>], edits: isize, diagonal: isize) -> (isize, Option<Step>) {
    if edits == 0 {
        return (0, None);
    }
    let row = &furthest[(edits - 1) as usize];
    let at = |diagonal: isize| {
        let index = diagonal + edits - 1;
        if index < 0 { None } else { row.get((index / 2) as usize).copied() }
    };
    let (below, left) = (at(diagonal + 1), at(diagonal - 1));
    match (below, left) {
        (Some(below), Some(left)) if left < below => (below, Some(Step::Add)),
        (Some(below), None) => (below, Some(Step::Add)),
        (_, left) => (left.unwrap_or(-1) + 1, Some(Step::Remove)),
    }
}

fn walk_back(furthest: &[Vec<isize>], width: isize, height: isize) -> Vec<Step> {
    let (mut x, mut y) = (width, height);
    let mut steps = Vec::new();
    for edits in (0..furthest.len() as isize).rev() {
        let diagonal = x - y;
        let (begin, step) = start(furthest, edits, diagonal);
        while x > begin {
            steps.push(Step::Keep);
            x -= 1;
            y -= 1;
        }
        match step {
            Some(Step::Add) => y -= 1,
            Some(_) => x -= 1,
            None => {}
        }
        steps.extend(step);
    }
    steps.reverse();
    steps
}

/// Hunks with so many lines around each change, as `diff -u` and `git diff` write them.
fn unified(before: &[&str], after: &[&str], steps: &[Step], context: usize) -> String {
    let mut out = String::new();
    let changes: Vec<usize> = (0..steps.len()).filter(|at| steps[*at] != Step::Keep).collect();
    let mut next = 0;
    while next < changes.len() {
        let begin = changes[next].saturating_sub(context);
        while next + 1 < changes.len() && changes[next + 1] - changes[next] <= 2 * context + 1 {
            next += 1;
        }
        let end = (changes[next] + context + 1).min(steps.len());
        next += 1;
        hunk(&mut out, before, after, steps, begin, end);
    }
    out
}

fn hunk(out: &mut String, before: &[&str], after: &[&str], steps: &[Step], begin: usize, end: usize) {
    let passed = |steps: &[Step], other: Step| steps.iter().filter(|step| **step != other).count();
    let (mut x, mut y) = (passed(&steps[..begin], Step::Add), passed(&steps[..begin], Step::Remove));
    let part = &steps[begin..end];
    let (old, new) = (passed(part, Step::Add), passed(part, Step::Remove));
    // A side without lines is numbered by the line before it.
    let first = |at: usize, lines: usize| if lines == 0 { at } else { at + 1 };
    out.push_str(&format!("@@ -{},{} +{},{} @@\n", first(x, old), old, first(y, new), new));
    for step in part {
        let (mark, line) = match step {
            Step::Keep => (' ', before[x]),
            Step::Remove => ('-', before[x]),
            Step::Add => ('+', after[y]),
        };
        x += usize::from(*step != Step::Add);
        y += usize::from(*step != Step::Remove);
        out.push(mark);
        out.push_str(line);
        if !line.ends_with('\n') {
            out.push_str("\n\\ No newline at end of file\n");
        }
    }
}
