// canon-1's row functions for AVX2 with FMA and F16C.
#include "canon.h"

#if defined(__x86_64__)
#define CANON_TARGET "avx2,fma,f16c"
#define CANON_WIDE 1
#include "canon_body.h"
const struct shoal_canon *shoal_canon_avx2(void) { return &table; }
#else
const struct shoal_canon *shoal_canon_avx2(void) { return NULL; }
#endif
