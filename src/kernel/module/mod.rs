//! Room: check 7, the WebAssembly module: caps, validation, imports and exports.
//!
//! A [`Module`] is a module that passed. It is validated whole here and translated function by
//! function as it runs, at no fuel, so that fuel never depends on what was translated before.

mod costs;
pub(in crate::kernel) mod imports;
mod prescan;
#[cfg(test)]
#[path = "../../../conformance/unit/kernel/module.rs"]
pub(in crate::kernel) mod tests;

use crate::kernel::limits::{CALL_DEPTH_MAX, MODULE_BYTES_MAX, STACK_BYTES_MAX};
use crate::kernel::package::manifest::Manifest;
use crate::kernel::prelude::*;
use crate::kernel::text::shown;
use wasmi::{CompilationMode, Config, CustomFuelCosts, Engine, ExternType, FuncType};

/// Bytes in a page of linear memory (WebAssembly 1.0, section 4.2.8).
pub(in crate::kernel) const PAGE_BYTES: u64 = 1 << 16;
/// Bytes of linear memory or table that one unit of fuel copies, fills or adds.
pub(in crate::kernel) const BYTES_PER_FUEL: u32 = 64;

/// A module that passed every rule of `spec/sandbox.md`; compiled once, cheap to clone.
#[derive(Clone)]
pub struct Module {
    compiled: wasmi::Module,
    memory_pages: u64,
}

impl Module {
    /// Check 7 of the Gatekeeper.
    ///
    /// # Errors
    /// `module.too_large`, `module.limit`, `module.invalid`, `module.unknown_import`,
    /// `module.missing_export` or `module.memory`; the detail names what was met.
    ///
    /// ```
    /// # use mpp::package::manifest::*;
    /// # fn check(bytes: &[u8], manifest: &Manifest) -> Result<(), mpp::Error> {
    /// let module = mpp::module::Module::check(bytes, manifest)?;
    /// assert!(module.memory_bytes() <= u64::from(manifest.runtime.memory_limit_mb) << 20);
    /// # Ok(())
    /// # }
    /// ```
    pub fn check(bytes: &[u8], manifest: &Manifest) -> Result<Self, Error> {
        // [MOD-01]
        if bytes.len() > MODULE_BYTES_MAX {
            let detail =
                format!("the module has {} bytes, and {MODULE_BYTES_MAX} are allowed", bytes.len());
            return Err(Error::new(Code::ModuleTooLarge, detail));
        }
        prescan::check(bytes)?;
        let compiled = compile(bytes, CompilationMode::LazyTranslation)?;
        check_imports(&compiled, manifest)?;
        let memory_pages = check_exports(&compiled)?;
        let module = Module { compiled, memory_pages };
        // [MOD-13]
        let limit = u64::from(manifest.runtime.memory_limit_mb).saturating_mul(1 << 20);
        if module.memory_bytes() > limit {
            let detail = format!(
                "the module starts with {} bytes of memory, and the manifest allows {limit}",
                module.memory_bytes()
            );
            return Err(Error::new(Code::ModuleMemory, detail));
        }
        Ok(module)
    }

    /// Linear memory before the first instruction, in bytes.
    pub fn memory_bytes(&self) -> u64 {
        self.memory_pages.saturating_mul(PAGE_BYTES)
    }

    /// The names of the functions it imports, each once, in ascending order.
    pub fn imports(&self) -> Vec<String> {
        let names: BTreeSet<&str> = self.compiled.imports().map(|import| import.name()).collect();
        names.into_iter().map(str::to_owned).collect()
    }

    /// The engine's view of it.
    pub(in crate::kernel) fn compiled(&self) -> &wasmi::Module {
        &self.compiled
    }
}

impl fmt::Debug for Module {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Module({} bytes)", self.memory_bytes())
    }
}

/// The engine as every machine has to set it. Each module gets one of its own, since an engine
/// keeps what it translated for as long as it lives.
fn engine(mode: CompilationMode) -> Engine {
    let mut config = Config::default();
    config
        // [MOD-09]
        .wasm_mutable_global(true)
        .wasm_sign_extension(true)
        .wasm_saturating_float_to_int(true)
        .wasm_multi_value(true)
        .wasm_bulk_memory(true)
        .wasm_reference_types(true)
        .wasm_multi_memory(false)
        .wasm_tail_call(false)
        .wasm_extended_const(false)
        .wasm_custom_page_sizes(false)
        .wasm_wide_arithmetic(false)
        .floats(true)
        .allow_start_fn(false)
        .ignore_custom_sections(true)
        // [BOX-31] [BOX-32] translation costs nothing, so that the first call costs what the second does
        .consume_fuel(true)
        .operator_cost(costs::OPERATORS)
        .fuel_cost(CustomFuelCosts {
            bytes_copied_per_fuel: BYTES_PER_FUEL,
            fuel_per_bytes_translated: 0,
            fuel_per_bytes_validated: 0,
        })
        .compilation_mode(mode);
    // [BOX-36]
    config.set_max_recursion_depth(CALL_DEPTH_MAX).set_max_stack_height(STACK_BYTES_MAX);
    Engine::new(&config)
}

// [MOD-07]
pub(in crate::kernel) fn compile(
    bytes: &[u8],
    mode: CompilationMode,
) -> Result<wasmi::Module, Error> {
    wasmi::Module::new(&engine(mode), bytes)
        .map_err(|error| Error::new(Code::ModuleInvalid, error.to_string()))
}

/// Refuses whatever the sandbox would not define, naming all of it at once.
fn check_imports(module: &wasmi::Module, manifest: &Manifest) -> Result<(), Error> {
    let asked = &manifest.capabilities;
    let door = !asked.network.is_empty();
    let mut unknown = BTreeSet::new();
    for import in module.imports() {
        let known = imports::signature(import.module(), import.name());
        // [MOD-10] memories, tables and globals are never imported
        let wrong = import.ty().func().is_none() || known.as_ref() != import.ty().func();
        // [DOOR-02]
        let shut = import.module() == imports::SERVICE_MODULE && !door;
        if wrong || shut {
            let why = match known {
                None => "",
                Some(_) if shut => " (without `network` among its capabilities)",
                Some(_) => " (with another signature)",
            };
            unknown.insert(format!("{}.{}{why}", shown(import.module()), shown(import.name())));
        }
    }
    if unknown.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = unknown.into_iter().collect();
    Err(Error::new(Code::ModuleImport, format!("the module imports {}", names.join(", "))))
}

/// A command: one memory, exported, and an entry point. Gives the pages it starts with.
fn check_exports(module: &wasmi::Module) -> Result<u64, Error> {
    let missing = |what: &str| Error::new(Code::ModuleExport, format!("the module has no {what}"));
    // [MOD-11]
    let Some(ExternType::Memory(memory)) = module.get_export("memory") else {
        return Err(missing("memory exported as `memory`"));
    };
    // [MOD-12]
    let start = module.get_export("_start");
    if start.as_ref().and_then(ExternType::func) != Some(&FuncType::new([], [])) {
        return Err(missing("function `_start` without parameters and results"));
    }
    Ok(memory.minimum())
}
