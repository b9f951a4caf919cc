/* The ways to end. The first argument says which: a status to exit with, or the name of a way to fail. */
#include "report.h"

static volatile int zero;
static volatile unsigned depth;

static int down(unsigned left) {
  depth++;
  return left == 0 ? 0 : 1 + down(left - 1) + zero;
}

static unsigned number(const char *text) {
  unsigned all = 0;
  for (; *text >= '0' && *text <= '9'; text++) all = 10 * all + (*text - '0');
  return all;
}

int main(int count, char **arguments) {
  const char *way = count > 1 ? arguments[1] : "";
  value("arguments", count - 1);
  if (strcmp(way, "return") == 0) return 7;
  if (strcmp(way, "unreachable") == 0) __builtin_trap();
  if (strcmp(way, "divide") == 0) return 1 / zero;
  if (strcmp(way, "memory") == 0) return *(volatile int *)(0xfffffff0u + zero);
  if (strcmp(way, "pointer") == 0) return ((int (*)(void))(uintptr_t)(99999 + zero))();
  if (strcmp(way, "signature") == 0) return ((int (*)(double))(uintptr_t)down)(1.0);
  if (strcmp(way, "deep") == 0) return value("depth", down(number(arguments[2]))), 0;
  if (strcmp(way, "bottomless") == 0) return down(~0u);
  if (strcmp(way, "files") == 0) put_file("half.txt", "written before the end");
  if (strcmp(way, "two names") == 0) {
    put_file("first.txt", "of two names");
    result("leave a second name", __wasi_path_link(ROOT, 0, "first.txt", ROOT, "second.txt"));
  }
  if (strcmp(way, "link") == 0) {
    put_file("plain.txt", "beside a link");
    result("leave a link", __wasi_path_symlink("plain.txt", ROOT, "left_link"));
  }
  __wasi_proc_exit(number(count > 2 ? arguments[2] : way));
}
