// What the Glibc module does not export: thread names, affinity, futex, the pause instruction,
// limits, the size of a terminal, the error queue of a socket.
#ifndef SHOAL_CPLATFORM_H
#define SHOAL_CPLATFORM_H

#include <stdint.h>

/// Names the calling thread as debuggers and `top -H` show it; longer names are cut (15 bytes).
void shoal_thread_name(const char *name);

/// The number of cores this process may run on: its affinity mask, else all that are online.
int shoal_cores_allowed(void);

/// Sleeps while `*address == expected`, at most `timeout_nanoseconds` (negative: no limit).
/// May return early; the caller looks again. Only threads of this process can wake it.
void shoal_futex_wait(const void *address, uint32_t expected, int64_t timeout_nanoseconds);

/// Wakes up to `count` threads that sleep on `address`.
void shoal_futex_wake(const void *address, int count);

/// How many files and sockets this process may have open; 0 where the system does not say.
uint64_t shoal_open_files(void);

/// Lets this program have `wanted` files open, or as many as it may; how many it may now.
uint64_t shoal_raise_open_files(uint64_t wanted);

/// The columns and rows of the terminal behind a descriptor. 0, and nothing changed, where it is
/// none.
int shoal_terminal_size(int descriptor, int *columns, int *rows);

/// Asks the system to keep what it hears about datagrams that nobody took (ICMP and ICMPv6, port
/// unreachable), where it can (Linux).
void shoal_keep_refusals(int descriptor, int is_ipv6);

/// Takes one message out of a socket's error queue. 1: nobody listens at the address of `length`
/// bytes that was written to `address`; 0: it says something else; -1: the queue is empty.
int shoal_take_refusal(int descriptor, void *address, uint32_t *length);

/// Says to the core that this is a spin loop.
static inline void shoal_cpu_relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
  __asm__ __volatile__("yield");
#endif
}

#endif
