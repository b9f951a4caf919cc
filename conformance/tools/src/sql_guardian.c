/* sql_guardian: queries over a database that comes with the package and can't be changed. With the name of a
 * directory as its argument it is sql_files: queries over the databases that lie in there.
 *
 * Four walls, each enough by itself: the authorizer refuses every action but reading while the
 * statement is compiled; the compiled statement must call itself read-only; there is exactly one
 * statement; and the file layer below SQLite knows how to read one file and nothing else.
 * How long a query may run is the host's business (fuel), and so is memory.
 */

#define _DEFAULT_SOURCE /* getentropy */
#include "jsonrpc.h"
#include "sqlite3.h"
#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>
#include <time.h>

#ifndef DATABASE_PATH
#define DATABASE_PATH "/assets/shop.sqlite"
#endif
#define SUFFIX ".sqlite"
#define DATABASES_MAX 1000
#define ROWS_DEFAULT 100
#define ROWS_MAX 1000
#define JSON_BYTES_MAX (256 * 1024) /* the answer holds the rows twice */
#define INTEGER_EXACT INT64_C(9007199254740991)

static const char *directory; /* of databases to choose from; NULL where there is one, the package's */
static char database_path[256] = DATABASE_PATH;

/* The file layer: reads, and no more. SQLite is built with SQLITE_OS_OTHER, so this is all it has. */

struct asset {
    sqlite3_file base;
    int file;
};

static int asset_close(sqlite3_file *file) {
    close(((struct asset *)file)->file);
    return SQLITE_OK;
}

static int asset_read(sqlite3_file *file, void *bytes, int length, sqlite3_int64 offset) {
    char *at = bytes;
    while (length > 0) {
        ssize_t got = pread(((struct asset *)file)->file, at, (size_t)length, offset);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return SQLITE_IOERR_READ;
        if (got == 0) {
            memset(at, 0, (size_t)length);
            return SQLITE_IOERR_SHORT_READ;
        }
        at += got;
        offset += got;
        length -= (int)got;
    }
    return SQLITE_OK;
}

static int asset_size(sqlite3_file *file, sqlite3_int64 *size) {
    struct stat status;
    if (fstat(((struct asset *)file)->file, &status) != 0) return SQLITE_IOERR_FSTAT;
    *size = status.st_size;
    return SQLITE_OK;
}

static int asset_write(sqlite3_file *file, const void *bytes, int length, sqlite3_int64 offset) {
    (void)file, (void)bytes, (void)length, (void)offset;
    return SQLITE_READONLY;
}

static int asset_truncate(sqlite3_file *file, sqlite3_int64 size) { return (void)file, (void)size, SQLITE_READONLY; }
static int asset_sync(sqlite3_file *file, int flags) { return (void)file, (void)flags, SQLITE_OK; }
static int asset_lock(sqlite3_file *file, int level) { return (void)file, (void)level, SQLITE_OK; }
static int asset_reserved(sqlite3_file *file, int *reserved) { return (void)file, *reserved = 0, SQLITE_OK; }
static int asset_control(sqlite3_file *file, int op, void *data) { return (void)file, (void)op, (void)data, SQLITE_NOTFOUND; }
static int asset_sector(sqlite3_file *file) { return (void)file, 4096; }
/* Immutable: SQLite looks for no journal and takes no lock. */
static int asset_traits(sqlite3_file *file) { return (void)file, SQLITE_IOCAP_IMMUTABLE; }

static int vfs_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags, int *flags_out) {
    static const sqlite3_io_methods methods = {
        1, asset_close, asset_read, asset_write, asset_truncate, asset_sync, asset_size, asset_lock, asset_lock,
        asset_reserved, asset_control, asset_sector, asset_traits, NULL, NULL, NULL, NULL, NULL, NULL};
    struct asset *asset = (struct asset *)file;
    (void)vfs;
    asset->base.pMethods = NULL;
    if (name == NULL || strcmp(name, database_path) != 0 || !(flags & SQLITE_OPEN_READONLY)) return SQLITE_CANTOPEN;
    asset->file = open(name, O_RDONLY);
    if (asset->file < 0) return SQLITE_CANTOPEN;
    asset->base.pMethods = &methods;
    if (flags_out != NULL) *flags_out = SQLITE_OPEN_READONLY;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync) { return (void)vfs, (void)name, (void)sync, SQLITE_READONLY; }

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *result) {
    (void)vfs, (void)name, (void)flags;
    *result = 0;
    return SQLITE_OK;
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *name, int length, char *out) {
    (void)vfs;
    if (strlen(name) >= (size_t)length) return SQLITE_CANTOPEN;
    memcpy(out, name, strlen(name) + 1);
    return SQLITE_OK;
}

static int vfs_random(sqlite3_vfs *vfs, int length, char *out) {
    (void)vfs;
    memset(out, 0, (size_t)length);
    getentropy(out, length < 256 ? (size_t)length : 256);
    return length;
}

static int vfs_sleep(sqlite3_vfs *vfs, int microseconds) { return (void)vfs, microseconds; }

static int vfs_time_ms(sqlite3_vfs *vfs, sqlite3_int64 *milliseconds) {
    struct timespec now = {0, 0};
    (void)vfs;
    clock_gettime(CLOCK_REALTIME, &now);
    /* Milliseconds since noon of 24 November 4714 BC, as SQLite counts. */
    *milliseconds = INT64_C(210866760000000) + (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    return SQLITE_OK;
}

static int vfs_time_days(sqlite3_vfs *vfs, double *days) {
    sqlite3_int64 milliseconds;
    vfs_time_ms(vfs, &milliseconds);
    *days = (double)milliseconds / 86400000.0;
    return SQLITE_OK;
}

static int vfs_last_error(sqlite3_vfs *vfs, int length, char *out) { return (void)vfs, (void)length, (void)out, 0; }

int sqlite3_os_init(void) {
    static sqlite3_vfs vfs = {.iVersion = 2, .szOsFile = sizeof(struct asset), .mxPathname = 255, .zName = "asset",
        .xOpen = vfs_open, .xDelete = vfs_delete, .xAccess = vfs_access, .xFullPathname = vfs_full_path,
        .xRandomness = vfs_random, .xSleep = vfs_sleep, .xCurrentTime = vfs_time_days,
        .xGetLastError = vfs_last_error, .xCurrentTimeInt64 = vfs_time_ms};
    return sqlite3_vfs_register(&vfs, 1);
}

int sqlite3_os_end(void) { return SQLITE_OK; }

/* Tool errors. */

static const char *fail(struct answer *answer, const char *message, const char *detail) {
    answer->failed = true;
    answer->structured.length = 0;
    answer->message.length = 0;
    put_literal(&answer->message, message);
    put_literal(&answer->message, detail);
    return NULL;
}

/* What no path can be made of but that of a file in the directory itself. */
static bool is_database_name(const char *name, size_t length) {
    if (length == 0 || length > 100 || *name == '.') return false;
    for (size_t i = 0; i < length; i++) {
        char c = name[i], lower = c | 0x20;
        bool letter = lower >= 'a' && lower <= 'z';
        if (!letter && !(c >= '0' && c <= '9') && c != '_' && c != '-' && c != '.') return false;
    }
    return true;
}

/* Points `database_path` to the database that the arguments name; gives what is wrong with them. */
static const char *choose_database(const struct json *arguments) {
    const struct json *name = json_member(arguments, "database");
    if (directory == NULL) return NULL;
    if (name == NULL || name->kind != JSON_STRING || !is_database_name(name->text, name->length))
        return "database is not a name of letters, digits, _, - and .";
    sqlite3_snprintf(sizeof database_path, database_path, "%s/%.*s" SUFFIX, directory, (int)name->length, name->text);
    return NULL;
}

static sqlite3 *open_database(void) {
    sqlite3 *db = NULL;
    if (sqlite3_open_v2(database_path, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) return NULL;
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_limit(db, SQLITE_LIMIT_LENGTH, 1 << 20);
    sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, 100000);
    sqlite3_limit(db, SQLITE_LIMIT_COLUMN, 100);
    sqlite3_limit(db, SQLITE_LIMIT_COMPOUND_SELECT, 50);
    sqlite3_limit(db, SQLITE_LIMIT_VARIABLE_NUMBER, 100);
    /* These two bound recursion, and with it the stack: of the compiler, and of LIKE and GLOB. */
    sqlite3_limit(db, SQLITE_LIMIT_EXPR_DEPTH, 100);
    sqlite3_limit(db, SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000);
    return db;
}

/* The first thing the authorizer refused, for the message. */
static struct {
    const char *action;
    char object[64];
} refusal;

static const char *action_name(int action) {
    switch (action) {
    case SQLITE_INSERT: return "INSERT";
    case SQLITE_UPDATE: return "UPDATE";
    case SQLITE_DELETE: return "DELETE";
    case SQLITE_PRAGMA: return "PRAGMA";
    case SQLITE_ATTACH: return "ATTACH";
    case SQLITE_DETACH: return "DETACH";
    case SQLITE_TRANSACTION: return "TRANSACTION";
    case SQLITE_SAVEPOINT: return "SAVEPOINT";
    case SQLITE_REINDEX: return "REINDEX";
    case SQLITE_ANALYZE: return "ANALYZE";
    case SQLITE_ALTER_TABLE: return "ALTER TABLE";
    case SQLITE_FUNCTION: return "FUNCTION";
    case SQLITE_DROP_TABLE:
    case SQLITE_DROP_TEMP_TABLE:
    case SQLITE_DROP_VTABLE: return "DROP TABLE";
    case SQLITE_CREATE_VTABLE: return "CREATE VIRTUAL TABLE";
    default: return "CREATE or DROP";
    }
}

static int authorize(void *data, int action, const char *first, const char *second, const char *db, const char *by) {
    (void)data, (void)db, (void)by;
    if (action == SQLITE_SELECT || action == SQLITE_READ || action == SQLITE_RECURSIVE) return SQLITE_OK;
    /* The functions compiled in have no effect beyond their result; this one would if it were. */
    bool function = action == SQLITE_FUNCTION;
    if (function && (second == NULL || sqlite3_stricmp(second, "load_extension") != 0)) return SQLITE_OK;
    if (refusal.action == NULL) {
        const char *object = function ? second : first;
        refusal.action = action_name(action);
        if (object != NULL) sqlite3_snprintf(sizeof refusal.object, refusal.object, " (%s)", object);
    }
    return SQLITE_DENY;
}

/* Why SQLite gave up: the authorizer's refusal, or its own error. */
static const char *fail_sql(struct answer *answer, const char *error) {
    if (refusal.action == NULL) return fail(answer, "SQL error: ", error);
    fail(answer, "refused: this tool only reads (SELECT, VALUES, WITH, EXPLAIN); the statement asks for ", refusal.action);
    put_literal(&answer->message, refusal.object);
    return NULL;
}

/* Past white space, comments and semicolons, as SQLite reads them: what is left there is a statement. */
static const char *skip_blank(const char *at, const char *end) {
    while (at < end) {
        if (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\f' || *at == '\r' || *at == ';') {
            at++;
        } else if (end - at >= 2 && at[0] == '-' && at[1] == '-') {
            while (at < end && *at != '\n') at++;
        } else if (end - at >= 2 && at[0] == '/' && at[1] == '*') {
            at += 2;
            while (at < end && !(end - at >= 2 && at[0] == '*' && at[1] == '/')) at++;
            at = end - at >= 2 ? at + 2 : end; /* SQLite ends an open comment with the text */
        } else {
            break;
        }
    }
    return at;
}

/* The one statement of the text, or NULL and a tool error. */
static sqlite3_stmt *compile(sqlite3 *db, const struct json *sql, struct answer *answer) {
    const char *end = sql->text + sql->length, *start = skip_blank(sql->text, end), *tail = NULL;
    sqlite3_stmt *statement = NULL;
    if (memchr(sql->text, 0, sql->length) != NULL) return fail(answer, "refused: the SQL holds a NUL character", ""), NULL;
    if (start == end) return fail(answer, "refused: the SQL holds no statement", ""), NULL;
    sqlite3_set_authorizer(db, authorize, NULL); /* stays for whatever SQLite compiles while it runs */
    int code = sqlite3_prepare_v2(db, start, (int)(end - start), &statement, &tail);
    if (code != SQLITE_OK || refusal.action != NULL || statement == NULL) {
        fail_sql(answer, code != SQLITE_OK ? sqlite3_errmsg(db) : "no statement");
    } else if (skip_blank(tail, end) != end) {
        fail(answer, "refused: there is more than one statement", "");
    } else if (!sqlite3_stmt_readonly(statement) || sqlite3_column_count(statement) == 0) {
        fail(answer, "refused: this tool only reads (SELECT, VALUES, WITH, EXPLAIN)", "");
    } else {
        return statement;
    }
    sqlite3_finalize(statement);
    return NULL;
}

static int bind_number(sqlite3_stmt *statement, int index, const struct json *value) {
    char *copy = allocate(value->length + 1);
    memcpy(copy, value->text, value->length);
    copy[value->length] = 0;
    errno = 0;
    long long integer = strpbrk(copy, ".eE") == NULL ? strtoll(copy, NULL, 10) : 0;
    int code = strpbrk(copy, ".eE") == NULL && errno == 0 ? sqlite3_bind_int64(statement, index, integer)
                                                          : sqlite3_bind_double(statement, index, strtod(copy, NULL));
    free(copy);
    return code;
}

static bool bind_parameters(sqlite3_stmt *statement, const struct json *parameters, struct answer *answer) {
    int index = 0, wanted = sqlite3_bind_parameter_count(statement);
    if (parameters == NULL ? wanted != 0 : parameters->length != (size_t)wanted)
        return fail(answer, "the SQL and the list of parameters differ in number", ""), false;
    for (const struct json *value = parameters != NULL ? parameters->first : NULL; value != NULL; value = value->next) {
        int code;
        index++;
        if (value->kind == JSON_NULL) code = sqlite3_bind_null(statement, index);
        else if (value->kind == JSON_STRING) code = sqlite3_bind_text64(statement, index, value->text, value->length, SQLITE_STATIC, SQLITE_UTF8);
        else if (value->kind == JSON_NUMBER) code = bind_number(statement, index, value);
        else code = sqlite3_bind_int(statement, index, value->kind == JSON_TRUE);
        if (code != SQLITE_OK) return fail(answer, "parameter refused: ", sqlite3_errstr(code)), false;
    }
    return true;
}

/* The shortest of 15 or 17 digits that reads back as the same number; JSON has no infinities. */
static void put_real(struct text *out, double value) {
    char digits[40];
    if (!isfinite(value)) {
        put_literal(out, "null");
        return;
    }
    sqlite3_snprintf(sizeof digits, digits, "%!.15g", value);
    if (strtod(digits, NULL) != value) sqlite3_snprintf(sizeof digits, digits, "%!.17g", value);
    put_literal(out, digits);
}

static void put_cell(struct text *out, sqlite3_stmt *statement, int column) {
    switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER: {
        int64_t value = sqlite3_column_int64(statement, column);
        bool exact = value >= -INTEGER_EXACT && value <= INTEGER_EXACT;
        if (!exact) put_literal(out, "\"");
        put_integer(out, value);
        if (!exact) put_literal(out, "\"");
        break;
    }
    case SQLITE_FLOAT: put_real(out, sqlite3_column_double(statement, column)); break;
    case SQLITE_TEXT: {
        const char *text = (const char *)sqlite3_column_text(statement, column);
        put_json_string(out, text != NULL ? text : "", text != NULL ? (size_t)sqlite3_column_bytes(statement, column) : 0);
        break;
    }
    case SQLITE_BLOB:
        put_literal(out, "{\"blob_bytes\":");
        put_integer(out, sqlite3_column_bytes(statement, column));
        put_literal(out, "}");
        break;
    default: put_literal(out, "null");
    }
}

static const char *run(sqlite3 *db, sqlite3_stmt *statement, int64_t rows_max, struct answer *answer) {
    struct text *out = &answer->structured;
    int columns = sqlite3_column_count(statement), code;
    int64_t rows = 0;
    bool truncated = false;
    put_literal(out, "{\"columns\":[");
    for (int i = 0; i < columns; i++) {
        const char *name = sqlite3_column_name(statement, i);
        if (i > 0) put_literal(out, ",");
        put_json_string(out, name != NULL ? name : "", name != NULL ? strlen(name) : 0);
    }
    put_literal(out, "],\"rows\":[");
    if (out->length > JSON_BYTES_MAX) return fail(answer, "the columns' names are too long to answer", "");
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        size_t length = out->length;
        truncated = rows == rows_max;
        if (truncated) break;
        put_literal(out, rows > 0 ? ",[" : "[");
        for (int i = 0; i < columns && out->length <= JSON_BYTES_MAX; i++) {
            if (i > 0) put_literal(out, ",");
            put_cell(out, statement, i);
        }
        put_literal(out, "]");
        truncated = out->length > JSON_BYTES_MAX;
        if (truncated && rows == 0) return fail(answer, "the first row is too large to answer; select less of it", "");
        if (truncated) {
            out->length = length; /* this row is left out whole */
            break;
        }
        rows++;
    }
    if (code != SQLITE_ROW && code != SQLITE_DONE) return fail_sql(answer, sqlite3_errmsg(db));
    put_literal(out, "],\"row_count\":");
    put_integer(out, rows);
    put_literal(out, truncated ? ",\"truncated\":true}" : ",\"truncated\":false}");
    put(&answer->message, out->bytes, out->length);
    return NULL;
}

static const char *query(const struct json *arguments, struct answer *answer) {
    const char *const names[] = {"sql", "parameters", "max_rows", directory != NULL ? "database" : NULL, NULL};
    const struct json *sql = json_member(arguments, "sql"), *parameters = json_member(arguments, "parameters");
    const struct json *rows_argument = json_member(arguments, "max_rows");
    int64_t rows_max = ROWS_DEFAULT;
    const char *misfit = choose_database(arguments);
    if (!json_only(arguments, names)) return "query takes none but the arguments of its schema";
    if (misfit != NULL) return misfit;
    if (sql == NULL || sql->kind != JSON_STRING) return "sql is not a string";
    if (parameters != NULL && parameters->kind != JSON_ARRAY) return "parameters is not an array";
    for (const struct json *value = parameters != NULL ? parameters->first : NULL; value != NULL; value = value->next)
        if (value->kind == JSON_ARRAY || value->kind == JSON_OBJECT) return "parameters holds an array or an object";
    if (rows_argument != NULL && (!json_integer(rows_argument, &rows_max) || rows_max < 1 || rows_max > ROWS_MAX))
        return "max_rows is not an integer from 1 to 1000";

    sqlite3 *db = open_database();
    if (db == NULL) return fail(answer, "the database can't be opened", "");
    sqlite3_stmt *statement = compile(db, sql, answer);
    if (statement == NULL || !bind_parameters(statement, parameters, answer)) return NULL;
    return run(db, statement, rows_max, answer);
}

static const char *schema(const struct json *arguments, struct answer *answer) {
    const char *const names[] = {directory != NULL ? "database" : NULL, NULL};
    static const char sql[] = "SELECT t.name, c.name, c.type, c.\"notnull\" = 0 AND c.pk = 0, c.pk > 0"
                              " FROM sqlite_schema AS t, pragma_table_info(t.name) AS c"
                              " WHERE t.type IN ('table', 'view') AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
                              " ORDER BY t.name, c.cid";
    const char *misfit = choose_database(arguments);
    if (!json_only(arguments, names)) return "schema takes none but the arguments of its schema";
    if (misfit != NULL) return misfit;
    sqlite3 *db = open_database();
    sqlite3_stmt *statement = NULL;
    struct text *out = &answer->structured, table = {NULL, 0, 0, false};
    if (db == NULL || sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        return fail(answer, "the database can't be opened", "");
    put_literal(out, "{\"tables\":[");
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(statement, 0);
        if (name == NULL) continue;
        bool same = table.length > 0 && equals(table.bytes, table.length, name);
        if (!same) {
            put_literal(out, table.length > 0 ? "]},{\"name\":" : "{\"name\":");
            table.length = 0;
            put_literal(&table, name);
            put_cell(out, statement, 0);
        }
        put_literal(out, same ? ",{\"name\":" : ",\"columns\":[{\"name\":");
        put_cell(out, statement, 1);
        put_literal(out, ",\"type\":");
        put_cell(out, statement, 2);
        put_literal(out, sqlite3_column_int(statement, 3) ? ",\"nullable\":true" : ",\"nullable\":false");
        put_literal(out, sqlite3_column_int(statement, 4) ? ",\"primary_key\":true}" : ",\"primary_key\":false}");
    }
    if (code != SQLITE_DONE) return fail(answer, "SQL error: ", sqlite3_errmsg(db));
    put_literal(out, table.length > 0 ? "]}]}" : "]}");
    put(&answer->message, out->bytes, out->length);
    return NULL;
}

static int by_name(const void *left, const void *right) {
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static const char *databases(const struct json *arguments, struct answer *answer) {
    static const char *const none[] = {NULL};
    static char *names[DATABASES_MAX];
    size_t count = 0;
    if (!json_only(arguments, none)) return "databases takes no arguments";
    DIR *listing = opendir(directory);
    if (listing == NULL) return fail(answer, "the directory can't be listed", "");
    for (struct dirent *entry; count < DATABASES_MAX && (entry = readdir(listing)) != NULL;) {
        size_t length = strlen(entry->d_name), suffix = strlen(SUFFIX);
        if (length <= suffix || strcmp(entry->d_name + length - suffix, SUFFIX) != 0) continue;
        if (!is_database_name(entry->d_name, length - suffix)) continue;
        names[count] = allocate(length);
        memcpy(names[count], entry->d_name, length - suffix);
        names[count++][length - suffix] = 0;
    }
    closedir(listing);
    qsort(names, count, sizeof *names, by_name);
    put_literal(&answer->structured, "{\"databases\":[");
    for (size_t i = 0; i < count; i++) {
        if (i > 0) put_literal(&answer->structured, ",");
        put_json_string(&answer->structured, names[i], strlen(names[i]));
    }
    put_literal(&answer->structured, "]}");
    put(&answer->message, answer->structured.bytes, answer->structured.length);
    return NULL;
}

static const char *call_tool(const struct json *name, const struct json *arguments, struct answer *answer) {
    if (directory != NULL && json_is(name, "databases")) return databases(arguments, answer);
    if (json_is(name, "query")) return query(arguments, answer);
    if (json_is(name, "schema")) return schema(arguments, answer);
    return "there is no such tool";
}

int main(int argc, char *argv[]) {
    if (argc > 1) directory = argv[1];
    serve();
    return 0;
}
