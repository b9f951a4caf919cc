/* Clocks, poll, random bytes, yielding: nothing of their values, only what must hold of them. */
#include "report.h"

static void clock_of(const char *name, unsigned id) {
  __wasi_timestamp_t now = 0, later = 0, resolution = 0;
  say(name);
  say(": ");
  say_errno(__wasi_clock_time_get(id, 1, &now));
  say(", again ");
  say_errno(__wasi_clock_time_get(id, 0, &later));
  say(later >= now ? " not before" : " before");
  say(", resolution ");
  say_errno(__wasi_clock_res_get(id, &resolution));
  say(resolution > 0 ? " some\n" : " none\n");
}

static __wasi_subscription_t in_time(unsigned clock, uint64_t nanoseconds, unsigned flags) {
  __wasi_subscription_t wish = {.userdata = 100 + nanoseconds};
  wish.u.tag = __WASI_EVENTTYPE_CLOCK;
  wish.u.u.clock.id = clock;
  wish.u.u.clock.timeout = nanoseconds;
  wish.u.u.clock.flags = flags;
  return wish;
}

static __wasi_subscription_t ready(unsigned tag, int fd) {
  __wasi_subscription_t wish = {.userdata = 10 * tag + fd};
  wish.u.tag = tag;
  wish.u.u.fd_read.file_descriptor = fd;
  return wish;
}

static void poll(const char *key, const __wasi_subscription_t *wishes, size_t count) {
  __wasi_event_t events[4];
  __wasi_size_t got = 0;
  __wasi_errno_t error = __wasi_poll_oneoff(wishes, events, count, &got);
  outcome(key, error, got);
  for (size_t i = 0; error == 0 && i < got; i++) {
    say("event of ");
    say(key);
    say(", ");
    say_number(events[i].userdata);
    say(": type ");
    say_number(events[i].type);
    say(" ");
    say_errno(events[i].error);
    say("\n");
  }
}

static void random_of(const char *key, size_t length) {
  static uint8_t bytes[4096];
  unsigned ones = 0;
  memset(bytes, 0, sizeof bytes);
  __wasi_errno_t error = __wasi_random_get(bytes, length);
  for (size_t i = 0; i < sizeof bytes; i++) ones += __builtin_popcount(bytes[i]);
  say(key);
  say(": ");
  say_errno(error);
  say(length == 0 ? (ones == 0 ? " untouched\n" : " touched\n") : ones > 2 * length && ones < 6 * length ? " like chance\n" : " not like chance\n");
}

int main(void) {
  __wasi_subscription_t wishes[3];
  __wasi_timestamp_t before, after;
  clock_of("realtime", __WASI_CLOCKID_REALTIME);
  clock_of("monotonic", __WASI_CLOCKID_MONOTONIC);
  clock_of("of the process", __WASI_CLOCKID_PROCESS_CPUTIME_ID);
  clock_of("of the thread", __WASI_CLOCKID_THREAD_CPUTIME_ID);
  wishes[0] = in_time(__WASI_CLOCKID_MONOTONIC, 1000000, 0);
  __wasi_clock_time_get(__WASI_CLOCKID_MONOTONIC, 0, &before);
  poll("a millisecond", wishes, 1);
  __wasi_clock_time_get(__WASI_CLOCKID_MONOTONIC, 0, &after);
  value("it has gone by", after - before >= 1000000);
  wishes[0] = in_time(__WASI_CLOCKID_REALTIME, 1000, 0);
  poll("by the other clock", wishes, 1);
  wishes[0] = in_time(__WASI_CLOCKID_MONOTONIC, 1, __WASI_SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME);
  poll("a time long gone", wishes, 1);
  wishes[0] = ready(__WASI_EVENTTYPE_FD_WRITE, 1);
  wishes[1] = in_time(__WASI_CLOCKID_MONOTONIC, 60000000000, 0);
  poll("stdout or a minute", wishes, 2);
  wishes[1] = ready(__WASI_EVENTTYPE_FD_WRITE, 2);
  poll("stdout and stderr", wishes, 2);
  wishes[0] = ready(__WASI_EVENTTYPE_FD_READ, 99);
  poll("a descriptor that is not open", wishes, 1);
  random_of("no random bytes", 0);
  random_of("one random kilobyte", 1024);
  random_of("four random kilobytes", 4096);
  result("yield", __wasi_sched_yield());
  return 0;
}
