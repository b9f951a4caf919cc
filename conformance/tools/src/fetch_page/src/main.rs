//! fetch_page: a page of the web as text, with its links and what it says about itself. It reaches only the
//! hosts that its manifest declares, by way of its host.

mod charset;
mod entities;
mod html;
mod page;
#[path = "../../../../../src/sdk/mod.rs"]
mod sdk;
mod url;

use sdk::{tool_handler, Call, Failure, HttpRequest, HttpResponse};
use serde_json::{json, Value};
use url::Url;

const TEXT_LENGTH_MAX: usize = 1_000_000;
const LINKS_COUNT_MAX: usize = 1_000;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    url: String,
    #[serde(default = "text_length_default")]
    text_length: usize,
    #[serde(default = "links_default")]
    links: bool,
}

fn text_length_default() -> usize {
    20_000
}

fn links_default() -> bool {
    true
}

fn main() {
    tool_handler().tool("fetch_page", fetch_page).run();
}

fn fetch_page(wanted: Wanted, call: &Call) -> Result<(String, Value), Failure> {
    if !(1..=TEXT_LENGTH_MAX).contains(&wanted.text_length) {
        return Err(Failure::arguments("text_length is not an integer from 1 to 1000000"));
    }
    // Spaces, other letters and a fragment are written as the service accepts them.
    let url = Url::parse(&wanted.url)
        .ok_or_else(|| Failure::new(format!("{} is no http or https address", wanted.url)))?;
    let request = HttpRequest::get(url.to_string())
        .header("accept", "text/html, application/xhtml+xml, text/*;q=0.8")
        .header("user-agent", "fetch_page/1.0");
    let response = call.http(&request)?;
    let page = read(&response)?;
    if !(200..300).contains(&response.status) {
        let title = if page.title.is_empty() { &page.text } else { &page.title };
        let (said, _) = first_characters(title, 200);
        return Err(Failure::new(format!("{}: status {}: {}", response.url, response.status, said)));
    }
    Ok(answer(&response, page, wanted.text_length, wanted.links))
}

fn read(response: &HttpResponse) -> Result<page::Page, String> {
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

fn answer(response: &HttpResponse, page: page::Page, text_length: usize, with_links: bool) -> (String, Value) {
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

/// At most that many characters, and whether that is all.
fn first_characters(text: &str, count: usize) -> (&str, bool) {
    match text.char_indices().nth(count) {
        Some((end, _)) => (&text[..end], false),
        None => (text, true),
    }
}
