/* What comes in: arguments, environment, and stdin in small pieces until its end. */
#include "report.h"

static void list(const char *what, size_t count, char **strings) {
  value(what, count);
  for (size_t i = 0; i < count; i++) {
    say("  [");
    say(strings[i]);
    say("]\n");
  }
}

int main(void) {
  static char *pointers[32];
  static char bytes[4096];
  __wasi_size_t count, size, got;
  result("argument sizes", __wasi_args_sizes_get(&count, &size));
  result("arguments", __wasi_args_get((uint8_t **)pointers, (uint8_t *)bytes));
  list("after the name", count - 1, pointers + 1);
  result("environment sizes", __wasi_environ_sizes_get(&count, &size));
  value("bytes", size);
  result("environment", __wasi_environ_get((uint8_t **)pointers, (uint8_t *)bytes));
  list("variables", count, pointers);
  outcome("read nothing", read_at_once(0, bytes, 0, &got), got);
  do {
    __wasi_errno_t error = read_at_once(0, bytes, 5, &got);
    outcome("read", error, got);
    if (error != 0) break;
    say_bytes(bytes, got);
    say("|\n");
  } while (got > 0);
  outcome("read past the end", read_at_once(0, bytes, 5, &got), got);
  return 0;
}
