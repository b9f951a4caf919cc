/* Odd paths, for every function that takes one. */
#include "report.h"

/* The header's own functions end a path at its first NUL. */
__attribute__((import_module("wasi_snapshot_preview1"), import_name("path_open"))) int raw_open(
    int, int, const char *, size_t, int, uint64_t, uint64_t, int, __wasi_fd_t *);
__attribute__((import_module("wasi_snapshot_preview1"), import_name("path_filestat_get"))) int raw_stat(
    int, int, const char *, size_t, __wasi_filestat_t *);
__attribute__((import_module("wasi_snapshot_preview1"), import_name("path_create_directory"))) int raw_make(int, const char *, size_t);
__attribute__((import_module("wasi_snapshot_preview1"), import_name("path_remove_directory"))) int raw_remove(int, const char *, size_t);
__attribute__((import_module("wasi_snapshot_preview1"), import_name("path_unlink_file"))) int raw_unlink(int, const char *, size_t);
__attribute__((import_module("wasi_snapshot_preview1"), import_name("path_rename"))) int raw_rename(int, const char *, size_t, int, const char *,
                                                                                                size_t);

static void all(const char *name, const char *path, size_t length) {
  __wasi_filestat_t stat;
  __wasi_fd_t fd;
  int error;
  put_file("moving", "moved");
  say(name);
  say(": stat ");
  error = raw_stat(ROOT, 0, path, length, &stat);
  say_errno(error);
  if (error == 0) say("="), say(type_name(stat.filetype));
  say(", open ");
  error = raw_open(ROOT, 0, path, length, 0, READ_RIGHTS, 0, 0, &fd);
  say_errno(error);
  if (error == 0) __wasi_fd_close(fd);
  say(", create ");
  error = raw_open(ROOT, 0, path, length, __WASI_OFLAGS_CREAT | __WASI_OFLAGS_EXCL, BOTH_RIGHTS, 0, 0, &fd);
  say_errno(error);
  if (error == 0) {
    __wasi_fd_close(fd);
    raw_unlink(ROOT, path, length);
  }
  say(", make ");
  error = raw_make(ROOT, path, length);
  say_errno(error);
  if (error == 0) raw_remove(ROOT, path, length);
  say(", rename to ");
  error = raw_rename(ROOT, "moving", 6, ROOT, path, length);
  say_errno(error);
  if (error == 0) raw_rename(ROOT, path, length, ROOT, "moving", 6);
  put_file("dir/file", "in dir");
  clear("new");
  clear("dir/new");
  say("\n");
}

static void text(const char *path) { all(path[0] ? path : "(empty)", path, strlen(path)); }

/* The ways to remove, on paths that should not let anything be removed. */
static void removal(const char *path) {
  say("remove ");
  say(path[0] ? path : "(empty)");
  say(": ");
  say_errno(raw_remove(ROOT, path, strlen(path)));
  say(", unlink ");
  say_errno(raw_unlink(ROOT, path, strlen(path)));
  say(", rename from ");
  say_errno(raw_rename(ROOT, path, strlen(path), ROOT, "elsewhere", 9));
  say("\n");
}

int main(void) {
  static char longest[70000];
  static const char *const paths[] = {
      "",        ".",         "..",      "/",          "//",        "/data",       "/data/file",   "./file", "file",   "file/.",    "file/..", "file/../dir",
      "dir/..",  "dir/../..", "dir/.",   "dir//file",  "dir/./file", "dir/../file", "missing/../file", "./",  "../data/file", "dir/../../data/file",
      "...",     "dir/...",   "new",     "new/",       "new/.",     "dir/new",     "new/deep",     " ",      "a b",    "a\\b",      "C:\\x", "file ", "\xc3\xa4", "e\xcc\x81"};
  __wasi_path_create_directory(ROOT, "dir");
  put_file("file", "at the top");
  put_file("dir/file", "in dir");
  for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) text(paths[i]);
  all("NUL inside", "fi\0le", 5);
  all("NUL at the end", "file\0", 5);
  all("not UTF-8", "f\xff", 2);
  all("half a character", "f\xc3", 2);
  memset(longest, 'n', sizeof longest);
  all("name of 255", longest, 255);
  all("name of 256", longest, 256);
  for (size_t i = 0; i < sizeof longest; i += 2) longest[i] = '.', longest[i + 1] = '/';
  memcpy(longest + 4000, "file", 4);
  all("path of 4004", longest, 4004);
  all("path of 65536", longest, 65536);
  static const char *const kept[] = {"", ".", "..", "/", "dir/..", "dir/.", "file/.", "dir/file/..", "missing/..", "/data/file"};
  for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) removal(kept[i]);
  clear("moving");
  return 0;
}
