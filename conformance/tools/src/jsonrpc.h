/* One JSON-RPC request in on stdin, one response out on stdout: what every example tool shares.
 *
 * A tool defines `call_tool` and calls `serve` from main. Nothing here uses stdio, the clock, the
 * environment or files; of WASI it needs fd_read, fd_write and proc_exit.
 *
 * The reader takes RFC 8259 and nothing else: valid UTF-8, no lone surrogates, no duplicate names,
 * at most JSON_DEPTH_MAX levels. Strings are decoded where they stand in the request, which can
 * only make them shorter, so a large text is held once.
 */
#ifndef JSONRPC_H
#define JSONRPC_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define JSON_DEPTH_MAX 80   /* 64 levels of arguments inside params inside the request */
#define JSON_MEMBERS_MAX 256 /* duplicates are looked for pair by pair */
#define READ_BLOCK_BYTES 65536

/* Values. */

enum json_kind { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
    enum json_kind kind;
    const char *text; /* a string decoded, or a number as written; not zero-terminated */
    size_t length;    /* bytes of text; or how many items or members */
    const char *name; /* set in members of an object */
    size_t name_length;
    struct json *first, *next;
};

static bool equals(const char *bytes, size_t length, const char *literal) {
    return length == strlen(literal) && memcmp(bytes, literal, length) == 0;
}

static bool json_is(const struct json *value, const char *literal) {
    return value != NULL && value->kind == JSON_STRING && equals(value->text, value->length, literal);
}

static const struct json *json_member(const struct json *object, const char *name) {
    for (const struct json *member = object->first; member != NULL; member = member->next)
        if (equals(member->name, member->name_length, name)) return member;
    return NULL;
}

/* Whether every member's name is in the NULL-terminated list. */
static bool json_only(const struct json *object, const char *const names[]) {
    for (const struct json *member = object->first; member != NULL; member = member->next) {
        size_t i = 0;
        while (names[i] != NULL && !equals(member->name, member->name_length, names[i])) i++;
        if (names[i] == NULL) return false;
    }
    return true;
}

/* Writing. A `struct text` grows in memory, or, if it is a stream, empties itself into stdout. */

struct text {
    char *bytes;
    size_t length, capacity;
    bool stream;
};

static char stream_bytes[4096];
static const struct json *request_id; /* NULL is answered as null */

static void answer_error(int code, const char *message);

static void write_all(const char *bytes, size_t length) {
    while (length > 0) {
        ssize_t written = write(1, bytes, length);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) _Exit(1); /* nobody is listening */
        bytes += written;
        length -= (size_t)written;
    }
}

/* Memory is never given back: the process answers once and ends. Where there is none left, that is
 * the answer; nothing is on stdout yet, since streams need no memory. */
static void *allocate(size_t length) {
    void *memory = malloc(length > 0 ? length : 1);
    if (memory == NULL) {
        answer_error(-32603, "out of memory");
        _Exit(0);
    }
    return memory;
}

static void put(struct text *out, const char *bytes, size_t length) {
    if (out->stream) {
        if (length > out->capacity - out->length) {
            write_all(out->bytes, out->length);
            out->length = 0;
        }
        if (length > out->capacity) {
            write_all(bytes, length);
            return;
        }
    } else if (length > out->capacity - out->length) {
        size_t capacity = out->capacity > 0 ? out->capacity : 256;
        while (capacity - out->length < length) {
            if (capacity > SIZE_MAX / 2) capacity = SIZE_MAX; /* will not be had */
            else capacity *= 2;
        }
        char *bytes_now = allocate(capacity);
        if (out->length > 0) memcpy(bytes_now, out->bytes, out->length);
        free(out->bytes);
        out->bytes = bytes_now;
        out->capacity = capacity;
    }
    if (length > 0) memcpy(out->bytes + out->length, bytes, length);
    out->length += length;
}

static void put_literal(struct text *out, const char *literal) { put(out, literal, strlen(literal)); }

static void put_integer(struct text *out, int64_t value) {
    char digits[20];
    size_t at = sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do digits[--at] = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    if (value < 0) digits[--at] = '-';
    put(out, digits + at, sizeof digits - at);
}

/* Reads one code point of [at, end); gives its bytes, or 0 where they are not UTF-8. */
static size_t utf8_decode(const char *at, const char *end, uint32_t *code_point) {
    const unsigned char *byte = (const unsigned char *)at;
    size_t left = (size_t)(end - at), length;
    uint32_t lowest, value;
    if (left == 0) return 0;
    if (byte[0] < 0x80) return *code_point = byte[0], 1;
    if (byte[0] >= 0xC2 && byte[0] <= 0xDF) length = 2, lowest = 0x80, value = byte[0] & 0x1F;
    else if (byte[0] >= 0xE0 && byte[0] <= 0xEF) length = 3, lowest = 0x800, value = byte[0] & 0x0F;
    else if (byte[0] >= 0xF0 && byte[0] <= 0xF4) length = 4, lowest = 0x10000, value = byte[0] & 0x07;
    else return 0;
    if (left < length) return 0;
    for (size_t i = 1; i < length; i++) {
        if ((byte[i] & 0xC0) != 0x80) return 0;
        value = value << 6 | (byte[i] & 0x3F);
    }
    if (value < lowest || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return 0;
    *code_point = value;
    return length;
}

static size_t utf8_encode(uint32_t code_point, char *out) {
    if (code_point < 0x80) return out[0] = (char)code_point, 1;
    size_t length = code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--, code_point >>= 6) out[i] = (char)(0x80 | (code_point & 0x3F));
    out[0] = (char)((length == 2 ? 0xC0 : length == 3 ? 0xE0 : 0xF0) | code_point);
    return length;
}

/* Writes a JSON string. Bytes that are not UTF-8 become U+FFFD one by one, so that whatever a
 * database holds, the response stays JSON. */
static void put_json_string(struct text *out, const char *bytes, size_t length) {
    const char *end = bytes + length, *plain = bytes;
    put(out, "\"", 1);
    while (bytes < end) {
        uint32_t code_point;
        size_t step = utf8_decode(bytes, end, &code_point);
        if (step > 0 && code_point >= 0x20 && code_point != '"' && code_point != '\\' && code_point != 0x7F) {
            bytes += step;
            continue;
        }
        put(out, plain, (size_t)(bytes - plain));
        if (step == 0) put_literal(out, "\xEF\xBF\xBD"), step = 1;
        else if (code_point == '"') put_literal(out, "\\\"");
        else if (code_point == '\\') put_literal(out, "\\\\");
        else if (code_point == '\n') put_literal(out, "\\n");
        else if (code_point == '\r') put_literal(out, "\\r");
        else if (code_point == '\t') put_literal(out, "\\t");
        else {
            char escape[6] = {'\\', 'u', '0', '0', 0, 0};
            escape[4] = "0123456789abcdef"[code_point >> 4];
            escape[5] = "0123456789abcdef"[code_point & 15];
            put(out, escape, 6);
        }
        bytes += step;
        plain = bytes;
    }
    put(out, plain, (size_t)(bytes - plain));
    put(out, "\"", 1);
}

/* The reader. Every function gives false or NULL where the text is not JSON. */

struct reader {
    char *at, *end;
};

static bool take(struct reader *in, char byte) {
    if (in->at == in->end || *in->at != byte) return false;
    in->at++;
    return true;
}

static void skip_space(struct reader *in) {
    while (take(in, ' ') || take(in, '\n') || take(in, '\r') || take(in, '\t')) {}
}

static bool digits(struct reader *in) {
    char *start = in->at;
    while (in->at < in->end && *in->at >= '0' && *in->at <= '9') in->at++;
    return in->at > start;
}

static bool read_number(struct reader *in, struct json *value) {
    char *start = in->at;
    take(in, '-');
    if (!take(in, '0') && !digits(in)) return false;
    if (take(in, '.') && !digits(in)) return false;
    if (take(in, 'e') || take(in, 'E')) {
        if (!take(in, '+')) take(in, '-');
        if (!digits(in)) return false;
    }
    value->kind = JSON_NUMBER;
    value->text = start;
    value->length = (size_t)(in->at - start);
    return true;
}

static bool read_hex4(struct reader *in, uint32_t *unit) {
    if (in->end - in->at < 4) return false;
    *unit = 0;
    for (int i = 0; i < 4; i++) {
        char c = *in->at++;
        if (c >= '0' && c <= '9') *unit = *unit << 4 | (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f') *unit = *unit << 4 | (uint32_t)(c - 'a' + 10);
        else if (c >= 'A' && c <= 'F') *unit = *unit << 4 | (uint32_t)(c - 'A' + 10);
        else return false;
    }
    return true;
}

/* What follows a backslash; one code point, so that a surrogate pair is taken whole. */
static bool read_escape(struct reader *in, uint32_t *code_point) {
    static const char names[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    if (in->at == in->end) return false;
    char name = *in->at++;
    if (name != 'u') {
        const char *found = memchr(names, name, sizeof names - 1);
        if (found != NULL) *code_point = (uint32_t)meanings[found - names];
        return found != NULL;
    }
    uint32_t low;
    if (!read_hex4(in, code_point)) return false;
    if (*code_point < 0xD800 || *code_point > 0xDFFF) return true;
    if (*code_point > 0xDBFF || !take(in, '\\') || !take(in, 'u') || !read_hex4(in, &low)) return false;
    if (low < 0xDC00 || low > 0xDFFF) return false;
    *code_point = 0x10000 + ((*code_point - 0xD800) << 10) + (low - 0xDC00);
    return true;
}

static bool read_string(struct reader *in, const char **text, size_t *length) {
    if (!take(in, '"')) return false;
    char *out = in->at;
    *text = out;
    for (;;) {
        uint32_t code_point;
        size_t step = utf8_decode(in->at, in->end, &code_point);
        if (step == 0 || code_point < 0x20) return false;
        if (code_point == '\\') {
            in->at++;
            if (!read_escape(in, &code_point)) return false;
            out += utf8_encode(code_point, out);
            continue;
        }
        if (code_point == '"') break;
        memmove(out, in->at, step);
        out += step;
        in->at += step;
    }
    in->at++;
    *length = (size_t)(out - *text);
    return true;
}

static bool read_word(struct reader *in, const char *word, struct json *value, enum json_kind kind) {
    size_t length = strlen(word);
    if ((size_t)(in->end - in->at) < length || memcmp(in->at, word, length) != 0) return false;
    in->at += length;
    value->kind = kind;
    return true;
}

static struct json *read_value(struct reader *in, int depth_left);

static bool read_name(struct reader *in, const struct json *object, const char **name, size_t *length) {
    if (object->length >= JSON_MEMBERS_MAX || !read_string(in, name, length)) return false;
    for (const struct json *member = object->first; member != NULL; member = member->next)
        if (member->name_length == *length && memcmp(member->name, *name, *length) == 0) return false;
    skip_space(in);
    return take(in, ':');
}

static bool read_items(struct reader *in, struct json *value, int depth_left) {
    bool object = *in->at++ == '{';
    struct json **last = &value->first;
    if (depth_left == 0) return false;
    value->kind = object ? JSON_OBJECT : JSON_ARRAY;
    skip_space(in);
    if (take(in, object ? '}' : ']')) return true;
    do {
        const char *name = NULL;
        size_t name_length = 0;
        skip_space(in);
        if (object && !read_name(in, value, &name, &name_length)) return false;
        struct json *item = read_value(in, depth_left - 1);
        if (item == NULL) return false;
        item->name = name;
        item->name_length = name_length;
        *last = item;
        last = &item->next;
        value->length++;
    } while (take(in, ','));
    return take(in, object ? '}' : ']');
}

static struct json *read_value(struct reader *in, int depth_left) {
    struct json *value = allocate(sizeof *value);
    memset(value, 0, sizeof *value);
    skip_space(in);
    if (in->at == in->end) return NULL;
    bool good;
    switch (*in->at) {
    case '{':
    case '[': good = read_items(in, value, depth_left); break;
    case '"': value->kind = JSON_STRING, good = read_string(in, &value->text, &value->length); break;
    case 'n': good = read_word(in, "null", value, JSON_NULL); break;
    case 'f': good = read_word(in, "false", value, JSON_FALSE); break;
    case 't': good = read_word(in, "true", value, JSON_TRUE); break;
    default: good = read_number(in, value);
    }
    skip_space(in);
    return good ? value : NULL;
}

/* The value of a number that is an integer, however it is written (5, 5.0, 50e-1), within the range
 * that every JSON reader holds exactly. */
static bool json_integer(const struct json *value, int64_t *integer) {
    if (value == NULL || value->kind != JSON_NUMBER) return false;
    const char *at = value->text, *end = at + value->length;
    bool negative = *at == '-', fraction = false;
    uint64_t digits = 0;
    int64_t exponent = 0, zeros = 0, written = 0;
    for (at += negative; at < end && *at != 'e' && *at != 'E'; at++) {
        if (*at == '.') {
            fraction = true;
            continue;
        }
        /* Zeros are held back until a digit follows: those at the end never enter the sum. */
        if (fraction) exponent--;
        zeros++;
        if (*at == '0') continue;
        if (digits == 0) zeros = 1;
        for (; zeros > 0; zeros--) {
            if (digits >= UINT64_C(1) << 53) return false;
            digits = digits * 10;
        }
        digits += (uint64_t)(*at - '0');
    }
    if (digits == 0) return *integer = 0, true;
    if (at < end) {
        at++;
        bool minus = *at == '-';
        for (at += *at == '-' || *at == '+'; at < end; at++)
            if (written < 1000000000) written = written * 10 + (*at - '0');
        exponent += minus ? -written : written;
    }
    for (exponent += zeros; exponent > 0; exponent--) {
        if (digits >= UINT64_C(1) << 53) return false;
        digits *= 10;
    }
    if (exponent < 0 || digits >= UINT64_C(1) << 53) return false;
    *integer = negative ? -(int64_t)digits : (int64_t)digits;
    return true;
}

/* The protocol. */

struct answer {
    struct text message;    /* for people, plain text */
    struct text structured; /* a JSON object, or empty */
    bool failed;
};

/* Answers a call, or gives the reason why there is no such tool or the arguments do not fit it. */
static const char *call_tool(const struct json *name, const struct json *arguments, struct answer *answer);

static struct text response(void) {
    struct text out = {stream_bytes, 0, sizeof stream_bytes, true};
    put_literal(&out, "{\"jsonrpc\":\"2.0\",\"id\":");
    if (request_id == NULL) put_literal(&out, "null");
    else if (request_id->kind == JSON_STRING) put_json_string(&out, request_id->text, request_id->length);
    else put(&out, request_id->text, request_id->length);
    return out;
}

static void answer_error(int code, const char *message) {
    struct text out = response();
    put_literal(&out, ",\"error\":{\"code\":");
    put_integer(&out, code);
    put_literal(&out, ",\"message\":");
    put_json_string(&out, message, strlen(message));
    put_literal(&out, "}}\n");
    write_all(out.bytes, out.length);
}

static void answer_result(const struct answer *answer) {
    struct text out = response();
    put_literal(&out, ",\"result\":{\"content\":[{\"type\":\"text\",\"text\":");
    put_json_string(&out, answer->message.bytes, answer->message.length);
    put_literal(&out, "}]");
    if (answer->structured.length > 0) {
        put_literal(&out, ",\"structuredContent\":");
        put(&out, answer->structured.bytes, answer->structured.length);
    }
    put_literal(&out, answer->failed ? ",\"isError\":true}}\n" : ",\"isError\":false}}\n");
    write_all(out.bytes, out.length);
}

/* All of stdin, in one piece. Blocks are joined at the end, since growing one would hold up to
 * three times the request. */
static struct reader read_request(void) {
    struct block {
        struct block *next;
        size_t length;
        char bytes[READ_BLOCK_BYTES];
    } *first = NULL, **last = &first, *block = NULL;
    size_t total = 0;
    for (;;) {
        if (block == NULL || block->length == sizeof block->bytes) {
            block = allocate(sizeof *block);
            block->next = NULL;
            block->length = 0;
            *last = block;
            last = &block->next;
        }
        ssize_t got = read(0, block->bytes + block->length, sizeof block->bytes - block->length);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        block->length += (size_t)got;
        total += (size_t)got;
    }
    struct reader in;
    in.at = allocate(total);
    in.end = in.at;
    while (first != NULL) {
        block = first;
        memcpy(in.end, block->bytes, block->length);
        in.end += block->length;
        first = block->next;
        free(block);
    }
    return in;
}

static void serve(void) {
    static const struct json no_arguments = {.kind = JSON_OBJECT};
    struct reader in = read_request();
    const struct json *request = read_value(&in, JSON_DEPTH_MAX);
    if (request == NULL || in.at != in.end) return answer_error(-32700, "the request is not JSON");
    if (request->kind != JSON_OBJECT) return answer_error(-32600, "the request is not an object");
    const struct json *id = json_member(request, "id");
    if (id == NULL || (id->kind != JSON_STRING && id->kind != JSON_NUMBER))
        return answer_error(-32600, "the id is not a string or a number");
    request_id = id;
    if (!json_is(json_member(request, "jsonrpc"), "2.0")) return answer_error(-32600, "jsonrpc is not \"2.0\"");
    const struct json *method = json_member(request, "method");
    if (method == NULL || method->kind != JSON_STRING) return answer_error(-32600, "the method is not a string");
    if (!json_is(method, "tools/call")) return answer_error(-32601, "the only method is tools/call");
    const struct json *params = json_member(request, "params");
    if (params == NULL || params->kind != JSON_OBJECT) return answer_error(-32602, "params is not an object");
    const struct json *name = json_member(params, "name"), *arguments = json_member(params, "arguments");
    if (name == NULL || name->kind != JSON_STRING) return answer_error(-32602, "the tool's name is not a string");
    if (arguments == NULL) arguments = &no_arguments;
    if (arguments->kind != JSON_OBJECT) return answer_error(-32602, "arguments is not an object");
    struct answer answer = {{NULL, 0, 0, false}, {NULL, 0, 0, false}, false};
    const char *refusal = call_tool(name, arguments, &answer);
    if (refusal != NULL) return answer_error(-32602, refusal);
    answer_result(&answer);
}

#endif
