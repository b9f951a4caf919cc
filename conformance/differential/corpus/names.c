/* What becomes of names: rename and link from every kind of thing to every kind, and removal and creation on every
 * kind, with and without a slash at the end. Each line ends with what stands there afterwards. */
#include "report.h"

static void two(const char *verb, enum kind from, enum kind to, const char *from_slash, const char *to_slash,
                __wasi_errno_t (*act)(const char *, const char *)) {
  char from_path[8] = "from", to_path[8] = "to";
  strcat(from_path, from_slash);
  strcat(to_path, to_slash);
  put_kind("from", from);
  put_kind("to", to);
  say(verb);
  say(" ");
  say(kind_names[from]);
  say(from_slash);
  say(" to ");
  say(kind_names[to]);
  say(to_slash);
  say(": ");
  say_errno(act(from_path, to_path));
  say(", ");
  say_kind("from");
  say(", ");
  say_kind("to");
  say("\n");
}

static __wasi_errno_t rename_it(const char *from, const char *to) { return __wasi_path_rename(ROOT, from, ROOT, to); }
static __wasi_errno_t link_it(const char *from, const char *to) { return __wasi_path_link(ROOT, 0, from, ROOT, to); }
static __wasi_errno_t link_followed(const char *from, const char *to) {
  return __wasi_path_link(ROOT, __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, from, ROOT, to);
}

static void one(const char *verb, enum kind kind, const char *slash, __wasi_errno_t (*act)(const char *)) {
  char path[8] = "to";
  strcat(path, slash);
  put_kind("to", kind);
  say(verb);
  say(" ");
  say(kind_names[kind]);
  say(slash);
  say(": ");
  say_errno(act(path));
  say(", ");
  say_kind("to");
  say("\n");
}

static __wasi_errno_t unlink_it(const char *path) { return __wasi_path_unlink_file(ROOT, path); }
static __wasi_errno_t remove_it(const char *path) { return __wasi_path_remove_directory(ROOT, path); }
static __wasi_errno_t make_it(const char *path) { return __wasi_path_create_directory(ROOT, path); }
static __wasi_errno_t symlink_it(const char *path) { return __wasi_path_symlink("aim", ROOT, path); }

static void odd_ones(void) {
  put_kind("to", FULL_DIRECTORY);
  result("rename a directory into itself", rename_it("to", "to/below"));
  result("rename a directory onto its file", rename_it("to", "to/inner"));
  result("rename a file onto its directory", rename_it("to/inner", "to"));
  result("rename to itself", rename_it("to", "to"));
  result("rename a file to itself", rename_it("to/inner", "to/inner"));
  result("rename into a missing directory", rename_it("to/inner", "missing/inner"));
  result("rename into a file", rename_it("aimdir", "to/inner/below"));
  clear("from");
  put_file("from", "a file");
  link_it("from", "second");
  result("rename onto a second name of the same file", rename_it("from", "second"));
  say("afterwards: ");
  say_kind("from");
  say(", ");
  say_kind("second");
  say("\n");
  clear("from");
  clear("second");
}

int main(void) {
  put_aims();
  for (enum kind from = MISSING; from < KINDS; from++)
    for (enum kind to = MISSING; to < KINDS; to++) {
      two("rename", from, to, "", "", rename_it);
      two("link", from, to, "", "", link_it);
    }
  for (enum kind from = MISSING; from < KINDS; from++) {
    two("rename", from, MISSING, "/", "", rename_it);
    two("rename", from, MISSING, "", "/", rename_it);
    two("rename", from, EMPTY_DIRECTORY, "/", "/", rename_it);
    two("link", from, MISSING, "/", "", link_it);
    two("link", from, MISSING, "", "/", link_it);
    two("link followed", from, MISSING, "", "", link_followed);
  }
  for (enum kind kind = MISSING; kind < KINDS; kind++)
    for (size_t slash = 0; slash < 2; slash++) {
      const char *end = slash ? "/" : "";
      one("unlink", kind, end, unlink_it);
      one("remove", kind, end, remove_it);
      one("make", kind, end, make_it);
      one("symlink", kind, end, symlink_it);
    }
  odd_ones();
  clear("from");
  clear("to");
  return 0;
}
