/* text_stats: counts in a text, and the lines that contain a string. */

#include "jsonrpc.h"
#include <wctype.h>

#define TOP_DEFAULT 10
#define TOP_MAX 20
#define LINES_BYTES_MAX (256 * 1024) /* of JSON; the answer holds the lines twice */

/* Words: runs of letters, digits and combining marks, with single apostrophes inside. In scripts
 * that put no space between words, a run of letters counts as one. */

static bool is_letter(uint32_t code_point) {
    if (code_point < 0x80) {
        uint32_t lower = code_point | 0x20;
        return (lower >= 'a' && lower <= 'z') || (code_point >= '0' && code_point <= '9');
    }
    return iswalnum((wint_t)code_point) || (code_point >= 0x300 && code_point <= 0x36F);
}

static bool is_apostrophe(uint32_t code_point) { return code_point == '\'' || code_point == 0x2019; }

static bool is_sentence_end(uint32_t code_point) {
    return code_point == '.' || code_point == '!' || code_point == '?' || code_point == 0x2026 /* ... */ ||
           code_point == 0x3002 || code_point == 0xFF01 || code_point == 0xFF1F /* CJK . ! ? */;
}

/* What may stand between the end of a sentence and the space behind it. */
static bool is_closing(uint32_t code_point) {
    return code_point == '"' || code_point == '\'' || code_point == ')' || code_point == ']' ||
           code_point == 0x2019 || code_point == 0x201D || code_point == 0xBB;
}

static bool is_space(uint32_t code_point) {
    return code_point == ' ' || (code_point >= '\t' && code_point <= '\r') || code_point == 0xA0 ||
           code_point == 0x2028 || code_point == 0x2029 || code_point == 0x3000;
}

/* The distinct words, in a hash table with open addressing. */

struct word {
    const char *bytes;
    uint32_t length, count;
};

struct words {
    struct word *slots;
    size_t used, capacity; /* a power of two, or 0 */
};

static struct word *words_slot(const struct words *words, const char *bytes, uint32_t length) {
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (uint32_t i = 0; i < length; i++) hash = (hash ^ (unsigned char)bytes[i]) * 16777619u;
    size_t mask = words->capacity - 1, at = hash & mask;
    for (;; at = (at + 1) & mask) {
        struct word *slot = &words->slots[at];
        if (slot->count == 0 || (slot->length == length && memcmp(slot->bytes, bytes, length) == 0)) return slot;
    }
}

static void words_grow(struct words *words) {
    struct words grown = {NULL, words->used, words->capacity > 0 ? words->capacity * 2 : 256};
    grown.slots = allocate(grown.capacity * sizeof *grown.slots);
    memset(grown.slots, 0, grown.capacity * sizeof *grown.slots);
    for (size_t i = 0; i < words->capacity; i++) {
        const struct word *word = &words->slots[i];
        if (word->count > 0) *words_slot(&grown, word->bytes, word->length) = *word;
    }
    free(words->slots);
    *words = grown;
}

static void words_add(struct words *words, const char *bytes, uint32_t length) {
    if (words->used >= words->capacity / 4 * 3) words_grow(words);
    struct word *slot = words_slot(words, bytes, length);
    if (slot->count == 0) {
        slot->bytes = bytes;
        slot->length = length;
        words->used++;
    }
    slot->count++;
}

/* More frequent first; among equals in the order of code points, which is that of UTF-8 bytes. */
static bool word_before(const struct word *a, const struct word *b) {
    if (a->count != b->count) return a->count > b->count;
    int order = memcmp(a->bytes, b->bytes, a->length < b->length ? a->length : b->length);
    return order != 0 ? order < 0 : a->length < b->length;
}

static size_t words_top(const struct words *words, struct word *top, size_t top_max) {
    size_t found = 0;
    for (size_t i = 0; i < words->capacity; i++) {
        const struct word *word = &words->slots[i];
        if (word->count == 0 || (found == top_max && !word_before(word, &top[found - 1]))) continue;
        size_t at = found < top_max ? found++ : found - 1;
        for (; at > 0 && word_before(word, &top[at - 1]); at--) top[at] = top[at - 1];
        top[at] = *word;
    }
    return found;
}

struct counts {
    int64_t characters, words, lines, sentences;
};

/* One pass. Each word is folded to lower case where it stands, unless a letter's lower case needs
 * more bytes (a handful do): that letter stays as it is. */
static void count(char *at, char *end, struct counts *counts, struct words *words) {
    char *word = NULL, *out = NULL; /* the word being read, and where its next letter goes */
    bool sentence = false, ending = false;
    uint32_t last = '\n';
    while (at < end) {
        uint32_t code_point = 0, next = 0;
        size_t step = utf8_decode(at, end, &code_point); /* the reader let only UTF-8 through */
        if (step == 0) step = 1;
        counts->characters++;
        if (code_point == '\n') counts->lines++;
        bool letter = is_letter(code_point);
        bool inside = word != NULL && is_apostrophe(code_point) &&
                      utf8_decode(at + step, end, &next) > 0 && is_letter(next);
        if (letter || inside) {
            char folded[4];
            if (word == NULL) word = out = at, counts->words++;
            size_t length = utf8_encode((uint32_t)towlower((wint_t)code_point), folded);
            if (length > step) length = utf8_encode(code_point, folded);
            memcpy(out, folded, length);
            out += length;
            sentence = true;
        } else if (word != NULL) {
            words_add(words, word, (uint32_t)(out - word));
            word = NULL;
        }
        if (is_sentence_end(code_point)) ending = sentence;
        else if (ending && is_space(code_point)) counts->sentences++, sentence = ending = false;
        else if (!is_closing(code_point)) ending = false;
        last = code_point;
        at += step;
    }
    if (word != NULL) words_add(words, word, (uint32_t)(out - word));
    if (sentence) counts->sentences++;
    if (last != '\n') counts->lines++;
}

static void put_member(struct text *out, const char *name, int64_t value) {
    put_literal(out, name);
    put_integer(out, value);
}

static const char *analyze(const struct json *arguments, struct answer *answer) {
    static const char *const names[] = {"text", "top", NULL};
    const struct json *text = json_member(arguments, "text"), *top_argument = json_member(arguments, "top");
    int64_t top_max = TOP_DEFAULT;
    if (!json_only(arguments, names)) return "analyze takes only text and top";
    if (text == NULL || text->kind != JSON_STRING) return "text is not a string";
    if (top_argument != NULL && (!json_integer(top_argument, &top_max) || top_max < 1 || top_max > TOP_MAX))
        return "top is not an integer from 1 to 20";

    struct counts counts = {0, 0, 0, 0};
    struct words words = {NULL, 0, 0};
    struct word top[TOP_MAX];
    /* The text lies in the request buffer, which is ours to change. */
    count((char *)text->text, (char *)text->text + text->length, &counts, &words);
    size_t found = words_top(&words, top, (size_t)top_max);

    struct text *out = &answer->structured;
    put_member(out, "{\"characters\":", counts.characters);
    put_member(out, ",\"words\":", counts.words);
    put_member(out, ",\"lines\":", counts.lines);
    put_member(out, ",\"sentences\":", counts.sentences);
    put_member(out, ",\"distinct_words\":", (int64_t)words.used);
    put_literal(out, ",\"top_words\":[");
    for (size_t i = 0; i < found; i++) {
        put_literal(out, i > 0 ? ",{\"word\":" : "{\"word\":");
        put_json_string(out, top[i].bytes, top[i].length);
        put_member(out, ",\"count\":", top[i].count);
        put_literal(out, "}");
    }
    put_literal(out, "]}");

    put_member(&answer->message, "characters: ", counts.characters);
    put_member(&answer->message, ", words: ", counts.words);
    put_member(&answer->message, ", lines: ", counts.lines);
    put_member(&answer->message, ", sentences: ", counts.sentences);
    for (size_t i = 0; i < found; i++) {
        put_literal(&answer->message, i > 0 ? ", " : "; most frequent: ");
        put(&answer->message, top[i].bytes, top[i].length);
        put_member(&answer->message, " ", top[i].count);
    }
    return NULL;
}

static const char *find(const char *at, const char *end, const char *wanted, size_t length) {
    for (; (size_t)(end - at) >= length; at++) {
        at = memchr(at, wanted[0], (size_t)(end - at) - length + 1);
        if (at == NULL) return NULL;
        if (memcmp(at, wanted, length) == 0) return at;
    }
    return NULL;
}

static const char *extract_lines(const struct json *arguments, struct answer *answer) {
    static const char *const names[] = {"text", "containing", NULL};
    const struct json *text = json_member(arguments, "text"), *wanted = json_member(arguments, "containing");
    if (!json_only(arguments, names)) return "extract_lines takes only text and containing";
    if (text == NULL || text->kind != JSON_STRING) return "text is not a string";
    if (wanted == NULL || wanted->kind != JSON_STRING || wanted->length == 0) return "containing is not a string of at least one character";

    const char *at = text->text, *end = at + text->length;
    int64_t matches = 0;
    bool truncated = false;
    put_literal(&answer->structured, "{\"lines\":[");
    while (at < end) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at)), *next = end;
        if (line_end == NULL) line_end = end;
        else next = line_end + 1;
        if (line_end > at && line_end < end && line_end[-1] == '\r') line_end--;
        if (find(at, line_end, wanted->text, wanted->length) != NULL) {
            matches++;
            struct text quoted = {NULL, 0, 0, false};
            if (!truncated) put_json_string(&quoted, at, (size_t)(line_end - at));
            truncated = truncated || quoted.length + answer->structured.length > LINES_BYTES_MAX;
            if (!truncated) {
                if (matches > 1) put_literal(&answer->structured, ",");
                put(&answer->structured, quoted.bytes, quoted.length);
                if (matches > 1) put_literal(&answer->message, "\n");
                put(&answer->message, at, (size_t)(line_end - at));
            }
            free(quoted.bytes);
        }
        at = next;
    }
    put_member(&answer->structured, "],\"matches\":", matches);
    put_literal(&answer->structured, truncated ? ",\"truncated\":true}" : ",\"truncated\":false}");
    if (matches == 0) put_literal(&answer->message, "no line contains it");
    if (truncated) put_literal(&answer->message, "\n(more lines contain it; the answer would be too large)");
    return NULL;
}

static const char *call_tool(const struct json *name, const struct json *arguments, struct answer *answer) {
    if (json_is(name, "analyze")) return analyze(arguments, answer);
    if (json_is(name, "extract_lines")) return extract_lines(arguments, answer);
    return "there is no such tool";
}

int main(void) {
    serve();
    return 0;
}
