//! A server that answers `initialize` and does nothing else: what a process costs by itself.

fn main() {
    let mut line = String::new();
    let _ = std::io::stdin().read_line(&mut line);
    println!(
        r#"{{"jsonrpc":"2.0","id":1,"result":{{"protocolVersion":"2025-11-25","capabilities":{{"tools":{{}}}},"serverInfo":{{"name":"nothing","version":"1"}}}}}}"#
    );
}
