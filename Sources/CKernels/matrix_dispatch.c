// Sends a call to the loops of one instruction set.
#include "matrix.h"

#define PATH(name)                                                                     \
  int32_t shoal_multiply_##name(const shoal_product *, int32_t, int32_t, int32_t, int32_t, \
                                const void *);                                       \
  int32_t shoal_quantize_##name(const shoal_part *, int32_t, int32_t,                  \
                                const shoal_activations *, int32_t, int32_t);

#if defined(__x86_64__)
PATH(avx512)
PATH(avx2)
#elif defined(__aarch64__)
PATH(neon)
#endif

int32_t shoal_multiply(int32_t path, const shoal_product *products, int32_t count, int32_t tokens,
                       int32_t first_group, int32_t end_group, const void *next) {
  switch (path) {
#if defined(__x86_64__)
    case SHOAL_AVX512:
      return shoal_multiply_avx512(products, count, tokens, first_group, end_group, next);
    case SHOAL_AVX2:
      return shoal_multiply_avx2(products, count, tokens, first_group, end_group, next);
#elif defined(__aarch64__)
    case SHOAL_NEON:
      return shoal_multiply_neon(products, count, tokens, first_group, end_group, next);
#endif
    default: return SHOAL_NOT_BUILT;
  }
}

int32_t shoal_quantize(int32_t path, const shoal_part *parts, int32_t part_count, int32_t columns,
                       const shoal_activations *activations, int32_t first_token,
                       int32_t end_token) {
  switch (path) {
#if defined(__x86_64__)
    case SHOAL_AVX512:
      return shoal_quantize_avx512(parts, part_count, columns, activations, first_token,
                                   end_token);
    case SHOAL_AVX2:
      return shoal_quantize_avx2(parts, part_count, columns, activations, first_token, end_token);
#elif defined(__aarch64__)
    case SHOAL_NEON:
      return shoal_quantize_neon(parts, part_count, columns, activations, first_token, end_token);
#endif
    default: return SHOAL_NOT_BUILT;
  }
}
