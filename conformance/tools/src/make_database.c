/* Makes a database file from SQL on stdin; part of the build, not of a tool. The same SQLite source
 * and the same SQL give the same bytes. */

#include "sqlite3.h"
#include <stdio.h>
#include <stdlib.h>

static char sql[1 << 20];

int main(int count, char **arguments) {
    sqlite3 *db = NULL;
    if (count != 2) return fputs("usage: make_database FILE < SQL\n", stderr), 2;
    size_t length = fread(sql, 1, sizeof sql - 1, stdin);
    if (length == sizeof sql - 1) return fputs("make_database: the SQL is too long\n", stderr), 1;
    remove(arguments[1]);
    if (sqlite3_open(arguments[1], &db) != SQLITE_OK || sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return fprintf(stderr, "make_database: %s\n", sqlite3_errmsg(db)), 1;
    return sqlite3_close(db) == SQLITE_OK ? 0 : 1;
}
