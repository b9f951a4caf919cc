/* Functions on descriptors of the wrong kind: a directory as a file, streams as files and directories, files as directories. */
#include "report.h"

static void one(const char *name, const char *use, __wasi_errno_t error) {
  say(name);
  result(use, error);
}

static void as_file(const char *name, int fd) {
  __wasi_filesize_t at;
  __wasi_size_t count;
  uint8_t bytes[8] = {0};
  __wasi_iovec_t in = {bytes, 8};
  __wasi_ciovec_t out = {bytes, 1};
  one(name, " as a file, pread", __wasi_fd_pread(fd, &in, 1, 0, &count));
  one(name, " as a file, pwrite", __wasi_fd_pwrite(fd, &out, 1, 0, &count));
  one(name, " as a file, seek", __wasi_fd_seek(fd, 0, 0, &at));
  one(name, " as a file, tell", __wasi_fd_tell(fd, &at));
  one(name, " as a file, set size", __wasi_fd_filestat_set_size(fd, 1));
  one(name, " as a file, allocate", __wasi_fd_allocate(fd, 0, 1));
  one(name, " as a file, advise", __wasi_fd_advise(fd, 0, 1, 0));
  one(name, " as a file, sync", __wasi_fd_sync(fd));
  one(name, " as a file, datasync", __wasi_fd_datasync(fd));
  one(name, " as a file, set times", __wasi_fd_filestat_set_times(fd, 0, 0, 0));
}

static void as_directory(const char *name, int fd) {
  __wasi_filestat_t stat;
  __wasi_size_t count;
  __wasi_fd_t opened;
  uint8_t bytes[8];
  one(name, " as a directory, open", open_at(fd, "x", 0, READ_RIGHTS, &opened));
  one(name, " as a directory, stat", __wasi_path_filestat_get(fd, 0, "x", &stat));
  one(name, " as a directory, list", __wasi_fd_readdir(fd, bytes, 8, 0, &count));
  one(name, " as a directory, make", __wasi_path_create_directory(fd, "x"));
  one(name, " as a directory, unlink", __wasi_path_unlink_file(fd, "x"));
  one(name, " as a directory, remove", __wasi_path_remove_directory(fd, "x"));
  one(name, " as a directory, symlink", __wasi_path_symlink("x", fd, "y"));
  one(name, " as a directory, readlink", __wasi_path_readlink(fd, "x", bytes, 8, &count));
}

static void as_socket(const char *name, int fd) {
  __wasi_size_t count;
  __wasi_roflags_t flags;
  __wasi_fd_t accepted;
  uint8_t bytes[8];
  __wasi_iovec_t in = {bytes, 8};
  __wasi_ciovec_t out = {bytes, 1};
  one(name, " as a socket, accept", __wasi_sock_accept(fd, 0, &accepted));
  one(name, " as a socket, receive", __wasi_sock_recv(fd, &in, 1, 0, &count, &flags));
  one(name, " as a socket, send", __wasi_sock_send(fd, &out, 1, 0, &count));
  one(name, " as a socket, shut down", __wasi_sock_shutdown(fd, 1));
}

int main(void) {
  __wasi_fd_t file, directory;
  __wasi_size_t count;
  uint8_t bytes[8];
  put_file("f", "a file");
  __wasi_path_create_directory(ROOT, "d");
  open_at(ROOT, "f", 0, BOTH_RIGHTS, &file);
  open_at(ROOT, "d", __WASI_OFLAGS_DIRECTORY, READ_RIGHTS, &directory);
  result("read a directory", read_at_once(directory, bytes, 8, &count));
  result("write a directory", write_at_once(directory, "x", 1, &count));
  result("read stdout", read_at_once(1, bytes, 8, &count));
  result("read stderr", read_at_once(2, bytes, 8, &count));
  result("write stdin", write_at_once(0, "x", 1, &count));
  as_file("a directory", directory);
  as_file("stdin", 0);
  as_file("stdout", 1);
  as_directory("a file", file);
  as_directory("stdin", 0);
  as_socket("a file", file);
  as_socket("a directory", directory);
  as_socket("stdin", 0);
  as_socket("stdout", 1);
  return 0;
}
