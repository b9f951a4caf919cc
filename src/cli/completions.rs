//! `mpp completions`: completions of shells and the manual page, made by `conformance/generate/shell.py` from the
//! description of all commands, which this prints too.

use super::{usage_error, CommandOutput};
use argh::{ArgsInfo, CommandInfoWithArgs, FlagInfoKind, FromArgs};
use mpp::Error;
use serde_json::{json, Value};

const FILES: [(&str, &str); 4] = [
    ("bash", include_str!("shell/mpp.bash")),
    ("zsh", include_str!("shell/_mpp")),
    ("fish", include_str!("shell/mpp.fish")),
    ("man", include_str!("shell/mpp.1")),
];

/// Print completions of a shell, or the manual page
#[derive(ArgsInfo, FromArgs)]
#[argh(subcommand, name = "completions")]
pub struct Completions {
    /// bash, zsh, fish, man, or json for a description
    #[argh(positional)]
    shell: String,
    /// print JSON
    #[argh(switch)]
    pub json: bool,
}

impl Completions {
    pub fn run(self, top: &CommandInfoWithArgs) -> Result<CommandOutput, Error> {
        let text = match FILES.iter().find(|(name, _)| *name == self.shell) {
            Some((_, text)) => (*text).to_owned(),
            None if self.shell == "json" => super::json_line(&description("mpp", top)),
            None => return Err(usage_error("expected one of bash, zsh, fish, man, json")),
        };
        let json = json!({ "shell": self.shell, "text": text });
        Ok(CommandOutput::new(text, json))
    }
}

/// Returns a description without the doubled braces of a format string, in which `argh` keeps it.
fn unescaped(text: &str) -> String {
    text.replace("{{", "{").replace("}}", "}")
}

/// Describes a command and those below it.
fn description(name: &str, command: &CommandInfoWithArgs) -> Value {
    let options = command.flags.iter().map(|flag| {
        json!({
            "long": flag.long, "short": flag.short.map(String::from), "about": unescaped(flag.description),
            "takes_value": matches!(flag.kind, FlagInfoKind::Option { .. }),
        })
    });
    let positionals = command.positionals.iter();
    let positionals = positionals.map(|it| json!({ "name": it.name, "about": it.description }));
    let commands = command.commands.iter().map(|it| description(it.name, &it.command));
    json!({
        "name": name, "about": command.description, "options": Vec::from_iter(options),
        "positionals": Vec::from_iter(positionals), "commands": Vec::from_iter(commands),
    })
}
