/* The door out of the sandbox, for tools in C: one request in, one answer out, both JSON. Comes behind
 * jsonrpc.h. What can be asked for is on the page door.md of the specification.
 */
#ifndef DOOR_H
#define DOOR_H

__attribute__((import_module("mpp_v1"), import_name("request"))) int32_t mpp_request(const char *bytes, size_t length);
__attribute__((import_module("mpp_v1"), import_name("response"))) int32_t mpp_response(char *bytes, size_t length);

/* Why the last request was refused; a code such as "http.undeclared". */
static const char *door_refusal;
static size_t door_refusal_length;

/* What stands under `ok` in the answer, or NULL. */
static const struct json *door_ask(const struct text *request) {
    door_refusal = "door.none";
    door_refusal_length = strlen(door_refusal);
    int32_t length = mpp_request(request->bytes, request->length);
    if (length <= 0) return NULL;
    struct reader in;
    in.at = allocate((size_t)length);
    in.end = in.at + length;
    if (mpp_response(in.at, (size_t)length) != length) return NULL;
    const struct json *answer = read_value(&in, JSON_DEPTH_MAX);
    if (answer == NULL || answer->kind != JSON_OBJECT) return NULL;
    const struct json *error = json_member(answer, "error");
    if (error != NULL && error->kind == JSON_OBJECT) {
        const struct json *code = json_member(error, "code");
        if (code != NULL && code->kind == JSON_STRING) {
            door_refusal = code->text;
            door_refusal_length = code->length;
        }
    }
    return json_member(answer, "ok");
}

#endif
