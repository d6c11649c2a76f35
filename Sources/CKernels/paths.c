// Which instruction sets this machine runs.
#include "CKernels.h"

#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#define ASIMDDP_BIT (1UL << 20)  // HWCAP_ASIMDDP
#endif

bool shoal_path_available(int32_t path) {
#if defined(__x86_64__)
  // These ask XGETBV as well, so that a set which the system does not save counts as absent.
  __builtin_cpu_init();
  switch (path) {
    case SHOAL_AVX512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512vnni");
    case SHOAL_AVX2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
             __builtin_cpu_supports("f16c");
    default: return false;
  }
#elif defined(__aarch64__) && defined(__APPLE__)
  return path == SHOAL_NEON;  // every Apple silicon Mac has the dot product
#elif defined(__aarch64__) && defined(__linux__)
  return path == SHOAL_NEON && (getauxval(AT_HWCAP) & ASIMDDP_BIT);
#else
  (void)path;
  return false;
#endif
}
