//! fetch_page: a page of the web as text, with its links and what it says about itself. It reaches only the
//! hosts that its manifest declares, by way of its host.

mod charset;
mod door;
mod entities;
mod html;
mod page;
mod url;

use serde_json::{json, Map, Value};
use std::io::{Read, Write};
use url::Url;

const TEXT_LENGTH_DEFAULT: u64 = 20_000;
const TEXT_LENGTH_MAX: u64 = 1_000_000;
const LINKS_COUNT_MAX: usize = 1_000;

enum Failure {
    /// The arguments do not fit the tool.
    Misfit(&'static str),
    /// They fit, and it can't be done.
    Failed(String),
}

fn main() {
    let mut request = Vec::new();
    let response = match std::io::stdin().read_to_end(&mut request) {
        Ok(_) => respond(&request),
        Err(_) => error(&Value::Null, -32603, "stdin can't be read"),
    };
    // Whoever asked may be gone; there is nobody else to tell.
    let _ = writeln!(std::io::stdout(), "{}", response);
}

fn error(id: &Value, code: i32, message: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } })
}

fn respond(request: &[u8]) -> Value {
    let request: Value = match serde_json::from_slice(request) {
        Ok(request) => request,
        Err(_) => return error(&Value::Null, -32700, "the request is not JSON"),
    };
    let id = match request.get("id") {
        Some(id) if request["jsonrpc"] == "2.0" => id,
        _ => return error(&Value::Null, -32600, "not a request of JSON-RPC 2.0"),
    };
    if request["method"] != "tools/call" {
        return error(id, -32601, "tools/call is the one method");
    }
    if request["params"]["name"] != "fetch_page" {
        return error(id, -32602, "there is no such tool");
    }
    let (text, structured) = match fetch_page(&request["params"]["arguments"]) {
        Ok(answer) => answer,
        Err(Failure::Misfit(why)) => return error(id, -32602, why),
        Err(Failure::Failed(why)) => {
            let content = json!([{ "type": "text", "text": why }]);
            return json!({ "jsonrpc": "2.0", "id": id, "result": { "content": content, "isError": true } });
        }
    };
    let content = json!([{ "type": "text", "text": text }]);
    let result = json!({ "content": content, "structuredContent": structured, "isError": false });
    json!({ "jsonrpc": "2.0", "id": id, "result": result })
}

fn fetch_page(arguments: &Value) -> Result<(String, Value), Failure> {
    let nothing = Map::new();
    let arguments = match arguments {
        Value::Object(arguments) => arguments,
        Value::Null => &nothing,
        _ => return Err(Failure::Misfit("arguments is not an object")),
    };
    if arguments.keys().any(|name| !["url", "text_length", "links"].contains(&name.as_str())) {
        return Err(Failure::Misfit("fetch_page takes only url, text_length and links"));
    }
    let url = arguments.get("url").and_then(Value::as_str);
    let url = url.ok_or(Failure::Misfit("url is not a string"))?;
    let text_length = match arguments.get("text_length").map(Value::as_u64) {
        None => TEXT_LENGTH_DEFAULT,
        Some(Some(length)) if (1..=TEXT_LENGTH_MAX).contains(&length) => length,
        _ => return Err(Failure::Misfit("text_length is not an integer from 1 to 1000000")),
    };
    let with_links = match arguments.get("links") {
        None | Some(Value::Bool(true)) => true,
        Some(Value::Bool(false)) => false,
        _ => return Err(Failure::Misfit("links is not a boolean")),
    };
    // Spaces, other letters and a part of the page behind `#` are put as the door takes them.
    let url = Url::parse(url)
        .ok_or_else(|| Failure::Failed(format!("{} is no http or https address", url)))?;
    let response = door::get(&url.to_string()).map_err(Failure::Failed)?;
    let page = read(&response).map_err(Failure::Failed)?;
    if !(200..300).contains(&response.status) {
        let title = if page.title.is_empty() { &page.text } else { &page.title };
        let (said, _) = first_characters(title, 200);
        return Err(Failure::Failed(format!("{}: status {}: {}", response.url, response.status, said)));
    }
    Ok(answer(&response, page, text_length as usize, with_links))
}

fn read(response: &door::Response) -> Result<page::Page, String> {
    let content_type = response.header("content-type").unwrap_or("text/html");
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_html = matches!(kind.as_str(), "text/html" | "application/xhtml+xml" | "");
    let is_text = kind.starts_with("text/") || kind == "application/json" || kind.ends_with("+json") || kind.ends_with("xml");
    if !is_html && !is_text {
        return Err(format!("{}: {} is no page of text", response.url, kind));
    }
    if response.header("content-encoding").map_or(false, |coding| !coding.eq_ignore_ascii_case("identity")) {
        return Err(format!("{}: compressed, which nobody asked for", response.url));
    }
    let text = charset::decode(&response.body, content_type).map_err(|why| format!("{}: {}", response.url, why))?;
    let at = Url::parse(&response.url).ok_or("the host gave no address of a page")?;
    Ok(match is_html {
        true => page::read(&text, &at),
        false => page::Page { text, ..page::Page::default() },
    })
}

fn answer(response: &door::Response, page: page::Page, text_length: usize, with_links: bool) -> (String, Value) {
    let (text, text_is_whole) = first_characters(&page.text, text_length);
    let count = if with_links { page.links.len().min(LINKS_COUNT_MAX) } else { 0 };
    let links: Vec<Value> =
        page.links[..count].iter().map(|(url, text)| json!({ "url": url, "text": text })).collect();
    let open_graph: Vec<Value> = page
        .open_graph
        .iter()
        .map(|(property, content)| json!({ "property": property, "content": content }))
        .collect();
    let mut structured = json!({
        "url": response.url, "status": response.status, "title": page.title, "description": page.description,
        "language": page.language, "open_graph": open_graph, "text": text, "text_is_whole": text_is_whole,
        "links": links, "links_count": page.links.len(),
    });
    if let Some(canonical) = page.canonical {
        structured["canonical"] = canonical.into();
    }
    let mut shown = String::new();
    if !page.title.is_empty() {
        shown = format!("{}\n\n", page.title);
    }
    shown.push_str(text);
    if !text_is_whole {
        shown.push_str("\n[cut here]");
    }
    (shown, structured)
}

/// At most so many characters, and whether that is all.
fn first_characters(text: &str, count: usize) -> (&str, bool) {
    match text.char_indices().nth(count) {
        Some((end, _)) => (&text[..end], false),
        None => (text, true),
    }
}
