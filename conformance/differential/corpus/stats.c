/* fd_filestat_get and path_filestat_get, and the setting of times. Times and numbers are shown only as what they are to each
 * other: they belong to the host. */
#include "report.h"

#define look_at(key, call, stat)     \
  do {                                \
    __wasi_errno_t error_ = (call);   \
    say_stat(key, error_, stat);      \
  } while (0)

static void say_stat(const char *key, __wasi_errno_t error, const __wasi_filestat_t *stat) {
  say(key);
  say(": ");
  say_errno(error);
  if (error == 0) {
    say(" ");
    say(type_name(stat->filetype));
    if (stat->filetype == __WASI_FILETYPE_REGULAR_FILE) {
      say(" of ");
      say_number(stat->size);
      say(" with names ");
      say_number(stat->nlink);
    }
  }
  say("\n");
}

static void truth(const char *key, int yes) { value(key, yes != 0); }

static void of_path(const char *path) {
  __wasi_filestat_t stat;
  look_at(path, __wasi_path_filestat_get(ROOT, 0, path, &stat), &stat);
  say("followed ");
  look_at(path, __wasi_path_filestat_get(ROOT, __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, path, &stat), &stat);
}

static void times(const char *path) {
  enum { A = __WASI_FSTFLAGS_ATIM, AN = __WASI_FSTFLAGS_ATIM_NOW, M = __WASI_FSTFLAGS_MTIM, MN = __WASI_FSTFLAGS_MTIM_NOW };
  static const unsigned flags[] = {0, A, M, A | M, AN, MN, AN | MN, A | AN, M | MN, A | MN};
  __wasi_filestat_t before, after;
  for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
    __wasi_path_filestat_set_times(ROOT, 0, path, 5000000000, 6000000000, A | M);
    __wasi_path_filestat_get(ROOT, 0, path, &before);
    __wasi_errno_t error = __wasi_path_filestat_set_times(ROOT, 0, path, 7000000001, 8000000002, flags[i]);
    __wasi_path_filestat_get(ROOT, 0, path, &after);
    say(path);
    say(" times with flags ");
    say_number(flags[i]);
    say(": ");
    say_errno(error);
    say(after.atim == before.atim ? " same" : after.atim == 7000000001 ? " set" : " now");
    say(after.mtim == before.mtim ? " same\n" : after.mtim == 8000000002 ? " set\n" : " now\n");
  }
}

int main(void) {
  __wasi_filestat_t one, two, three;
  __wasi_fd_t fd;
  put_aims();
  for (enum kind kind = MISSING; kind < KINDS; kind++) {
    put_kind("it", kind);
    say(kind_names[kind]);
    say(" ");
    of_path("it");
  }
  put_kind("it", FILE_KIND);
  result("second name", __wasi_path_link(ROOT, 0, "it", ROOT, "second"));
  of_path("second");
  __wasi_path_filestat_get(ROOT, 0, "it", &one);
  __wasi_path_filestat_get(ROOT, 0, "second", &two);
  __wasi_path_filestat_get(ROOT, 0, "aim", &three);
  truth("two names are one file", one.ino == two.ino && one.dev == two.dev);
  truth("two files are two", one.ino != three.ino && one.dev == three.dev);
  result("open", open_at(ROOT, "second", 0, BOTH_RIGHTS, &fd));
  look_at("by descriptor", __wasi_fd_filestat_get(fd, &two), &two);
  truth("the descriptor is the file", one.ino == two.ino && one.mtim == two.mtim);
  clear("second");
  look_at("after one name went", __wasi_fd_filestat_get(fd, &two), &two);
  result("times by descriptor", __wasi_fd_filestat_set_times(fd, 0, 1000000007, __WASI_FSTFLAGS_MTIM));
  __wasi_fd_filestat_get(fd, &two);
  value("mtim", two.mtim);
  result("contradicting times by descriptor", __wasi_fd_filestat_set_times(fd, 0, 0, 3));
  times("it");
  put_kind("it", LINK_TO_FILE);
  times("it");
  times("aimdir");
  result("times of nothing", __wasi_path_filestat_set_times(ROOT, 0, "missing", 0, 0, __WASI_FSTFLAGS_MTIM));
  look_at("the directory itself", __wasi_fd_filestat_get(ROOT, &one), &one);
  look_at("stdin", __wasi_fd_filestat_get(0, &one), &one);
  look_at("stdout", __wasi_fd_filestat_get(1, &one), &one);
  look_at("nothing", __wasi_fd_filestat_get(99, &one), &one);
  clear("it");
  return 0;
}
