/* Values that no enumeration and no set of flags has. The first argument says where. */
#include "report.h"

int main(int count, char **arguments) {
  const char *where = count > 1 ? arguments[1] : "";
  __wasi_fd_t fd, other;
  __wasi_filesize_t at;
  __wasi_timestamp_t time;
  __wasi_size_t got;
  __wasi_event_t event;
  __wasi_subscription_t wish = {.userdata = 7};
  __wasi_filestat_t stat;
  put_file("it", "a file");
  result("open", open_at(ROOT, "it", 0, BOTH_RIGHTS, &fd));
  if (strcmp(where, "whence") == 0) result(where, __wasi_fd_seek(fd, 0, 3, &at));
  if (strcmp(where, "advice") == 0) result(where, __wasi_fd_advise(fd, 0, 10, 99));
  if (strcmp(where, "fdflags") == 0) result(where, __wasi_fd_fdstat_set_flags(fd, 0x80));
  if (strcmp(where, "open fdflags") == 0) result(where, __wasi_path_open(ROOT, 0, "it", 0, READ_RIGHTS, 0, 0x80, &other));
  if (strcmp(where, "oflags") == 0) result(where, __wasi_path_open(ROOT, 0, "it", 0x10, READ_RIGHTS, 0, 0, &other));
  if (strcmp(where, "lookup") == 0) result(where, __wasi_path_filestat_get(ROOT, 2, "it", &stat));
  if (strcmp(where, "rights") == 0) result(where, __wasi_path_open(ROOT, 0, "it", 0, READ_RIGHTS | (1ull << 40), 1ull << 50, 0, &other));
  if (strcmp(where, "fstflags") == 0) result(where, __wasi_fd_filestat_set_times(fd, 0, 0, 0x10));
  if (strcmp(where, "clock") == 0) result(where, __wasi_clock_time_get(9, 0, &time));
  if (strcmp(where, "resolution") == 0) result(where, __wasi_clock_res_get(9, &time));
  if (strcmp(where, "nothing to poll") == 0) result(where, __wasi_poll_oneoff(&wish, &event, 0, &got));
  wish.u.u.clock.id = 9;
  if (strcmp(where, "polled clock") == 0) outcome(where, __wasi_poll_oneoff(&wish, &event, 1, &got), event.error);
  wish.u.tag = 9;
  if (strcmp(where, "event type") == 0) outcome(where, __wasi_poll_oneoff(&wish, &event, 1, &got), event.error);
  if (strcmp(where, "pointer") == 0) result(where, __wasi_path_filestat_get(ROOT, 0, "it", (void *)0xfffffff0));
  if (strcmp(where, "odd pointer") == 0) result(where, __wasi_path_filestat_get(ROOT, 0, "it", (void *)((char *)&stat + 1)));
  if (strcmp(where, "length") == 0) result(where, __wasi_random_get((uint8_t *)&stat, 0xffffff00));
  if (strcmp(where, "count of pieces") == 0) result(where, __wasi_fd_write(1, (void *)&stat, 0x20000000, &got));
  return 0;
}
