//! Resource limits of a module, checked in one pass over its sections before the engine reads it.
//!
//! The engine's work and memory grow with what a module declares, and few bytes can declare a lot. So
//! every count is checked against its limit here first. The engine validates the whole module
//! afterwards; this pass must only never read less than the engine does, so it refuses what it does not
//! know.

use crate::kernel::encoding::as_u64;
use crate::kernel::limits::*;
use crate::kernel::prelude::*;

/// A forward reader that never reads beyond the end.
struct Cursor<'a> {
    rest: &'a [u8],
    length: usize,
}

impl<'a> Cursor<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Cursor { rest: bytes, length: bytes.len() }
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Error> {
        let Some((taken, rest)) = self.rest.split_at_checked(length) else {
            return Err(invalid("truncated"));
        };
        self.rest = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, Error> {
        let (first, rest) = self.rest.split_first().ok_or_else(|| invalid("truncated"))?;
        self.rest = rest;
        Ok(*first)
    }

    /// Reads an unsigned LEB128 number of at most 32 bits, the encoding of counts, sizes and indices.
    fn number(&mut self) -> Result<usize, Error> {
        let mut value = 0_u64;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return u32::try_from(value)
                    .ok()
                    .and_then(|value| usize::try_from(value).ok())
                    .ok_or_else(|| invalid("number has more than 32 bits"));
            }
        }
        Err(invalid("number has more than 32 bits"))
    }

    /// Reads a number and checks its limit.
    fn count(&mut self, what: &str, max: usize) -> Result<usize, Error> {
        let count = self.number()?;
        within(what, count, max)?;
        Ok(count)
    }

    fn vector(&mut self, what: &str, max: usize) -> Result<&'a [u8], Error> {
        let count = self.count(what, max)?;
        self.take(count)
    }

    /// Skips LEB128 numbers of any width and sign.
    fn skip_numbers(&mut self, count: usize) -> Result<(), Error> {
        for _ in 0..count {
            while self.byte()? & 0x80 != 0 {}
        }
        Ok(())
    }

    fn position(&self) -> usize {
        self.length.saturating_sub(self.rest.len())
    }
}

fn invalid(what: &str) -> Error {
    Error::new(Code::ModuleInvalid, what)
}

/// Proposals that are not supported, and how a compiler leaves them out.
const EXCEPTIONS: &str =
    "exception handling: compile without -fwasm-exceptions, in Rust with panic=abort";
const GC: &str = "garbage collection: compile for linear memory, not for Wasm GC";
const MEMORY64: &str = "memory64: compile for wasm32-wasip1, not wasm64";
const PAGE_SIZES: &str = "custom page sizes: link without --page-size";
const SIMD: &str = "SIMD: compile with -mno-simd128, in Rust with -C target-feature=-simd128";
const TAIL_CALLS: &str =
    "tail calls: compile with -mno-tail-call, in Rust with -C target-feature=-tail-call";
const THREADS: &str = "threads: compile without -pthread, in Rust with -C target-feature=-atomics";
const WIDE: &str = "wide arithmetic: compile with -mno-wide-arithmetic";

/// Refuses what belongs to a proposal that is not supported.
// [MOD-22]
fn unsupported(what: &str, proposal: &str) -> Error {
    invalid(&format!("{what} of {proposal}"))
}

fn within(what: &str, count: usize, max: usize) -> Result<(), Error> {
    if count <= max {
        return Ok(());
    }
    Err(Error::new(Code::ModuleLimit, format!("{count} {what}, limit {max}")))
}

/// Checks everything that a module declares against the limits.
///
/// # Errors
/// `module.limit` for a count beyond its limit, `module.invalid` for sections that cannot be read or that
/// contain unsupported features. The detail names the section.
///
/// Returns the most bytes that the engine's translation of the module takes.
pub(super) fn check(bytes: &[u8]) -> Result<u64, Error> {
    // [MOD-02] the text format and components start differently
    let Some(sections) = bytes.strip_prefix(b"\0asm\x01\0\0\0") else {
        return Err(invalid(other_format(bytes)));
    };
    let mut cursor = Cursor { rest: sections, length: bytes.len() };
    let mut totals = ModuleTotals::default();
    while !cursor.rest.is_empty() {
        let start = cursor.position();
        section(&mut cursor, &mut totals)
            .map_err(|error| error.context(format_args!("section at byte {start}")))?;
    }
    Ok(totals.code_bytes)
}

/// Names what an author has packed instead of a core module.
fn other_format(bytes: &[u8]) -> &'static str {
    match bytes.trim_ascii_start() {
        [0, b'a', b's', b'm', _, _, 1, 0, ..] => {
            "a WebAssembly component, as wasm32-wasip2 builds: build for wasm32-wasip1"
        }
        [b'(', b'm' | b'c' | b';', ..] | [b';', b';', ..] => {
            "WebAssembly text: run `wat2wasm FILE.wat -o tool.wasm`"
        }
        [0x7f, b'E', b'L', b'F', ..] => "an ELF program: build with `--target wasm32-wasip1`",
        [b'M', b'Z', ..] | [0xce | 0xcf, 0xfa, 0xed, 0xfe, ..] => {
            "a native program: build with `--target wasm32-wasip1`"
        }
        _ => "not a WebAssembly 1.0 binary module",
    }
}

/// Totals over the sections and operators of a module.
#[derive(Default)]
struct ModuleTotals {
    /// Number of parameters of each type.
    parameters: Vec<usize>,
    /// Values that a branch copies at most: the results of any type, the parameters of any block so far.
    branch_values: usize,
    /// Labels of `br_table`s.
    labels: usize,
    /// Values passed by calls, each counted as a call of the function with the most parameters.
    passed: usize,
    /// Upper bound of the translated code.
    code_bytes: u64,
}

impl ModuleTotals {
    // [MOD-19]
    fn add_code(&mut self, count: usize, bytes_each: u64) {
        self.code_bytes = self.code_bytes.saturating_add(as_u64(count).saturating_mul(bytes_each));
    }

    /// Adds the values that branches to these labels copy.
    fn add_branches(&mut self, labels: usize) {
        self.add_code(labels.saturating_mul(self.branch_values.max(1)), BRANCH_VALUE_CODE_BYTES);
    }
}

/// Reads one section.
// [MOD-03]
fn section(cursor: &mut Cursor, totals: &mut ModuleTotals) -> Result<(), Error> {
    let id = cursor.byte()?;
    let size = cursor.number()?;
    let mut body = Cursor::new(cursor.take(size)?);
    match id {
        0 => Ok(()),
        1 => types(&mut body, totals),
        2 => body.count("imports", IMPORTS_COUNT_MAX).map(drop),
        3 => body.count("functions", FUNCTIONS_COUNT_MAX).map(drop),
        4 => tables(&mut body),
        5 => match body.count("memories", 1)? {
            0 => Ok(()),
            // shared, or with 64-bit addresses, or with pages of another size
            _ => match body.byte()? {
                flags if flags & 0b0010 != 0 => Err(unsupported("shared memory", THREADS)),
                flags if flags & 0b0100 != 0 => Err(unsupported("64-bit memory", MEMORY64)),
                flags if flags & 0b1000 != 0 => Err(unsupported("page size", PAGE_SIZES)),
                _ => Ok(()),
            },
        },
        6 => body.count("globals", GLOBALS_COUNT_MAX).map(drop),
        7 => body.count("exports", EXPORTS_COUNT_MAX).map(drop),
        // [MOD-08] it would run during instantiation, before any timeout applies
        8 => Err(invalid("start section is not allowed; export `_start` instead")),
        9 => {
            // [MOD-15] the engine allocates 24 bytes for each element, which takes at least one byte
            within("bytes of element segments", size, ELEMENT_SECTION_BYTES_MAX)?;
            body.count("element segments", ELEMENT_SEGMENTS_COUNT_MAX).map(drop)
        }
        10 => code(&mut body, totals),
        11 | 12 => body.count("data segments", DATA_SEGMENTS_COUNT_MAX).map(drop),
        13 => Err(unsupported("tag section", EXCEPTIONS)),
        other => Err(invalid(&format!("section {other} of no WebAssembly proposal"))),
    }
}

fn types(body: &mut Cursor, totals: &mut ModuleTotals) -> Result<(), Error> {
    for _ in 0..body.count("types", TYPES_COUNT_MAX)? {
        match body.byte()? {
            0x60 => {}
            0x4e..=0x50 | 0x5e | 0x5f => return Err(unsupported("structure type", GC)),
            _ => return Err(invalid("type is not a function type")),
        }
        totals.parameters.push(body.vector("parameters", PARAMETERS_COUNT_MAX)?.len());
        let results = body.vector("results", RESULTS_COUNT_MAX)?.len();
        totals.branch_values = totals.branch_values.max(results);
    }
    Ok(())
}

// [MOD-05]
fn tables(body: &mut Cursor) -> Result<(), Error> {
    let mut elements = 0_usize;
    for _ in 0..body.count("tables", TABLES_COUNT_MAX)? {
        let _element_type = body.byte()?;
        let has_maximum = match body.byte()? {
            0 => false,
            1 => true,
            _ => return Err(unsupported("shared or 64-bit table", MEMORY64)),
        };
        elements = elements.saturating_add(body.number()?);
        if has_maximum {
            body.number()?;
        }
    }
    within("table elements", elements, TABLE_ELEMENTS_COUNT_MAX)
}

// [MOD-04]
fn code(body: &mut Cursor, totals: &mut ModuleTotals) -> Result<(), Error> {
    let widest = totals.parameters.iter().copied().max().unwrap_or(0);
    let count = body.count("functions", FUNCTIONS_COUNT_MAX)?;
    totals.add_code(count, FUNCTION_CODE_BYTES);
    let mut largest = 0;
    for _ in 0..count {
        let mut function = Cursor::new(body.vector("bytes in one function", FUNCTION_BYTES_MAX)?);
        let mut locals = 0_usize;
        for _ in 0..function.count("groups of locals", LOCALS_COUNT_MAX)? {
            locals = locals.saturating_add(function.number()?);
            let _value_type = function.byte()?;
        }
        within("locals in one function", locals, LOCALS_COUNT_MAX)?;
        let before = totals.code_bytes;
        operators(&mut function, widest, totals)?;
        largest = largest.max(totals.code_bytes.saturating_sub(before));
    }
    // The translator keeps its buffer.
    totals.code_bytes = totals.code_bytes.saturating_add(largest);
    Ok(())
}

/// Scans the operators of one function for the nesting of blocks, the number of growths, and the totals. A
/// call counts as one of the `widest` function. It has to know the immediates of each operator, so it also
/// refuses unsupported proposals.
// [MOD-06]
fn operators(function: &mut Cursor, widest: usize, totals: &mut ModuleTotals) -> Result<(), Error> {
    let (mut depth, mut growths) = (0_usize, 0_usize);
    while !function.rest.is_empty() {
        let operator = function.byte()?;
        totals.add_code(1, code_bytes_of(operator));
        match operator {
            // block, loop, if, with their block type
            0x02..=0x04 => {
                depth = depth.saturating_add(1);
                within("nested blocks in one function", depth, NESTING_DEPTH_MAX)?;
                let values = block_type(function, &totals.parameters)?;
                totals.branch_values = totals.branch_values.max(values);
                totals.add_code(values, BRANCH_VALUE_CODE_BYTES);
            }
            // end
            0x0b => depth = depth.saturating_sub(1),
            // unreachable, nop, else, return, drop, select; comparisons, arithmetic, conversions
            0x00 | 0x01 | 0x05 | 0x0f | 0x1a | 0x1b | 0x45..=0xc4 | 0xd1 => {}
            // call, call_indirect
            call @ (0x10 | 0x11) => {
                totals.passed = totals.passed.saturating_add(widest);
                // [MOD-18] the engine checks all values of each call, in unreachable code too
                within("values passed by calls", totals.passed, PASSED_VALUES_COUNT_MAX)?;
                function.skip_numbers(usize::from(call == 0x11).saturating_add(1))?;
            }
            // br, br_if
            0x0c | 0x0d => {
                totals.add_branches(1);
                function.skip_numbers(1)?;
            }
            // variables and tables; memory.size, integer constants; ref.null, ref.func
            0x20..=0x26 | 0x3f | 0x41 | 0x42 | 0xd0 | 0xd2 => {
                function.skip_numbers(1)?;
            }
            // memory.grow
            0x40 => growths = count_growth(function, growths)?,
            // loads and stores
            0x28..=0x3e => function.skip_numbers(2)?,
            // br_table: its labels and the default label
            0x0e => {
                let count = function.number()?.saturating_add(1);
                totals.labels = totals.labels.saturating_add(count);
                // [MOD-16] the engine checks all values of its block for each label
                within("labels of br_table", totals.labels, LABELS_COUNT_MAX)?;
                totals.add_code(count, OPERATOR_CODE_BYTES);
                totals.add_branches(count);
                function.skip_numbers(count)?;
            }
            // select with types
            0x1c => {
                let types = function.number()?;
                function.take(types)?;
            }
            0x43 => function.take(4).map(drop)?,
            0x44 => function.take(8).map(drop)?,
            0xfc => match function.number()? {
                0..=7 => {}
                // table.grow
                15 => growths = count_growth(function, growths)?,
                9 | 11 | 13 | 16 | 17 => function.skip_numbers(1)?,
                8 | 10 | 12 | 14 => function.skip_numbers(2)?,
                19..=22 => return Err(unsupported("128-bit operator", WIDE)),
                other => return Err(invalid(&format!("operator 0xfc {other} is unknown"))),
            },
            0x06 => return Err(unsupported("operator try", EXCEPTIONS)),
            0x07 | 0x19 => return Err(unsupported("operator catch", EXCEPTIONS)),
            0x08 => return Err(unsupported("operator throw", EXCEPTIONS)),
            0x09 | 0x0a => return Err(unsupported("operator rethrow", EXCEPTIONS)),
            0x18 => return Err(unsupported("operator delegate", EXCEPTIONS)),
            0x1f => return Err(unsupported("operator try_table", EXCEPTIONS)),
            0x12 => return Err(unsupported("operator return_call", TAIL_CALLS)),
            0x13 => return Err(unsupported("operator return_call_indirect", TAIL_CALLS)),
            0x14 => return Err(unsupported("operator call_ref", GC)),
            0x15 => return Err(unsupported("operator return_call_ref", GC)),
            0xd3..=0xd6 | 0xfb => return Err(unsupported("operator on references", GC)),
            0xfd => return Err(unsupported("vector operator", SIMD)),
            0xfe => return Err(unsupported("atomic operator", THREADS)),
            other => return Err(invalid(&format!("operator {other:#04x} is unknown"))),
        }
    }
    Ok(())
}

/// Returns the most bytes that the translation of an operator takes, without the values it copies.
fn code_bytes_of(operator: u8) -> u64 {
    match operator {
        0x20 | 0x41..=0x44 => LOCAL_CODE_BYTES,
        0x02..=0x05 | 0x10 | 0x11 => OPERATOR_CODE_BYTES.saturating_add(BLOCK_CODE_BYTES),
        _ => OPERATOR_CODE_BYTES,
    }
}

/// Reads a block type: empty, one value type, or the index of a function type. Returns the number of its
/// parameters.
// [MOD-17]
fn block_type(function: &mut Cursor, parameters: &[usize]) -> Result<usize, Error> {
    if let Some(0x40..=0x7f) = function.rest.first() {
        return function.skip_numbers(1).map(|()| 0);
    }
    let index = function.number()?;
    let count = parameters.get(index).ok_or_else(|| invalid("block has an unknown type"))?;
    within("parameters of a block", *count, BLOCK_PARAMETERS_COUNT_MAX)?;
    Ok(*count)
}

// [MOD-14]
fn count_growth(function: &mut Cursor, before: usize) -> Result<usize, Error> {
    let growths = before.saturating_add(1);
    within("growths in one function", growths, GROWTHS_COUNT_MAX)?;
    function.skip_numbers(1)?;
    Ok(growths)
}
