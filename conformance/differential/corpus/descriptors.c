/* The table of descriptors: types, numbers, closing, renumbering, rights, and every function on numbers that are not open. */
#include "report.h"

static void type_of(const char *key, int fd) {
  __wasi_fdstat_t stat;
  __wasi_errno_t error = __wasi_fd_fdstat_get(fd, &stat);
  say(key);
  say(": ");
  say_errno(error);
  if (error == 0) say(" "), say(type_name(stat.fs_filetype)), say(" flags "), say_number(stat.fs_flags);
  say("\n");
}

static void rights(const char *key, int fd) {
  __wasi_fdstat_t stat;
  if (__wasi_fd_fdstat_get(fd, &stat) != 0) __builtin_trap();
  value(key, stat.fs_rights_base);
  say("inheriting, ");
  value(key, stat.fs_rights_inheriting);
}

static void not_open(int fd) {
  __wasi_fdstat_t stat;
  __wasi_filestat_t filestat;
  __wasi_prestat_t prestat;
  __wasi_filesize_t at;
  __wasi_size_t count;
  __wasi_fd_t opened;
  uint8_t bytes[8];
  __wasi_iovec_t in = {bytes, 8};
  __wasi_ciovec_t out = {bytes, 8};
  value("number that is not open", (uint32_t)fd);
  result("advise", __wasi_fd_advise(fd, 0, 0, 0));
  result("allocate", __wasi_fd_allocate(fd, 0, 1));
  result("close", __wasi_fd_close(fd));
  result("datasync", __wasi_fd_datasync(fd));
  result("fdstat", __wasi_fd_fdstat_get(fd, &stat));
  result("set flags", __wasi_fd_fdstat_set_flags(fd, 0));
  result("set rights", __wasi_fd_fdstat_set_rights(fd, 0, 0));
  result("filestat", __wasi_fd_filestat_get(fd, &filestat));
  result("set size", __wasi_fd_filestat_set_size(fd, 0));
  result("set times", __wasi_fd_filestat_set_times(fd, 0, 0, 0));
  result("pread", __wasi_fd_pread(fd, &in, 1, 0, &count));
  result("prestat", __wasi_fd_prestat_get(fd, &prestat));
  result("prestat name", __wasi_fd_prestat_dir_name(fd, bytes, 8));
  result("pwrite", __wasi_fd_pwrite(fd, &out, 1, 0, &count));
  result("read", __wasi_fd_read(fd, &in, 1, &count));
  result("readdir", __wasi_fd_readdir(fd, bytes, 8, 0, &count));
  result("renumber", __wasi_fd_renumber(fd, 0));
  result("renumber to", __wasi_fd_renumber(0, fd));
  result("seek", __wasi_fd_seek(fd, 0, 0, &at));
  result("sync", __wasi_fd_sync(fd));
  result("tell", __wasi_fd_tell(fd, &at));
  result("write", __wasi_fd_write(fd, &out, 1, &count));
  result("open", open_at(fd, "x", 0, 0, &opened));
  result("stat", __wasi_path_filestat_get(fd, 0, "x", &filestat));
  result("make", __wasi_path_create_directory(fd, "x"));
  result("unlink", __wasi_path_unlink_file(fd, "x"));
  result("remove", __wasi_path_remove_directory(fd, "x"));
  result("rename", __wasi_path_rename(fd, "x", ROOT, "y"));
  result("rename to", __wasi_path_rename(ROOT, "x", fd, "y"));
  result("link", __wasi_path_link(fd, 0, "x", ROOT, "y"));
  result("symlink", __wasi_path_symlink("x", fd, "y"));
  result("readlink", __wasi_path_readlink(fd, "x", bytes, 8, &count));
  result("path times", __wasi_path_filestat_set_times(fd, 0, "x", 0, 0, 0));
  result("shut down", __wasi_sock_shutdown(fd, 1));
}

static void renumbering(void) {
  __wasi_fd_t a, b, c;
  char bytes[8];
  __wasi_size_t count;
  put_file("a", "file a");
  put_file("b", "file b");
  open_at(ROOT, "a", 0, READ_RIGHTS, &a);
  open_at(ROOT, "b", 0, READ_RIGHTS, &b);
  value("first", a);
  value("second", b);
  result("to itself", __wasi_fd_renumber(a, a));
  type_of("still open", a);
  result("close the first", __wasi_fd_close(a));
  result("close it twice", __wasi_fd_close(a));
  open_at(ROOT, "a", 0, READ_RIGHTS, &c);
  value("the lowest number again", c);
  result("a over b", __wasi_fd_renumber(c, b));
  type_of("a's number", c);
  read_at_once(b, bytes, 6, &count);
  say("b's number reads: ");
  say_bytes(bytes, 6);
  say("\n");
  result("to a number that is not open", __wasi_fd_renumber(b, 50));
  result("over stdin", __wasi_fd_renumber(b, 0));
  type_of("stdin", 0);
  result("close stdin", __wasi_fd_close(0));
  open_at(ROOT, "b", 0, READ_RIGHTS, &a);
  value("stdin's number is given out", a);
  result("close stderr", __wasi_fd_close(2));
  result("write to it", write_at_once(2, "x", 1, &count));
}

static void smaller_rights(void) {
  __wasi_fd_t fd;
  __wasi_size_t count;
  char bytes[8];
  put_file("r", "readable");
  open_at(ROOT, "r", 0, BOTH_RIGHTS, &fd);
  result("fewer rights", __wasi_fd_fdstat_set_rights(fd, RIGHT(FD_READ), 0));
  result("write without the right", write_at_once(fd, "x", 1, &count));
  result("read with the right", read_at_once(fd, bytes, 1, &count));
  result("more rights", __wasi_fd_fdstat_set_rights(fd, BOTH_RIGHTS, 0));
  __wasi_fd_close(fd);
  put_file("r", "readable");
  open_at(ROOT, "r", 0, READ_RIGHTS, &fd);
  rights("rights of a file to read", fd);
  __wasi_fd_close(fd);
  open_at(ROOT, "r", 0, BOTH_RIGHTS, &fd);
  rights("rights of a file for both", fd);
  __wasi_fd_close(fd);
}

int main(void) {
  __wasi_prestat_t prestat;
  uint8_t name[16];
  type_of("stdin", 0);
  type_of("stdout", 1);
  type_of("stderr", 2);
  type_of("directory", ROOT);
  rights("rights of the directory", ROOT);
  outcome("prestat", __wasi_fd_prestat_get(ROOT, &prestat), prestat.u.dir.pr_name_len);
  result("name in a buffer too short", __wasi_fd_prestat_dir_name(ROOT, name, 4));
  result("name in a buffer too long", __wasi_fd_prestat_dir_name(ROOT, name, 16));
  result("name", __wasi_fd_prestat_dir_name(ROOT, name, 5));
  say_bytes(name, 5);
  say("\n");
  result("prestat of stdin", __wasi_fd_prestat_get(0, &prestat));
  not_open(4);
  not_open(-1);
  smaller_rights();
  renumbering();
  return 0;
}
