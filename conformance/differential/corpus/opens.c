/* path_open: every combination of its four open flags and of reading and writing, on every kind of thing, with and without
 * following links, and with a slash at the end. One line for each kind and pair of rights, in the order of the flags: creat 1,
 * directory 2, excl 4, trunc 8. */
#include "report.h"

/* A directory that is also to be created anew or emptied: no host agrees with another about that. */
static int contradicts(unsigned oflags) {
  return (oflags & __WASI_OFLAGS_DIRECTORY) && (oflags & ~__WASI_OFLAGS_DIRECTORY);
}

static void row(enum kind kind, unsigned lookup, const char *slash, uint64_t rights, const char *rights_name, int contradicting) {
  char path[8] = "it";
  strcat(path, slash);
  say(kind_names[kind]);
  say(slash);
  say(lookup ? " followed " : " ");
  say(rights_name);
  say(contradicting ? " and contradicting:" : ":");
  for (unsigned oflags = 0; oflags < 16; oflags++) {
    if (contradicts(oflags) != contradicting) continue;
    put_kind("it", kind);
    put_file("aim", "aimed at");
    __wasi_fd_t fd;
    __wasi_errno_t error = __wasi_path_open(ROOT, lookup, path, oflags, rights, 0, 0, &fd);
    say(" ");
    say_errno(error);
    if (error == 0) {
      __wasi_fdstat_t stat;
      __wasi_fd_fdstat_get(fd, &stat);
      say("=");
      say(type_name(stat.fs_filetype));
      __wasi_fd_close(fd);
    }
    clear("nothing");
  }
  say("\n");
}

int main(void) {
  static const struct { uint64_t rights; const char *name; } wishes[] = {
      {0, "for nothing"}, {READ_RIGHTS, "to read"}, {WRITE_RIGHTS, "to write"}, {BOTH_RIGHTS, "for both"}};
  put_aims();
  for (enum kind kind = MISSING; kind < KINDS; kind++)
    for (size_t wish = 0; wish < 4; wish++) {
      row(kind, 0, "", wishes[wish].rights, wishes[wish].name, 0);
      if (kind >= LINK_TO_FILE) row(kind, 1, "", wishes[wish].rights, wishes[wish].name, 0);
      if (wish == 1) {
        row(kind, 0, "/", wishes[wish].rights, wishes[wish].name, 0);
        row(kind, 0, "", wishes[wish].rights, wishes[wish].name, 1);
      }
    }
  clear("it");
  return 0;
}
