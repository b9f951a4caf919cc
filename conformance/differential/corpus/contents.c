/* Reading and writing one file: positions, appending, truncation, holes, pieces, and what a second descriptor sees. */
#include "report.h"

static __wasi_fd_t fd;

static void look(const char *key) {
  char bytes[64];
  __wasi_size_t got = 0;
  __wasi_filesize_t at = 0;
  __wasi_iovec_t piece = {bytes, sizeof bytes};
  __wasi_errno_t error = __wasi_fd_pread(fd, &piece, 1, 0, &got);
  say(key);
  say(": ");
  say_errno(error);
  for (size_t i = 0; i < got; i++)
    if (bytes[i] == 0) bytes[i] = '.';
  say(" [");
  say_bytes(bytes, got);
  say("] at ");
  error = __wasi_fd_tell(fd, &at);
  if (error != 0) say_errno(error);
  else say_number(at);
  say("\n");
}

static void put(const char *key, const char *text) {
  __wasi_size_t written = 0;
  outcome(key, write_at_once(fd, text, strlen(text), &written), written);
}

static void seek(const char *key, int64_t by, unsigned whence) {
  __wasi_filesize_t at = 0;
  outcome(key, __wasi_fd_seek(fd, by, whence, &at), at);
}

static void positions(void) {
  put("write", "abcdefghij");
  look("written");
  seek("seek to 3", 3, __WASI_WHENCE_SET);
  put("overwrite", "XY");
  look("overwritten");
  seek("seek 2 back", -2, __WASI_WHENCE_CUR);
  seek("seek to 1 before the end", -1, __WASI_WHENCE_END);
  seek("seek to before the start", -1, __WASI_WHENCE_SET);
  seek("seek far back", INT64_MIN, __WASI_WHENCE_CUR);
  seek("seek to 14", 14, __WASI_WHENCE_SET);
  put("write behind a hole", "Z");
  look("hole");
}

static void at_offsets(void) {
  char bytes[16];
  __wasi_size_t count = 0;
  __wasi_iovec_t in[3] = {{bytes, 2}, {bytes + 2, 0}, {bytes + 2, 3}};
  __wasi_ciovec_t out[3] = {{"12", 2}, {"", 0}, {"345", 3}};
  outcome("pwrite three pieces in one call", __wasi_fd_pwrite(fd, out, 3, 1, &count), count);
  outcome("the rest", __wasi_fd_pwrite(fd, out + 2, 1, 3, &count), count);
  look("after pwrite");
  outcome("pread three pieces in one call", __wasi_fd_pread(fd, in, 3, 10, &count), count);
  outcome("pread at the end", __wasi_fd_pread(fd, in, 3, 15, &count), count);
  outcome("pread beyond the end", __wasi_fd_pread(fd, in, 3, 100, &count), count);
  outcome("pread no pieces", __wasi_fd_pread(fd, in, 0, 0, &count), count);
  outcome("pwrite no pieces", __wasi_fd_pwrite(fd, out, 0, 0, &count), count);
  outcome("write empty pieces", __wasi_fd_write(fd, out + 1, 1, &count), count);
  outcome("read at the end", read_at_once(fd, bytes, 4, &count), count);
}

static void sizes(void) {
  __wasi_filestat_t stat;
  result("truncate to 4", __wasi_fd_filestat_set_size(fd, 4));
  look("truncated");
  put("write where the end was", "!");
  look("grown again");
  result("grow to 20", __wasi_fd_filestat_set_size(fd, 20));
  look("grown");
  result("allocate 30", __wasi_fd_allocate(fd, 0, 30));
  result("allocate inside", __wasi_fd_allocate(fd, 5, 5));
  result("allocate nothing", __wasi_fd_allocate(fd, 0, 0));
  outcome("size", __wasi_fd_filestat_get(fd, &stat), stat.size);
  result("set it, whether or not it could be allocated", __wasi_fd_filestat_set_size(fd, 30));
  result("advise", __wasi_fd_advise(fd, 0, 10, __WASI_ADVICE_WILLNEED));
  result("sync", __wasi_fd_sync(fd));
  result("datasync", __wasi_fd_datasync(fd));
}

static void appending(void) {
  __wasi_fdstat_t stat;
  __wasi_size_t count;
  __wasi_ciovec_t piece = {"#", 1}, first = {"s", 1};
  __wasi_fd_close(fd);
  put_file("it", "start");
  result("open to append", __wasi_path_open(ROOT, 0, "it", 0, BOTH_RIGHTS, 0, __WASI_FDFLAGS_APPEND, &fd));
  put("append", "+1");
  seek("seek to the start", 0, __WASI_WHENCE_SET);
  put("append again", "+2");
  look("appended");
  __wasi_fd_fdstat_get(fd, &stat);
  value("flags", stat.fs_flags);
  outcome("pwrite while appending", __wasi_fd_pwrite(fd, &piece, 1, 0, &count), count);
  look("after that pwrite");
  result("cut off what it may have appended", __wasi_fd_filestat_set_size(fd, 9));
  outcome("and put back what it may have overwritten", (__wasi_fd_fdstat_set_flags(fd, 0), __wasi_fd_pwrite(fd, &first, 1, 0, &count)), count);
  result("stop appending", __wasi_fd_fdstat_set_flags(fd, 0));
  seek("seek to the start again", 0, __WASI_WHENCE_SET);
  put("overwrite now", "S");
  look("overwritten now");
  result("start appending", __wasi_fd_fdstat_set_flags(fd, __WASI_FDFLAGS_APPEND));
  put("append once more", "+3");
  look("appended once more");
  __wasi_fd_close(fd);
}

static void two_descriptors(void) {
  __wasi_fd_t other;
  char bytes[16];
  __wasi_size_t count;
  put_file("it", "shared");
  open_at(ROOT, "it", 0, BOTH_RIGHTS, &fd);
  open_at(ROOT, "it", 0, READ_RIGHTS, &other);
  put("write through the first", "SH");
  outcome("read through the second", read_at_once(other, bytes, 16, &count), count);
  say("which are: ");
  say_bytes(bytes, count);
  say("\n");
  outcome("write through the second", write_at_once(other, "x", 1, &count), count);
  result("truncate through the second", __wasi_fd_filestat_set_size(other, 1));
  result("unlink while open", __wasi_path_unlink_file(ROOT, "it"));
  look("still there for the first");
  put("write after unlink", "gone");
  __wasi_filestat_t stat;
  outcome("links left", __wasi_fd_filestat_get(fd, &stat), stat.nlink);
  put_file("it", "new");
  look("the old one is not the new one");
  __wasi_fd_close(fd);
  __wasi_fd_close(other);
  open_at(ROOT, "it", 0, WRITE_RIGHTS, &fd);
  outcome("read what is open to write", read_at_once(fd, bytes, 16, &count), count);
  __wasi_fd_close(fd);
}

int main(void) {
  result("create", open_at(ROOT, "it", __WASI_OFLAGS_CREAT | __WASI_OFLAGS_EXCL, BOTH_RIGHTS, &fd));
  positions();
  at_offsets();
  sizes();
  appending();
  two_descriptors();
  put_file("left.txt", "what is left");
  return 0;
}
