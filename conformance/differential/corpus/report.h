/* What the guests of this folder share: how they say what they saw, and where they may write. Each line is
 * `what was done: what came of it`; the test compares line by line. Nothing here allocates or buffers, so that a guest
 * that traps has said everything before. */
#include <stdint.h>
#include <string.h>
#include <wasi/api.h>

enum { ROOT = 3 }; /* The one directory that is granted. */

#define RIGHT(name) __WASI_RIGHTS_##name
#define READ_RIGHTS (RIGHT(FD_READ) | RIGHT(FD_SEEK) | RIGHT(FD_TELL) | RIGHT(FD_FILESTAT_GET))
#define WRITE_RIGHTS (RIGHT(FD_WRITE) | RIGHT(FD_SEEK) | RIGHT(FD_TELL) | RIGHT(FD_FILESTAT_GET) | \
                      RIGHT(FD_FILESTAT_SET_SIZE) | RIGHT(FD_FILESTAT_SET_TIMES) | RIGHT(FD_ALLOCATE) | \
                      RIGHT(FD_FDSTAT_SET_FLAGS) | RIGHT(FD_ADVISE) | RIGHT(FD_SYNC) | RIGHT(FD_DATASYNC))
#define BOTH_RIGHTS (READ_RIGHTS | WRITE_RIGHTS)

static void say_bytes(const void *bytes, size_t length) {
  __wasi_ciovec_t piece = {bytes, length};
  __wasi_size_t written;
  if (__wasi_fd_write(1, &piece, 1, &written) != 0) __builtin_trap();
}

static void say(const char *text) { say_bytes(text, strlen(text)); }

static void say_number(uint64_t number) {
  char digits[20];
  size_t at = sizeof digits;
  do digits[--at] = '0' + number % 10;
  while (number /= 10);
  say_bytes(digits + at, sizeof digits - at);
}

/* Errnos by name where they are common: a difference should be readable. */
static void say_errno(unsigned error) {
  static const struct { unsigned number; const char *name; } names[] = {
      {0, "ok"}, {2, "EACCES"}, {8, "EBADF"}, {10, "EBUSY"}, {20, "EEXIST"}, {21, "EFAULT"}, {22, "EFBIG"}, {25, "EILSEQ"}, {27, "EINTR"},
      {28, "EINVAL"}, {29, "EIO"}, {31, "EISDIR"}, {32, "ELOOP"}, {37, "ENAMETOOLONG"}, {44, "ENOENT"}, {48, "ENOMEM"}, {51, "ENOSPC"},
      {52, "ENOSYS"}, {54, "ENOTDIR"}, {55, "ENOTEMPTY"}, {57, "ENOTSOCK"}, {58, "ENOTSUP"}, {59, "ENOTTY"}, {61, "EOVERFLOW"},
      {63, "EPERM"}, {69, "EROFS"}, {70, "ESPIPE"}, {75, "EXDEV"}, {76, "ENOTCAPABLE"}};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (names[i].number == error) {
      say(names[i].name);
      return;
    }
  say("errno ");
  say_number(error);
}

/* `key: errno` */
static void result(const char *key, unsigned error) {
  say(key);
  say(": ");
  say_errno(error);
  say("\n");
}

/* `key: number` */
static void value(const char *key, uint64_t number) {
  say(key);
  say(": ");
  say_number(number);
  say("\n");
}

/* `key: errno number`, the number only where there was no error. The call comes first, then what it wrote. */
#define outcome(key, call, number)      \
  do {                                  \
    __wasi_errno_t error_ = (call);     \
    say_outcome(key, error_, number);   \
  } while (0)

static void say_outcome(const char *key, unsigned error, uint64_t number) {
  say(key);
  say(": ");
  say_errno(error);
  if (error == 0) {
    say(" ");
    say_number(number);
  }
  say("\n");
}

static const char *type_name(unsigned type) {
  static const char *const names[] = {"unknown", "block", "character", "directory", "file", "dgram", "stream", "link"};
  return type < 8 ? names[type] : "?";
}

static __wasi_errno_t open_at(int directory, const char *path, unsigned oflags, uint64_t rights, __wasi_fd_t *fd) {
  return __wasi_path_open(directory, 0, path, oflags, rights, 0, 0, fd);
}

static __wasi_errno_t write_at_once(int fd, const void *bytes, size_t length, __wasi_size_t *written) {
  __wasi_ciovec_t piece = {bytes, length};
  return __wasi_fd_write(fd, &piece, 1, written);
}

static __wasi_errno_t read_at_once(int fd, void *bytes, size_t length, __wasi_size_t *got) {
  __wasi_iovec_t piece = {bytes, length};
  return __wasi_fd_read(fd, &piece, 1, got);
}

/* A file with this content, whatever stood there before. What can't be done here would be a difference everywhere. */
static void put_file(const char *path, const char *content) {
  __wasi_fd_t fd;
  __wasi_size_t written;
  if (open_at(ROOT, path, __WASI_OFLAGS_CREAT | __WASI_OFLAGS_TRUNC, BOTH_RIGHTS, &fd) != 0 ||
      write_at_once(fd, content, strlen(content), &written) != 0 || __wasi_fd_close(fd) != 0)
    __builtin_trap();
}

/* Takes away whatever stands there: a file, a link, or a directory with at most the file `inner` in it. */
static void clear(const char *path) {
  char inner[64];
  if (__wasi_path_unlink_file(ROOT, path) == 0 || __wasi_path_remove_directory(ROOT, path) == 0) return;
  strcpy(inner, path);
  strcat(inner, "/inner");
  __wasi_path_unlink_file(ROOT, inner);
  __wasi_path_remove_directory(ROOT, path);
}

/* The kinds of things that a name can stand for. */
enum kind { MISSING, FILE_KIND, EMPTY_DIRECTORY, FULL_DIRECTORY, LINK_TO_FILE, LINK_TO_DIRECTORY, DANGLING_LINK, KINDS };

static const char *const kind_names[] = {"missing",      "file",              "empty directory", "full directory",
                                         "link to file", "link to directory", "dangling link"};

static void put_kind(const char *path, enum kind kind) {
  char inner[64];
  clear(path);
  switch (kind) {
    case FILE_KIND: put_file(path, "twelve bytes"); break;
    case EMPTY_DIRECTORY:
    case FULL_DIRECTORY:
      if (__wasi_path_create_directory(ROOT, path) != 0) __builtin_trap();
      if (kind == FULL_DIRECTORY) {
        strcpy(inner, path);
        strcat(inner, "/inner");
        put_file(inner, "inside");
      }
      break;
    case LINK_TO_FILE: __wasi_path_symlink("aim", ROOT, path); break;
    case LINK_TO_DIRECTORY: __wasi_path_symlink("aimdir", ROOT, path); break;
    case DANGLING_LINK: __wasi_path_symlink("nothing", ROOT, path); break;
    default: break;
  }
}

static void put_aims(void) {
  put_file("aim", "aimed at");
  if (__wasi_path_create_directory(ROOT, "aimdir") != 0) __builtin_trap();
}

/* What stands there now, in a word or two. */
static void say_kind(const char *path) {
  __wasi_filestat_t stat;
  __wasi_errno_t error = __wasi_path_filestat_get(ROOT, 0, path, &stat);
  if (error != 0) {
    say_errno(error);
    return;
  }
  say(type_name(stat.filetype));
  if (stat.filetype == __WASI_FILETYPE_REGULAR_FILE) {
    say(" of ");
    say_number(stat.size);
  }
}
