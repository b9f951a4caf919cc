//! Room: one linear reading of a module's sections before the engine sees it.
//!
//! The engine's work and memory grow with what a module declares, and a few bytes can declare a lot.
//! So every count is read here first and held against its limit. This reader decides nothing about
//! validity: the engine validates the whole module afterwards. It must only never see less than the
//! engine will, so what it does not understand it refuses.

use crate::kernel::limits::*;
use crate::kernel::prelude::*;

/// Reads forward through the bytes and never past their end.
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
            return Err(invalid("cut short"));
        };
        self.rest = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, Error> {
        let (first, rest) = self.rest.split_first().ok_or_else(|| invalid("cut short"))?;
        self.rest = rest;
        Ok(*first)
    }

    /// An unsigned LEB128 number of at most 32 bits, as counts, sizes and indices are written.
    fn number(&mut self) -> Result<usize, Error> {
        let mut value = 0_u64;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return u32::try_from(value)
                    .ok()
                    .and_then(|value| usize::try_from(value).ok())
                    .ok_or_else(|| invalid("a number has more than 32 bits"));
            }
        }
        Err(invalid("a number has more than 32 bits"))
    }

    /// A number that must stay within a limit.
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

fn within(what: &str, count: usize, max: usize) -> Result<(), Error> {
    if count <= max {
        return Ok(());
    }
    Err(Error::new(Code::ModuleLimit, format!("{count} {what}, and {max} are allowed")))
}

/// Holds everything a module declares against the limits.
///
/// # Errors
/// `module.limit` where a count is too large, `module.invalid` where the sections cannot be read or
/// hold what the runtime leaves out. The detail says which section and where.
pub(super) fn check(bytes: &[u8]) -> Result<(), Error> {
    // [MOD-02] the text format and components begin otherwise
    let Some(sections) = bytes.strip_prefix(b"\0asm\x01\0\0\0") else {
        return Err(invalid("not a WebAssembly 1.0 binary module"));
    };
    let mut cursor = Cursor { rest: sections, length: bytes.len() };
    let mut parameters = Vec::new();
    while !cursor.rest.is_empty() {
        let start = cursor.position();
        section(&mut cursor, &mut parameters)
            .map_err(|error| error.context(format_args!("section at byte {start}")))?;
    }
    Ok(())
}

/// Reads one section. `parameters` holds how many each type has, once the types were read.
// [MOD-03]
fn section(cursor: &mut Cursor, parameters: &mut Vec<usize>) -> Result<(), Error> {
    let id = cursor.byte()?;
    let size = cursor.number()?;
    let mut body = Cursor::new(cursor.take(size)?);
    match id {
        0 => Ok(()),
        1 => types(&mut body, parameters),
        2 => body.count("imports", IMPORTS_COUNT_MAX).map(drop),
        3 => body.count("functions", FUNCTIONS_COUNT_MAX).map(drop),
        4 => tables(&mut body),
        5 => body.count("memories", 1).map(drop),
        6 => body.count("globals", GLOBALS_COUNT_MAX).map(drop),
        7 => body.count("exports", EXPORTS_COUNT_MAX).map(drop),
        // [MOD-08] it would run while the module is instantiated, before any time limit holds
        8 => Err(invalid("a start section is not allowed; export `_start` instead")),
        9 => {
            // [MOD-15] the engine keeps 24 bytes for each element, and one takes a byte at least
            within("bytes of element segments", size, ELEMENT_SECTION_BYTES_MAX)?;
            body.count("element segments", ELEMENT_SEGMENTS_COUNT_MAX).map(drop)
        }
        10 => code(&mut body, parameters),
        11 | 12 => body.count("data segments", DATA_SEGMENTS_COUNT_MAX).map(drop),
        other => Err(invalid(&format!("unknown section number {other}"))),
    }
}

fn types(body: &mut Cursor, parameters: &mut Vec<usize>) -> Result<(), Error> {
    for _ in 0..body.count("types", TYPES_COUNT_MAX)? {
        if body.byte()? != 0x60 {
            return Err(invalid("a type that is no function type"));
        }
        parameters.push(body.vector("parameters", PARAMETERS_COUNT_MAX)?.len());
        body.vector("results", RESULTS_COUNT_MAX)?;
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
            _ => return Err(invalid("a table of a kind that is not allowed")),
        };
        elements = elements.saturating_add(body.number()?);
        if has_maximum {
            body.number()?;
        }
    }
    within("table elements", elements, TABLE_ELEMENTS_COUNT_MAX)
}

// [MOD-04]
fn code(body: &mut Cursor, parameters: &[usize]) -> Result<(), Error> {
    let widest = parameters.iter().copied().max().unwrap_or(0);
    let mut sums = ModuleTotals { widest, labels: 0, passed: 0 };
    for _ in 0..body.count("functions", FUNCTIONS_COUNT_MAX)? {
        let mut function = Cursor::new(body.vector("bytes in one function", FUNCTION_BYTES_MAX)?);
        let mut locals = 0_usize;
        for _ in 0..function.count("groups of locals", LOCALS_COUNT_MAX)? {
            locals = locals.saturating_add(function.number()?);
            let _value_type = function.byte()?;
        }
        within("locals in one function", locals, LOCALS_COUNT_MAX)?;
        operators(&mut function, parameters, &mut sums)?;
    }
    Ok(())
}

/// What the operators of all functions add up to.
struct ModuleTotals {
    /// The most parameters that any type has.
    widest: usize,
    /// Labels of `br_table`s.
    labels: usize,
    /// Values that calls pass, were each to the widest function.
    passed: usize,
}

/// Walks the operators of one function to find how deeply its blocks are nested, how often it asks for
/// more memory, and what its calls and `br_table`s add to those of the functions before. It has to know
/// the immediate values of each operator, and so also refuses those of proposals that are left out.
// [MOD-06]
fn operators(
    function: &mut Cursor,
    parameters: &[usize],
    sums: &mut ModuleTotals,
) -> Result<(), Error> {
    let (mut depth, mut growths) = (0_usize, 0_usize);
    while !function.rest.is_empty() {
        match function.byte()? {
            // block, loop, if, with their block type
            0x02..=0x04 => {
                depth = depth.saturating_add(1);
                within("nested blocks in one function", depth, NESTING_DEPTH_MAX)?;
                block_type(function, parameters)?;
            }
            // end
            0x0b => depth = depth.saturating_sub(1),
            // unreachable, nop, else, return, drop, select; comparisons, arithmetic, conversions
            0x00 | 0x01 | 0x05 | 0x0f | 0x1a | 0x1b | 0x45..=0xc4 | 0xd1 => {}
            // call, call_indirect
            call @ (0x10 | 0x11) => {
                sums.passed = sums.passed.saturating_add(sums.widest);
                // [MOD-18] each is checked with all its values, in unreachable code as well
                within("values passed by calls", sums.passed, PASSED_VALUES_COUNT_MAX)?;
                function.skip_numbers(usize::from(call == 0x11).saturating_add(1))?;
            }
            // br, br_if; variables and tables; memory.size, integer constants; ref.null, ref.func
            0x0c | 0x0d | 0x20..=0x26 | 0x3f | 0x41 | 0x42 | 0xd0 | 0xd2 => {
                function.skip_numbers(1)?;
            }
            // memory.grow
            0x40 => growths = count_growth(function, growths)?,
            // loads and stores
            0x28..=0x3e => function.skip_numbers(2)?,
            // br_table: its labels and the default
            0x0e => {
                let count = function.number()?.saturating_add(1);
                sums.labels = sums.labels.saturating_add(count);
                // [MOD-16] each is checked with all the values that its block takes
                within("labels of br_table", sums.labels, LABELS_COUNT_MAX)?;
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
                other => return Err(invalid(&format!("operator 0xfc {other} is not allowed"))),
            },
            0xfd => return Err(invalid("SIMD operators are not allowed")),
            0xfe => return Err(invalid("atomic operators are not allowed")),
            other => return Err(invalid(&format!("operator {other:#04x} is not allowed"))),
        }
    }
    Ok(())
}

/// Reads a block type: nothing, one value type, or the index of a function type.
// [MOD-17]
fn block_type(function: &mut Cursor, parameters: &[usize]) -> Result<(), Error> {
    if let Some(0x40..=0x7f) = function.rest.first() {
        return function.skip_numbers(1);
    }
    let index = function.number()?;
    let count = parameters.get(index).ok_or_else(|| invalid("a block of an unknown type"))?;
    within("parameters of a block", *count, BLOCK_PARAMETERS_COUNT_MAX)
}

// [MOD-14]
fn count_growth(function: &mut Cursor, before: usize) -> Result<usize, Error> {
    let growths = before.saturating_add(1);
    within("growths in one function", growths, GROWTHS_COUNT_MAX)?;
    function.skip_numbers(1)?;
    Ok(growths)
}
