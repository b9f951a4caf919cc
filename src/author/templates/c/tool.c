/* One tool. jsonrpc.h reads the request and writes the response. */

#include "jsonrpc.h"

static const char *greet(const struct json *arguments, struct answer *answer) {
    const struct json *name = json_member(arguments, "name");
    if (name == NULL || name->kind != JSON_STRING) return "name is not a string";
    put_literal(&answer->message, "Hello, ");
    put(&answer->message, name->text, name->length);
    put_literal(&answer->message, "!");
    return NULL;
}

static const char *call_tool(const struct json *name, const struct json *arguments, struct answer *answer) {
    if (json_is(name, "@TOOL@")) return greet(arguments, answer);
    return "there is no such tool";
}

int main(void) {
    serve();
    return 0;
}
