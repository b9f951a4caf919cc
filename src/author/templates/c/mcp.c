/* An MCP server with one tool: a message on each line of stdin and stdout. jsonrpc.h reads and writes JSON. */

#include "jsonrpc.h"
#include <stdio.h>

static const char INITIALIZED[] =
    ",\"result\":{\"protocolVersion\":\"2025-06-18\",\"capabilities\":{\"tools\":{}},"
    "\"serverInfo\":{\"name\":\"@NAME@\",\"version\":\"0.1.0\"}}}\n";
static const char TOOLS[] =
    ",\"result\":{\"tools\":[{\"name\":\"@TOOL@\",\"description\":\"Greets a person by name.\",\"inputSchema\":"
    "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"}},\"required\":[\"name\"]}}]}}\n";

static const char *call_tool(const struct json *tool, const struct json *arguments, struct answer *answer) {
    if (!json_is(tool, "@TOOL@")) return "there is no such tool";
    const struct json *name = arguments == NULL ? NULL : json_member(arguments, "name");
    if (name == NULL || name->kind != JSON_STRING) return "name is not a string";
    put_literal(&answer->message, "Hello, ");
    put(&answer->message, name->text, name->length);
    put_literal(&answer->message, "!");
    return NULL;
}

static void answer_with(const char *result) {
    struct text out = response();
    put_literal(&out, result);
    write_all(out.bytes, out.length);
}

static void answer_call(const struct json *params) {
    struct answer answer = {{NULL, 0, 0, false}, {NULL, 0, 0, false}, false};
    const char *refusal = "params is not an object";
    if (params != NULL && params->kind == JSON_OBJECT)
        refusal = call_tool(json_member(params, "name"), json_member(params, "arguments"), &answer);
    if (refusal != NULL) answer_error(-32602, refusal);
    else answer_result(&answer);
}

static void answer_line(char *line, size_t length) {
    struct reader in = {line, line + length};
    const struct json *request = read_value(&in, JSON_DEPTH_MAX);
    request_id = NULL;
    if (request == NULL || in.at != in.end || request->kind != JSON_OBJECT)
        return answer_error(-32700, "the message is not JSON");
    request_id = json_member(request, "id");
    const struct json *method = json_member(request, "method");
    if (request_id == NULL) return; /* a notification */
    if (json_is(method, "initialize")) answer_with(INITIALIZED);
    else if (json_is(method, "ping")) answer_with(",\"result\":{}}\n");
    else if (json_is(method, "tools/list")) answer_with(TOOLS);
    else if (json_is(method, "tools/call")) answer_call(json_member(request, "params"));
    else answer_error(-32601, "there is no such method");
}

int main(void) {
    char *line = NULL;
    size_t capacity = 0;
    for (ssize_t length; (length = getline(&line, &capacity, stdin)) > 0;) answer_line(line, (size_t)length);
    return 0;
}
