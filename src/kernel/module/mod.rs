//! WebAssembly module validation (check 7): limits, validity, imports and exports.
//!
//! A [`Module`] has passed it. It is validated completely here, and translated function by function when
//! it runs, at no fuel, so that fuel does not depend on what was translated before.

mod fuel_costs;
pub(in crate::kernel) mod imports;
mod prescan;
#[cfg(test)]
#[path = "../../../conformance/unit/kernel/module.rs"]
pub(in crate::kernel) mod tests;

use crate::kernel::encoding::as_u64;
use crate::kernel::limits::{CALL_DEPTH_MAX, MODULE_BYTES_MAX, STACK_BYTES_MAX};
use crate::kernel::package::manifest::Manifest;
use crate::kernel::prelude::*;
use crate::kernel::text::quote_untrusted;
use wasmi::{CompilationMode, Config, CustomFuelCosts, Engine, ExternType, FuncType};

/// Bytes in a page of linear memory (WebAssembly 1.0, section 4.2.8).
pub(in crate::kernel) const PAGE_BYTES: u64 = 1 << 16;
/// Bytes of linear memory or table that one unit of fuel copies, fills or adds.
pub(in crate::kernel) const BYTES_PER_FUEL: u32 = 64;

/// A module that passed every rule of `spec/sandbox.md`, compiled once; cheap to clone.
#[derive(Clone)]
pub struct Module {
    compiled: wasmi::Module,
    memory_pages: u64,
    code_bytes_max: u64,
}

impl Module {
    /// Performs check 7 of the Gatekeeper.
    ///
    /// # Errors
    /// `module.too_large`, `module.limit`, `module.invalid`, `module.unknown_import`,
    /// `module.missing_export` or `module.memory`.
    ///
    /// ```
    /// # use mpp::package::manifest::*;
    /// # fn validate(bytes: &[u8], manifest: &Manifest) -> Result<(), mpp::Error> {
    /// let module = mpp::module::Module::validate(bytes, manifest)?;
    /// assert!(module.memory_bytes() <= u64::from(manifest.runtime.memory_limit_mb) << 20);
    /// # Ok(())
    /// # }
    /// ```
    pub fn validate(bytes: &[u8], manifest: &Manifest) -> Result<Self, Error> {
        // [MOD-01]
        if bytes.len() > MODULE_BYTES_MAX {
            let detail = format!("module is {} bytes, limit {MODULE_BYTES_MAX}", bytes.len());
            return Err(Error::new(Code::ModuleTooLarge, detail));
        }
        let code_bytes = prescan::check(bytes)?;
        let compiled = compile(bytes, CompilationMode::LazyTranslation)?;
        check_imports(&compiled, manifest)?;
        let memory_pages = check_exports(&compiled)?;
        let code_bytes_max = code_bytes.saturating_add(as_u64(bytes.len()));
        let module = Module { compiled, memory_pages, code_bytes_max };
        // [MOD-13]
        let limit = u64::from(manifest.runtime.memory_limit_mb).saturating_mul(1 << 20);
        if module.memory_bytes() > limit {
            let detail = format!(
                "initial memory is {} bytes, limit in the manifest {limit}",
                module.memory_bytes()
            );
            return Err(Error::new(Code::ModuleMemory, detail));
        }
        Ok(module)
    }

    /// Returns the size of the initial linear memory in bytes.
    pub fn memory_bytes(&self) -> u64 {
        self.memory_pages.saturating_mul(PAGE_BYTES)
    }

    /// Returns the most bytes that the compiled module takes once all its functions have run.
    // [MOD-19]
    pub fn code_bytes_max(&self) -> u64 {
        self.code_bytes_max
    }

    /// Returns the names of the imports, without duplicates, in ascending order.
    pub fn imports(&self) -> Vec<String> {
        let names: BTreeSet<&str> = self.compiled.imports().map(|import| import.name()).collect();
        names.into_iter().map(str::to_owned).collect()
    }

    /// Returns the engine's module.
    pub(in crate::kernel) fn compiled(&self) -> &wasmi::Module {
        &self.compiled
    }
}

impl fmt::Debug for Module {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Module({} bytes)", self.memory_bytes())
    }
}

/// Returns an engine in the configuration that all machines must share. Each module has its own, since an
/// engine keeps all translated functions until it is dropped.
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
        // [BOX-31] [BOX-32] free translation, so that the first call costs the same as later ones
        .consume_fuel(true)
        .operator_cost(fuel_costs::OPERATORS)
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

/// Refuses imports that the sandbox does not define, naming all of them at once.
fn check_imports(module: &wasmi::Module, manifest: &Manifest) -> Result<(), Error> {
    let has_network = !manifest.capabilities.network.is_empty();
    let mut refused = BTreeSet::new();
    for import in module.imports() {
        let known = imports::signature(import.module(), import.name());
        // [MOD-10] imports of memories, tables and globals are never allowed
        let is_wrong = import.ty().func().is_none() || known.as_ref() != import.ty().func();
        // [DOOR-02]
        let is_undeclared = import.module() == imports::SERVICE_MODULE && !has_network;
        if is_wrong || is_undeclared {
            let why = match known {
                None => "",
                Some(_) if is_undeclared => " (without `capabilities.network` in the manifest)",
                Some(_) => " (with a wrong signature)",
            };
            let (module, name) = (quote_untrusted(import.module()), quote_untrusted(import.name()));
            refused.insert(format!("{module}.{name}{why}"));
        }
    }
    if refused.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = refused.into_iter().collect();
    Err(Error::new(Code::ModuleImport, format!("module imports {}", names.join(", "))))
}

/// Requires a WASI command: an exported memory and an entry point. Returns the initial memory in pages.
fn check_exports(module: &wasmi::Module) -> Result<u64, Error> {
    let missing = |what: &str| Error::new(Code::ModuleExport, format!("module exports no {what}"));
    // [MOD-11]
    let Some(ExternType::Memory(memory)) = module.get_export("memory") else {
        return Err(missing("memory `memory`"));
    };
    // [MOD-12]
    let start = module.get_export("_start");
    if start.as_ref().and_then(ExternType::func) != Some(&FuncType::new([], [])) {
        return Err(missing("function `_start` without parameters and results"));
    }
    Ok(memory.minimum())
}
