//! The one door out: requests that the host carries out, if its manifest and its policy let it.

use serde_json::{json, Value};

pub struct Response {
    /// Behind all redirects.
    pub url: String,
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    /// The value of a header by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(found, _)| found == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Fetches what is at an address. An error has the host's code and its words.
pub fn get(url: &str) -> Result<Response, String> {
    let headers = json!([
        ["accept", "text/html, application/xhtml+xml, text/*;q=0.8"],
        ["user-agent", "fetch_page/1.0"]
    ]);
    let answer = ask(&json!({ "service": "http", "method": "GET", "url": url, "headers": headers }))?;
    let text = |name: &str| answer[name].as_str().map(str::to_owned);
    let body = match (text("body"), text("body_base64")) {
        (Some(body), _) => Some(body.into_bytes()),
        (None, Some(coded)) => unbase64(&coded),
        (None, None) => None,
    };
    let pair = |pair: &Value| Some((pair[0].as_str()?.to_owned(), pair[1].as_str()?.to_owned()));
    let headers = answer["headers"].as_array().map(|list| list.iter().filter_map(pair).collect());
    match (text("url"), answer["status"].as_u64(), headers, body) {
        (Some(url), Some(status @ 0..=999), Some(headers), Some(body)) => {
            Ok(Response { url, status: status as u16, headers, body })
        }
        _ => Err("the host gave no response that is understood here".to_owned()),
    }
}

fn ask(request: &Value) -> Result<Value, String> {
    let answer = exchange(request.to_string().as_bytes()).ok_or("the host has no door")?;
    let answer: Value = serde_json::from_slice(&answer).map_err(|_| "the host gave no JSON")?;
    match answer.get("ok") {
        Some(ok) => Ok(ok.clone()),
        None => {
            let word = |name: &str| answer["error"][name].as_str().unwrap_or_default().to_owned();
            Err(format!("{}: {}", word("code"), word("message")))
        }
    }
}

#[cfg(target_arch = "wasm32")]
fn exchange(request: &[u8]) -> Option<Vec<u8>> {
    #[link(wasm_import_module = "mpp_v1")]
    extern "C" {
        #[link_name = "request"]
        fn mpp_request(pointer: *const u8, length: usize) -> i32;
        #[link_name = "response"]
        fn mpp_response(pointer: *mut u8, length: usize) -> i32;
    }
    // The host reads and writes only what lies between pointer and length.
    let length = usize::try_from(unsafe { mpp_request(request.as_ptr(), request.len()) }).ok()?;
    let mut answer = vec![0; length];
    let written = unsafe { mpp_response(answer.as_mut_ptr(), length) };
    (usize::try_from(written).ok()? == length).then(|| answer)
}

/// As a native program, which is how its tests run, it has no host.
#[cfg(not(target_arch = "wasm32"))]
fn exchange(_: &[u8]) -> Option<Vec<u8>> {
    None
}

/// Base64 with padding, as the door writes it.
fn unbase64(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let text = text.trim_end_matches('=').as_bytes();
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 3);
    for group in text.chunks(4) {
        let mut bits = 0u32;
        for byte in group {
            bits = bits << 6 | u32::from(digit(*byte)?);
        }
        bits <<= 6 * (4 - group.len());
        let [_, a, b, c] = bits.to_be_bytes();
        bytes.extend_from_slice(&[a, b, c][..group.len() - 1]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    #[test]
    fn base64_is_decoded() {
        for (text, expected) in
            [("", Some(&b""[..])), ("AA==", Some(b"\0")), ("/+8=", Some(b"\xff\xef")), ("Zm9v", Some(b"foo")), ("Zm9vYg==", Some(b"foob")), ("Z!==", None)]
        {
            assert_eq!(super::unbase64(text).as_deref(), expected);
        }
    }
}
