//! The request on stdin and the response on stdout.

use super::*;
use serde_json::{json, Value};

fn response(stdout: &str) -> Result<ToolResult, Code> {
    JsonRpcResponse::parse(stdout.as_bytes())
        .map(|response| response.result)
        .map_err(|error| error.code())
}

fn result(content: Value, structured_content: Option<Value>, is_error: bool) -> ToolResult {
    ToolResult { content, structured_content, is_error }
}

fn text(text: &str) -> Value {
    json!([{"type": "text", "text": text}])
}

#[test]
fn the_request_is_one_line_and_reads_back() {
    let arguments = json!({"text": "a\nb\u{2028}\"", "n": [1, 2.5, null]});
    let line = tools_call_request("na\"me", &arguments);
    assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
    assert_eq!(line.last(), Some(&b'\n'));
    let request: Value = serde_json::from_slice(&line).unwrap();
    let expected = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": "na\"me", "arguments": arguments},
    });
    assert_eq!(request, expected);
}

#[test]
fn results_in_the_shape_of_mcp_are_taken_as_they_are() {
    let blocks = json!([{"type": "text", "text": "hi"}, {"type": "image", "data": "", "x": 1}]);
    let message = |result: Value| json!({"jsonrpc": "2.0", "id": 1, "result": result}).to_string();
    let plain = message(json!({"content": blocks}));
    assert_eq!(response(&plain), Ok(result(blocks.clone(), None, false)));
    let whole = message(json!({
        "content": blocks, "structuredContent": {"a": 1}, "isError": true, "_meta": {"leak": 1}
    }));
    assert_eq!(response(&whole), Ok(result(blocks, Some(json!({"a": 1})), true)));
    assert_eq!(response(&message(json!({"content": []}))), Ok(result(json!([]), None, false)));
    for odd in [
        json!({"content": [], "structuredContent": [1]}),
        json!({"content": [], "structuredContent": null}),
        json!({"content": [], "isError": "yes"}),
        json!({"content": [], "isError": null}),
    ] {
        assert_eq!(response(&message(odd)), Err(Code::ToolBadAnswer));
    }
}

#[test]
fn results_of_any_other_shape_are_wrapped_whole() {
    for (value, block, structured) in [
        (json!({"words": 2}), r#"{"words":2}"#, true),
        (json!({"content": "text"}), r#"{"content":"text"}"#, true),
        (json!({"content": ["a"]}), r#"{"content":["a"]}"#, true),
        (json!({"content": [{"text": "a"}]}), r#"{"content":[{"text":"a"}]}"#, true),
        (json!({"isError": true}), r#"{"isError":true}"#, true),
        (json!("plain"), "plain", false),
        (json!([1, 2]), "[1,2]", false),
        (json!(null), "null", false),
        (json!(1.5), "1.5", false),
    ] {
        let message = json!({"jsonrpc": "2.0", "id": 1, "result": value}).to_string();
        let structured = structured.then_some(value);
        assert_eq!(response(&message), Ok(result(text(block), structured, false)));
    }
}

#[test]
fn errors_become_failed_results_with_everything_they_say() {
    let message = |error: Value| json!({"jsonrpc": "2.0", "id": 1, "error": error}).to_string();
    let plain = message(json!({"code": -32602, "message": "no such tool"}));
    assert_eq!(response(&plain), Ok(result(text("no such tool"), None, true)));
    let with_data = message(json!({"code": 1, "message": "m", "data": {"email": "a@b.c"}}));
    assert_eq!(response(&with_data), Ok(result(text("m"), Some(json!({"email": "a@b.c"})), true)));
    for odd in [json!({}), json!({"code": 1}), json!({"message": "m"}), json!("text"), json!(null)]
    {
        assert_eq!(response(&message(odd)), Err(Code::ToolBadAnswer));
    }
}

#[test]
fn white_space_around_the_answer_is_allowed_and_nothing_else() {
    let answer = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
    for around in [format!("{answer}\n"), format!("\r\n {answer}\t\r\n\n"), answer.to_owned()] {
        assert!(response(&around).is_ok(), "{around:?}");
    }
    for (stdout, code) in [
        (String::new(), Code::ToolNoAnswer),
        ("\n\r\t ".into(), Code::ToolNoAnswer),
        (format!("{answer}{answer}"), Code::ToolTwoAnswers),
        (format!("{answer}\n{answer}\n"), Code::ToolTwoAnswers),
        (format!("{answer} 1"), Code::ToolTwoAnswers),
        (format!("{{}}\n{answer}"), Code::ToolTwoAnswers),
        (format!("{answer}\nDone."), Code::ToolBadAnswer),
        (format!("{answer}\0"), Code::ToolBadAnswer),
        (format!("Loading...\n{answer}"), Code::ToolBadAnswer),
        (format!("Content-Length: {}\r\n\r\n{answer}", answer.len()), Code::ToolBadAnswer),
        (format!("\u{feff}{answer}"), Code::ToolBadAnswer),
        (answer[..answer.len() - 1].to_owned(), Code::ToolBadAnswer),
        ("hello".into(), Code::ToolBadAnswer),
    ] {
        assert_eq!(response(&stdout), Err(code), "{stdout:?}");
    }
}

#[test]
fn what_is_no_response_to_the_request_is_rejected() {
    for stdout in [
        "[]",
        "1",
        "null",
        "{}",
        r#"[{"jsonrpc":"2.0","id":1,"result":{}}]"#,
        r#"{"jsonrpc":"2.0","result":{}}"#,
        r#"{"jsonrpc":"2.0","id":2,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":"1","result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1.0,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":null,"result":{}}"#,
        r#"{"jsonrpc":"1.0","id":1,"result":{}}"#,
        r#"{"jsonrpc":2.0,"id":1,"result":{}}"#,
        r#"{"id":1,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":"m"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{},"error":null}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"a":1,"a":2}}"#,
        r#"{"jsonrpc":"2.0","id":1,"id":1,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":1e999}"#,
    ] {
        assert_eq!(response(stdout), Err(Code::ToolBadAnswer), "{stdout}");
    }
    let nested = |depth: usize| {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        response(&format!(r#"{{"jsonrpc":"2.0","id":1,"result":{open}{close}}}"#))
    };
    assert!(nested(crate::kernel::limits::REQUEST_DEPTH_MAX - 1).is_ok());
    assert_eq!(nested(crate::kernel::limits::REQUEST_DEPTH_MAX), Err(Code::ToolBadAnswer));
    let invalid_utf8 = b"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"\xff\"}";
    let error = JsonRpcResponse::parse(invalid_utf8).unwrap_err();
    assert_eq!(error.code(), Code::ToolBadAnswer);
}

#[test]
fn a_guest_that_answers_is_heard() {
    let answer = r#"{"jsonrpc":"2.0","id":1,"result":"pong"}"#;
    let escaped = answer.replace('"', "\\\"");
    let guest = module(&format!(
        "(data (i32.const 0) \"{escaped}\")
         (func (export \"_start\") (call $put (i32.const 1) (i32.const 0) (i32.const {})))",
        answer.len()
    ));
    let ended = run(&guest, &LIMITS);
    let response = JsonRpcResponse::parse(&ended.stdout).unwrap();
    assert_eq!(response.result.content, text("pong"));
}
