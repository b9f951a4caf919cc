/* notes: short texts with titles that are kept from call to call.
 *
 * Each note is one file, its title, a line feed and its text, in `note` under its number in ten digits.
 * `next` holds the number of the next note: numbers are not used again.
 */

#include "jsonrpc.h"
#include "storage.h"

#define DIRECTORY "note"
#define DIGITS 10
#define LIMIT_DEFAULT 20
#define LIMIT_MAX 100
#define NUMBER_MAX INT64_C(9999999999)

static struct text empty(void) { return (struct text){NULL, 0, 0, false}; }

/* Numbers of notes. */

static int64_t number_of(const char *digits, size_t length) {
    int64_t number = 0;
    for (size_t i = 0; i < length && i < DIGITS; i++) {
        if (digits[i] < '0' || digits[i] > '9') return 0;
        number = number * 10 + (digits[i] - '0');
    }
    return number;
}

/* The name of a note. */
struct name {
    char text[sizeof DIRECTORY + DIGITS + 1];
};

static struct name name_of(int64_t number) {
    struct name name;
    strcpy(name.text, DIRECTORY "/");
    for (int i = DIGITS; i > 0; i--, number /= 10) name.text[sizeof DIRECTORY + i - 1] = (char)('0' + number % 10);
    name.text[sizeof DIRECTORY + DIGITS] = '\0';
    return name;
}

static size_t title_length(const struct text *note) {
    const char *end = memchr(note->bytes, '\n', note->length);
    return end == NULL ? note->length : (size_t)(end - note->bytes);
}

/* Answers. */

static void put_text(struct text *out, const char *text) { put(out, text, strlen(text)); }

static const char *fail(struct answer *answer, const char *why) {
    answer->failed = true;
    answer->structured.length = 0;
    answer->message.length = 0;
    put_text(&answer->message, why);
    return NULL;
}

/* What the host did not do. */
static const char *refused(struct answer *answer) {
    if (errno == ENOSPC) return fail(answer, "There is no room for this; delete some notes first.");
    return fail(answer, "The notes can't be reached.");
}

static const char *no_such_note(struct answer *answer, int64_t number) {
    fail(answer, "There is no note ");
    put_integer(&answer->message, number);
    put_literal(&answer->message, ".");
    return NULL;
}

static void put_entry(struct answer *answer, int64_t number, const struct text *note, bool first) {
    if (!first) {
        put_literal(&answer->structured, ",");
        put_literal(&answer->message, "\n");
    }
    put_integer(&answer->message, number);
    put_literal(&answer->message, ": ");
    put(&answer->message, note->bytes, title_length(note));
    put_literal(&answer->structured, "{\"id\":");
    put_integer(&answer->structured, number);
    put_literal(&answer->structured, ",\"title\":");
    put_json_string(&answer->structured, note->bytes, title_length(note));
    put_literal(&answer->structured, "}");
}

/* Letters A to Z count as a to z. */
static bool contains(const char *text, size_t length, const struct json *searched) {
    for (size_t at = 0; at + searched->length <= length; at++) {
        size_t i = 0;
        for (; i < searched->length; i++) {
            unsigned char a = (unsigned char)text[at + i], b = (unsigned char)searched->text[i];
            if (a >= 'A' && a <= 'Z') a |= 0x20;
            if (b >= 'A' && b <= 'Z') b |= 0x20;
            if (a != b) break;
        }
        if (i == searched->length) return true;
    }
    return false;
}

/* The tools. */

static const char *add_note(const struct json *title, const struct json *text, struct answer *answer) {
    struct text next = empty(), value = empty(), following = empty();
    int found = storage_get("next", &next);
    if (found < 0) return refused(answer);
    int64_t number = found > 0 ? number_of(next.bytes, next.length) : 1;
    if (number < 1 || number >= NUMBER_MAX) return fail(answer, "There are no numbers left.");
    put(&value, title->text, title->length);
    put_literal(&value, "\n");
    put(&value, text->text, text->length);
    put_integer(&following, number + 1);
    if (!storage_set(name_of(number).text, value.bytes, value.length) ||
        !storage_set("next", following.bytes, following.length))
        return refused(answer);
    put_literal(&answer->message, "Kept as note ");
    put_integer(&answer->message, number);
    put_literal(&answer->message, ".");
    put_literal(&answer->structured, "{\"id\":");
    put_integer(&answer->structured, number);
    put_literal(&answer->structured, "}");
    return NULL;
}

static const char *read_note(int64_t number, struct answer *answer) {
    struct text note = empty();
    int found = storage_get(name_of(number).text, &note);
    if (found < 0) return refused(answer);
    if (found == 0) return no_such_note(answer, number);
    size_t title = title_length(&note), text = title < note.length ? title + 1 : title;
    put(&answer->message, note.bytes, note.length);
    put_literal(&answer->structured, "{\"id\":");
    put_integer(&answer->structured, number);
    put_literal(&answer->structured, ",\"title\":");
    put_json_string(&answer->structured, note.bytes, title);
    put_literal(&answer->structured, ",\"text\":");
    put_json_string(&answer->structured, note.bytes + text, note.length - text);
    put_literal(&answer->structured, "}");
    return NULL;
}

/* Goes through all notes behind a number; those that contain what is searched, if anything is. */
static const char *find_notes(int64_t after, int64_t limit, const struct json *searched, struct answer *answer) {
    char **names;
    int count = storage_list(DIRECTORY, &names);
    if (count < 0) return refused(answer);
    struct text note = empty();
    int64_t found = 0;
    bool more = false;
    put_literal(&answer->structured, "{\"notes\":[");
    for (int i = 0; i < count && !more; i++) {
        int64_t number = number_of(names[i], strlen(names[i]));
        if (number <= after) continue;
        note.length = 0;
        if (storage_get(name_of(number).text, &note) < 0) return refused(answer);
        if (searched != NULL && !contains(note.bytes, note.length, searched)) continue;
        more = found == limit;
        if (!more) put_entry(answer, number, &note, found++ == 0);
    }
    if (found == 0) put_literal(&answer->message, "There are none.");
    if (more) put_literal(&answer->message, "\nThere are more.");
    put_text(&answer->structured, more ? "],\"more\":true}" : "],\"more\":false}");
    return NULL;
}

static const char *delete_note(int64_t number, struct answer *answer) {
    int done = storage_delete(name_of(number).text);
    if (done < 0) return refused(answer);
    if (done == 0) return no_such_note(answer, number);
    put_literal(&answer->message, "Deleted note ");
    put_integer(&answer->message, number);
    put_literal(&answer->message, ".");
    put_literal(&answer->structured, "{\"deleted\":1}");
    return NULL;
}

static const char *clear_notes(struct answer *answer) {
    char **names;
    int count = storage_list(DIRECTORY, &names);
    if (count < 0) return refused(answer);
    for (int i = 0; i < count; i++)
        if (storage_delete(name_of(number_of(names[i], strlen(names[i]))).text) < 0) return refused(answer);
    put_literal(&answer->message, "Notes deleted: ");
    put_integer(&answer->message, count);
    put_literal(&answer->structured, "{\"deleted\":");
    put_integer(&answer->structured, count);
    put_literal(&answer->structured, "}");
    return NULL;
}

/* Arguments. */

static bool is_text(const struct json *value, size_t bytes_max) {
    return value != NULL && value->kind == JSON_STRING && value->length > 0 && value->length <= bytes_max;
}

/* An integer in its range, or what it is if it is not given. */
static bool integer(const struct json *value, int64_t low, int64_t high, int64_t *number) {
    return value == NULL || (json_integer(value, number) && *number >= low && *number <= high);
}

static const char *call_tool(const struct json *name, const struct json *arguments, struct answer *answer) {
    static const char *const of_add[] = {"title", "text", NULL}, *const of_one[] = {"id", NULL},
                      *const of_list[] = {"after", "limit", NULL}, *const of_search[] = {"containing", "limit", NULL},
                      *const of_clear[] = {NULL};
    int64_t id = 0, after = 0, limit = LIMIT_DEFAULT;
    if (json_is(name, "add_note")) {
        const struct json *title = json_member(arguments, "title"), *text = json_member(arguments, "text");
        if (!json_only(arguments, of_add)) return "add_note takes title and text";
        if (!is_text(title, 800) || memchr(title->text, '\n', title->length) != NULL)
            return "title has to be a text of one line";
        if (text == NULL || text->kind != JSON_STRING || text->length > 80000) return "text has to be a text";
        return add_note(title, text, answer);
    }
    if (json_is(name, "list_notes")) {
        if (!json_only(arguments, of_list) || !integer(json_member(arguments, "after"), 0, NUMBER_MAX, &after) ||
            !integer(json_member(arguments, "limit"), 1, LIMIT_MAX, &limit))
            return "list_notes takes after and limit, both integers";
        return find_notes(after, limit, NULL, answer);
    }
    if (json_is(name, "search_notes")) {
        const struct json *containing = json_member(arguments, "containing");
        if (!json_only(arguments, of_search) || !is_text(containing, 800) ||
            !integer(json_member(arguments, "limit"), 1, LIMIT_MAX, &limit))
            return "search_notes takes containing, a text, and limit, an integer";
        return find_notes(0, limit, containing, answer);
    }
    if (json_is(name, "clear"))
        return json_only(arguments, of_clear) ? clear_notes(answer) : "clear takes nothing";
    bool reads = json_is(name, "read_note");
    if (!reads && !json_is(name, "delete_note")) return "there is no such tool";
    if (!json_only(arguments, of_one) || json_member(arguments, "id") == NULL ||
        !integer(json_member(arguments, "id"), 1, NUMBER_MAX, &id))
        return "id has to be the number of a note";
    return reads ? read_note(id, answer) : delete_note(id, answer);
}

int main(void) { serve(); }
