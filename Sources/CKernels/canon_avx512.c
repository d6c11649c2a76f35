// canon-1's row functions for AVX-512.
#include "canon.h"

#if defined(__x86_64__)
#define CANON_TARGET "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c"
#define CANON_WIDE 4
#include "canon_body.h"
const struct shoal_canon *shoal_canon_avx512(void) { return &table; }
#else
const struct shoal_canon *shoal_canon_avx512(void) { return NULL; }
#endif
