// Row functions and attention of canon-1, one table of functions for each instruction set.
// Definitions: Sources/ShoalInference/Numerics (plain Swift, the same bits).
#ifndef SHOAL_CANON_H
#define SHOAL_CANON_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// In the order of Activation in Kernels+Rows.swift.
enum shoal_activation {
  SHOAL_SILU = 0,
  SHOAL_GELU_ERF = 1,
  SHOAL_GELU_TANH = 2,
  SHOAL_SOFTPLUS = 3,
  SHOAL_RELU = 4,
};

// One head of one token, which sees positions first..<last of a chunk, 0 <= first < last <= 64.
// State as in Attention.swift.
struct shoal_query {
  const float *_Nonnull query;
  float *_Nonnull state;
  int32_t first;
  int32_t last;
};

// Rows of `count` floats. `out` may be an input; nothing else may overlap.
struct shoal_canon {
  void (*_Nonnull exp)(const float *_Nonnull x, ptrdiff_t count, float *_Nonnull out);
  // out = act(x), times `up` unless that is null.
  void (*_Nonnull activate)(uint8_t activation, const float *_Nonnull x, const float *_Nullable up,
                            ptrdiff_t count, float *_Nonnull out);
  void (*_Nonnull rms_norm)(const float *_Nonnull x, const float *_Nonnull weight, float epsilon,
                            ptrdiff_t count, float *_Nonnull out);
  void (*_Nonnull layer_norm)(const float *_Nonnull x, const float *_Nonnull weight,
                              const float *_Nonnull bias, float epsilon, ptrdiff_t count,
                              float *_Nonnull out);
  // Whether every |sum| is within 2^44.
  bool (*_Nonnull add_residual)(float *_Nonnull x, const int64_t *_Nonnull sum, float unit,
                                const float *_Nullable bias, ptrdiff_t count);
  // NaN where any is NaN.
  float (*_Nonnull maximum)(const float *_Nonnull x, ptrdiff_t count);
  float (*_Nonnull sum_exp)(const float *_Nonnull x, float origin, ptrdiff_t count);
  // Of `count` bytes, a multiple of 64, as 32-bit words: how fast memory can be read.
  uint32_t (*_Nonnull sum_words)(const void *_Nonnull bytes, ptrdiff_t count);
  // row: cosines, then sines, `pairs` each.
  void (*_Nonnull rotate_interleaved)(float *_Nonnull x, const float *_Nonnull row,
                                      ptrdiff_t pairs);
  void (*_Nonnull rotate_halves)(float *_Nonnull x, const float *_Nonnull row, ptrdiff_t pairs);
  // One chunk of 64 positions. keys (head_dim, 64), values (64, head_dim rounded up to 16), f16
  // or f32.
  void (*_Nonnull attend_f16)(const struct shoal_query *_Nonnull queries, ptrdiff_t count,
                              const void *_Nonnull keys, const void *_Nonnull values,
                              ptrdiff_t head_dim, float scale, float soft_cap);
  void (*_Nonnull attend_f32)(const struct shoal_query *_Nonnull queries, ptrdiff_t count,
                              const void *_Nonnull keys, const void *_Nonnull values,
                              ptrdiff_t head_dim, float scale, float soft_cap);
};

// Null where this build has no such code. Whether the machine can run it: shoal_path_available.
const struct shoal_canon *_Nullable shoal_canon_avx512(void);
const struct shoal_canon *_Nullable shoal_canon_avx2(void);
const struct shoal_canon *_Nullable shoal_canon_neon(void);

#endif
