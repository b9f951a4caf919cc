/* fd_readdir: buffers of every small size, continuing after any entry, names of every length, changes in between.
 * The order of a listing is the host's business, so nothing here depends on it. */
#include "report.h"

enum { FILES = 40 };
static __wasi_fd_t directory;

static void name_of(unsigned number, char *name) {
  size_t length = 1 + number;
  memset(name, 'a' + number % 26, length);
  name[0] = 'A' + number % 26;
  if (number >= 26) name[1] = '_';
  name[length] = 0;
}

/* All entries with a buffer of this size: how many, how many were asked for twice, and the sum of the lengths of names. */
static void walk(size_t size) {
  static uint8_t buffer[4096];
  unsigned entries = 0, calls = 0;
  uint64_t lengths = 0, cookie = 0, directories = 0;
  for (;;) {
    __wasi_size_t used = 0;
    __wasi_errno_t error = __wasi_fd_readdir(directory, buffer, size, cookie, &used);
    if (error != 0 || ++calls > 1000) {
      result("walk stopped", error);
      return;
    }
    size_t at = 0;
    while (at + sizeof(__wasi_dirent_t) <= used) {
      __wasi_dirent_t entry;
      memcpy(&entry, buffer + at, sizeof entry);
      if (at + sizeof entry + entry.d_namlen > used) break;
      at += sizeof entry + entry.d_namlen;
      entries++;
      lengths += entry.d_namlen;
      directories += entry.d_type == __WASI_FILETYPE_DIRECTORY;
      cookie = entry.d_next;
    }
    if (used < size) break;
    if (at == 0) {
      say("no entry fits\n");
      return;
    }
  }
  say("buffer of ");
  say_number(size);
  say(": ");
  say_number(entries);
  say(" entries, ");
  say_number(directories);
  say(" directories, names of ");
  say_number(lengths);
  say("\n");
}

int main(void) {
  uint8_t buffer[256];
  char name[64], path[80];
  __wasi_size_t used;
  __wasi_filestat_t stat;
  __wasi_path_create_directory(ROOT, "many");
  result("open", open_at(ROOT, "many", __WASI_OFLAGS_DIRECTORY, RIGHT(FD_READDIR), &directory));
  walk(256);
  for (unsigned i = 0; i < FILES; i++) {
    name_of(i, name);
    strcpy(path, "many/");
    strcat(path, name);
    put_file(path, "x");
  }
  __wasi_path_create_directory(ROOT, "many/sub");
  for (size_t size = 65; size < 100; size += 7) walk(size);
  walk(128);
  walk(1000);
  walk(4096);
  for (size_t size = 0; size < 60; size += 12) outcome("first bytes", __wasi_fd_readdir(directory, buffer, size, 0, &used), used);
  outcome("a cookie from nowhere", __wasi_fd_readdir(directory, buffer, 256, 1000000, &used), used);
  result("list a file", open_at(ROOT, "many/A", 0, READ_RIGHTS | RIGHT(FD_READDIR), &directory) ||
                            __wasi_fd_readdir(directory, buffer, 256, 0, &used));
  outcome("size of a listed file", __wasi_path_filestat_get(ROOT, 0, "many/A", &stat), stat.size);
  result("list stdin", __wasi_fd_readdir(0, buffer, 256, 0, &used));
  result("list nothing", __wasi_fd_readdir(99, buffer, 256, 0, &used));
  for (unsigned i = 0; i < FILES; i += 2) {
    name_of(i, name);
    strcpy(path, "many/");
    strcat(path, name);
    result("unlink", __wasi_path_unlink_file(ROOT, path));
  }
  open_at(ROOT, "many", __WASI_OFLAGS_DIRECTORY, RIGHT(FD_READDIR), &directory);
  walk(512);
  return 0;
}
