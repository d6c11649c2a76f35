// Counts heap allocations by the name of the thread that makes them, in a file that can be read
// while the program runs. Preloaded by allocations.sh; glibc only.
//
//   cc -O2 -shared -fPIC -o count.so count.c
//   ALLOCATIONS=counts.bin LD_PRELOAD=./count.so program
//   ALLOCATIONS_TRACE=rank ALLOCATIONS_STACKS=stacks.txt ...   also the stacks of that thread
//
// The file is a table of 64 rows: 16 bytes of name, then a 64-bit count.
#define _GNU_SOURCE
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

enum { rows = 64, depth = 24 };
struct row {
  char name[16];
  _Atomic uint64_t count;
};
static struct row *table;
static const char *traced;
static int stacks = -1;
static _Atomic int lock;
static __thread int inside;

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("ALLOCATIONS");
  int file = path ? open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644) : -1;
  if (file < 0 || ftruncate(file, rows * sizeof(struct row))) return;
  void *map = mmap(NULL, rows * sizeof(struct row), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  const char *trace = getenv("ALLOCATIONS_STACKS");
  if (trace) {
    void *warm[1];
    backtrace(warm, 1);
    stacks = open(trace, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_APPEND, 0644);
    traced = getenv("ALLOCATIONS_TRACE");
  }
  if (map != MAP_FAILED) table = map;
}

// The row of a name; the last one takes all that find no room.
static struct row *row_of(const char *name) {
  for (int i = 0; i < rows; i++) {
    if (!memcmp(table[i].name, name, 16)) return &table[i];
    if (table[i].name[0]) continue;
    while (atomic_exchange(&lock, 1)) {}
    if (!table[i].name[0]) memcpy(table[i].name, name, 16);
    atomic_store(&lock, 0);
    if (!memcmp(table[i].name, name, 16)) return &table[i];
  }
  return &table[rows - 1];
}

static void count(void) {
  if (!table || inside) return;
  inside = 1;
  int saved = errno;
  char name[16] = {0};
  prctl(PR_GET_NAME, name);
  atomic_fetch_add_explicit(&row_of(name)->count, 1, memory_order_relaxed);
  if (stacks >= 0 && traced && !strncmp(name, traced, strlen(traced))) {
    void *frames[depth];
    int found = backtrace(frames, depth);
    while (atomic_exchange(&lock, 1)) {}
    backtrace_symbols_fd(frames + 2, found - 2, stacks);
    if (write(stacks, "\n", 1) < 0) stacks = -1;
    atomic_store(&lock, 0);
  }
  errno = saved;
  inside = 0;
}

void *malloc(size_t size) {
  count();
  return __libc_malloc(size);
}
void *calloc(size_t n, size_t size) {
  count();
  return __libc_calloc(n, size);
}
void *realloc(void *old, size_t size) {
  count();
  return __libc_realloc(old, size);
}
void *memalign(size_t alignment, size_t size) {
  count();
  return __libc_memalign(alignment, size);
}
void *aligned_alloc(size_t alignment, size_t size) {
  count();
  return __libc_memalign(alignment, size);
}
int posix_memalign(void **result, size_t alignment, size_t size) {
  count();
  void *memory = __libc_memalign(alignment, size);
  if (!memory) return ENOMEM;
  *result = memory;
  return 0;
}
