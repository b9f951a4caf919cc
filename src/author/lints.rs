//! What the runtime accepts and the model APIs of clients refuse.

use mpp::package::manifest::Tool;

/// Longest name that leaves a client enough characters for its prefix.
const NAME_BYTES_MAX: usize = 50;

/// A reason why the model API of a client could refuse all its tools.
pub struct Lint {
    /// The member of the tool, as the end of a JSON pointer.
    pub member: String,
    pub message: String,
    pub help: String,
}

pub fn refused_by_clients(tool: &Tool) -> Vec<Lint> {
    let name = &tool.name;
    let root = ["anyOf", "oneOf", "allOf", "enum", "not"].into_iter();
    let root = root.filter(|keyword| tool.parameters.source().get(keyword).is_some());
    let mut lints: Vec<Lint> = root
        .map(|keyword| Lint {
            member: format!("/parameters/{keyword}"),
            message: format!(
                "tool {name}: model APIs refuse `{keyword}` at the root of `parameters`"
            ),
            help: "move it into a property".to_owned(),
        })
        .collect();
    if name.len() > NAME_BYTES_MAX {
        lints.push(Lint {
            member: "/name".to_owned(),
            message: format!(
                "tool {name}: clients put a prefix before the name, and model APIs refuse more than 64 \
                 characters"
            ),
            help: format!("use at most {NAME_BYTES_MAX}"),
        });
    }
    lints
}
