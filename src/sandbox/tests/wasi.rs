//! Host functions, one by one.

use super::*;
use crate::module::imports;

#[test]
fn every_function_of_preview_1_is_accepted_and_defined_with_this_signature() {
    let mut text = String::from("(module");
    for (name, signature) in imports::all() {
        let kind = |kind: &wasmi::ValType| match kind {
            wasmi::ValType::I64 => "i64 ",
            _ => "i32 ",
        };
        let parameters: String = signature.params().iter().map(kind).collect();
        let results: String = signature.results().iter().map(kind).collect();
        text += &format!(
            "(import \"wasi_snapshot_preview1\" \"{name}\"
                (func (param {parameters}) (result {results})))"
        );
    }
    text += "(memory (export \"memory\") 1) (func (export \"_start\")))";
    let module = Module::check(&wat::parse_str(text).unwrap(), &manifest(16)).unwrap();
    assert_eq!(module.imports().len(), 46);
    assert_eq!(run(&module, &LIMITS).outcome, Ok(()));
}
