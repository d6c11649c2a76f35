// canon-1's row functions for AArch64, whose base has fused multiply-add and half conversions.
#include "canon.h"

#if defined(__aarch64__)
#define CANON_WIDE 1
#include "canon_body.h"
const struct shoal_canon *shoal_canon_neon(void) { return &table; }
#else
const struct shoal_canon *shoal_canon_neon(void) { return NULL; }
#endif
