/* Symbolic links that the guest makes itself: where they lead, how far, and what readlink says. */
#include "report.h"

static void reach(const char *path) {
  char bytes[32];
  __wasi_size_t got = 0;
  __wasi_fd_t fd;
  say(path);
  say(": ");
  __wasi_errno_t error = __wasi_path_open(ROOT, 1, path, 0, READ_RIGHTS, 0, 0, &fd);
  say_errno(error);
  if (error == 0) {
    error = read_at_once(fd, bytes, sizeof bytes, &got);
    say(" ");
    if (error != 0) say_errno(error);
    say_bytes(bytes, error == 0 ? got : 0);
    __wasi_fd_close(fd);
  }
  say("\n");
}

static void make(const char *target, const char *path) {
  say("link ");
  say(path);
  say(" to ");
  say(target);
  result("", __wasi_path_symlink(target, ROOT, path));
}

static void read_link(const char *path, size_t size) {
  uint8_t bytes[64];
  __wasi_size_t used = 0;
  memset(bytes, '.', sizeof bytes);
  __wasi_errno_t error = __wasi_path_readlink(ROOT, path, bytes, size, &used);
  say("readlink ");
  say(path);
  say(" into ");
  say_number(size);
  outcome("", error, used);
  if (error == 0) {
    say_bytes(bytes, 12);
    say("\n");
  }
}

int main(void) {
  char name[8] = "chain00";
  __wasi_path_create_directory(ROOT, "d");
  __wasi_path_create_directory(ROOT, "d/e");
  put_file("d/file", "in d");
  put_file("top", "at the top");
  make("d/file", "plain");
  make("d", "dir");
  make("../top", "d/up");
  make("../../top", "d/out");
  make("..", "above");
  make("e/../file", "d/round");
  make("./d/./file", "dots");
  make("d/", "slash");
  make("top/", "fileslash");
  make("loop2", "loop1");
  make("loop1", "loop2");
  make("self", "self");
  make("missing", "dangling");
  make("/top", "absolute");
  make("", "empty");
  make(".", "here");
  reach("plain");
  reach("dir");
  reach("dir/file");
  reach("dir/../top");
  reach("d/up");
  reach("dir/up");
  reach("d/out");
  reach("above");
  reach("above/top");
  reach("d/round");
  reach("dots");
  reach("slash/file");
  reach("fileslash");
  reach("loop1");
  reach("self");
  reach("self/x");
  reach("dangling");
  reach("here/here/here/top");
  reach("plain/");
  reach("dir/");
  for (unsigned i = 0; i < 39; i++) {
    char target[8] = "chain00";
    target[5] = '0' + i / 10, target[6] = '0' + i % 10;
    name[5] = '0' + (i + 1) / 10, name[6] = '0' + (i + 1) % 10;
    __wasi_path_symlink(i == 0 ? "top" : target, ROOT, name);
  }
  reach("chain01");
  reach("chain05");
  reach("chain39");
  read_link("plain", 64);
  read_link("plain", 6);
  read_link("plain", 3);
  read_link("plain", 0);
  read_link("dangling", 64);
  read_link("top", 64);
  read_link("d", 64);
  read_link("missing", 64);
  read_link("dir/", 64);
  result("write through a link", __wasi_path_open(ROOT, 1, "plain", __WASI_OFLAGS_TRUNC, BOTH_RIGHTS, 0, 0, &(__wasi_fd_t){0}));
  result("create through a dangling link", __wasi_path_open(ROOT, 1, "dangling", __WASI_OFLAGS_CREAT, BOTH_RIGHTS, 0, 0, &(__wasi_fd_t){0}));
  reach("missing");
  result("make below a link", __wasi_path_create_directory(ROOT, "dir/new"));
  result("unlink below a link", __wasi_path_unlink_file(ROOT, "dir/file"));
  result("remove a link as a directory", __wasi_path_remove_directory(ROOT, "dir"));
  /* Links are not left behind: what the host makes of them is another matter. */
  static const char *const made[] = {"plain", "dir", "d/up", "d/out", "above", "d/round", "dots", "slash", "fileslash", "loop1", "loop2",
                                     "self", "dangling", "absolute", "empty", "here"};
  for (size_t i = 0; i < sizeof made / sizeof *made; i++) __wasi_path_unlink_file(ROOT, made[i]);
  for (unsigned i = 1; i < 40; i++) {
    name[5] = '0' + i / 10, name[6] = '0' + i % 10;
    __wasi_path_unlink_file(ROOT, name);
  }
  return 0;
}
