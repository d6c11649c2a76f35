// Thread names, affinity, futex and limits, for Linux and for macOS.
#define _GNU_SOURCE
#include "CPlatform.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#if defined(__linux__)
#include <linux/errqueue.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#elif defined(__APPLE__)
#include <os/os_sync_wait_on_address.h>
#endif

void shoal_thread_name(const char *name) {
  char cut[16] = {0};
  strncpy(cut, name, sizeof cut - 1);
#if defined(__APPLE__)
  pthread_setname_np(cut);
#else
  pthread_setname_np(pthread_self(), cut);
#endif
}

int shoal_terminal_size(int descriptor, int *columns, int *rows) {
  struct winsize size;
  if (ioctl(descriptor, TIOCGWINSZ, &size) != 0) return 0;
  *columns = size.ws_col;
  *rows = size.ws_row;
  return 1;
}

#if defined(__linux__)
void shoal_keep_refusals(int descriptor, int is_ipv6) {
  const int yes = 1;
  setsockopt(descriptor, is_ipv6 ? IPPROTO_IPV6 : IPPROTO_IP, is_ipv6 ? IPV6_RECVERR : IP_RECVERR,
             &yes, sizeof yes);
}

int shoal_take_refusal(int descriptor, void *address, uint32_t *length) {
  _Alignas(struct cmsghdr) char control[512];
  struct msghdr message = {
      .msg_name = address, .msg_namelen = *length, .msg_control = control,
      .msg_controllen = sizeof control};
  if (recvmsg(descriptor, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return -1;
  *length = message.msg_namelen;
  for (struct cmsghdr *part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
    const int is_error = (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_RECVERR) ||
                         (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_RECVERR);
    if (!is_error) continue;
    struct sock_extended_err error;
    memcpy(&error, CMSG_DATA(part), sizeof error);
    return error.ee_errno == ECONNREFUSED && error.ee_origin != SO_EE_ORIGIN_LOCAL;
  }
  return 0;
}
#else
void shoal_keep_refusals(int descriptor, int is_ipv6) { (void)descriptor, (void)is_ipv6; }

int shoal_take_refusal(int descriptor, void *address, uint32_t *length) {
  (void)descriptor, (void)address, (void)length;
  return -1;
}
#endif

uint64_t shoal_open_files(void) {
  struct rlimit limit;
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? (uint64_t)limit.rlim_cur : 0;
}

uint64_t shoal_raise_open_files(uint64_t wanted) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  rlim_t target = limit.rlim_max < (rlim_t)wanted ? limit.rlim_max : (rlim_t)wanted;
  if (limit.rlim_cur >= target) return (uint64_t)limit.rlim_cur;
  limit.rlim_cur = target;
  return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? (uint64_t)target : shoal_open_files();
}

int shoal_cores_allowed(void) {
#if defined(__linux__)
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) return CPU_COUNT(&allowed);
#endif
  long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? (int)online : 1;
}

void shoal_futex_wait(const void *address, uint32_t expected, int64_t timeout_nanoseconds) {
#if defined(__linux__)
  struct timespec limit = {
      .tv_sec = timeout_nanoseconds / 1000000000, .tv_nsec = timeout_nanoseconds % 1000000000};
  syscall(SYS_futex, address, FUTEX_WAIT_PRIVATE, expected,
          timeout_nanoseconds < 0 ? NULL : &limit, NULL, 0);
#elif defined(__APPLE__)
  if (timeout_nanoseconds < 0)
    os_sync_wait_on_address((void *)address, expected, 4, OS_SYNC_WAIT_ON_ADDRESS_NONE);
  else
    os_sync_wait_on_address_with_timeout((void *)address, expected, 4,
                                         OS_SYNC_WAIT_ON_ADDRESS_NONE, OS_CLOCK_MACH_ABSOLUTE_TIME,
                                         (uint64_t)timeout_nanoseconds);
#endif
}

void shoal_futex_wake(const void *address, int count) {
#if defined(__linux__)
  syscall(SYS_futex, address, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
#elif defined(__APPLE__)
  if (count == 1)
    os_sync_wake_by_address_any((void *)address, 4, OS_SYNC_WAKE_BY_ADDRESS_NONE);
  else
    os_sync_wake_by_address_all((void *)address, 4, OS_SYNC_WAKE_BY_ADDRESS_NONE);
#endif
}
