/* Symbolic links that were there before the call. */
#include "report.h"

int main(void) {
  static const char *const paths[] = {"old_link", "old_dir_link/file", "old_outside", "old_absolute", "old_dangling", "old_plain"};
  __wasi_filestat_t stat;
  __wasi_fd_t fd;
  uint8_t bytes[32];
  __wasi_size_t used;
  for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
    say(paths[i]);
    say(": stat ");
    say_errno(__wasi_path_filestat_get(ROOT, 0, paths[i], &stat));
    say(", followed ");
    say_errno(__wasi_path_filestat_get(ROOT, 1, paths[i], &stat));
    say(", open ");
    say_errno(__wasi_path_open(ROOT, 1, paths[i], 0, READ_RIGHTS, 0, 0, &fd));
    say(", readlink ");
    say_errno(__wasi_path_readlink(ROOT, paths[i], bytes, 32, &used));
    say("\n");
  }
  return 0;
}
