// The walk over tokens and row groups that every instruction set shares. A path's file defines
//   TOKENS                                              tokens of its largest tile
//   tile(matrix, group, input, first, tokens, sums)     products of one row group, `sums[t][16]`
//   emit(output, token, row, rows, sums)                stores or rounds 16 of them
// and includes this. Order: a block of tokens that fits the second-level cache, then row groups,
// then tiles, so that weights come from memory once per block of tokens.
#include <stddef.h>

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

// AHEAD: bytes to prefetch ahead of a line of weights. Hardware stops at each page; measured 1.2
// (8-bit) and 1.5 (4-bit) times the rate without, with one token.
enum { ROWS = 16, TOKEN_BLOCK = 96, AHEAD = 4096 };

typedef float row_sums[ROWS];

// The part's record of the first token of a tile; those of its other tokens follow at a stride.
INLINE const shoal_record *record_at(const uint8_t *records, const shoal_part *part,
                                     int64_t stride, int token) {
  return (const shoal_record *)(records + part->record + token * stride);
}

// Four neighbouring quants, for broadcasting.
INLINE int32_t quad_at(const shoal_record *record, int quad) {
  int32_t quants;
  __builtin_memcpy(&quants, record->quants + 4 * quad, 4);
  return quants;
}

INLINE int quads_of(const shoal_part *part) { return (part->count + 3) / 4; }
INLINE int pairs_of(const shoal_part *part) { return (part->count + 7) / 8; }

// Spreads 32 quants over the records of the block's parts [part, ...); returns the next part.
INLINE int place_quants(const shoal_part *parts, int part_count, int part, uint8_t *records,
                        float scale, const int8_t *quants) {
  const int block = parts[part].block;
  for (; part < part_count && parts[part].block == block; ++part) {
    shoal_record *record = (shoal_record *)(records + parts[part].record);
    const int first = parts[part].column % 32, count = parts[part].count;
    int32_t sum = 0;
    for (int i = 0; i < 8 * pairs_of(&parts[part]); ++i) {
      const int8_t quant = i < count ? quants[first + i] : 0;
      record->quants[i] = quant;
      sum += quant;
    }
    record->scale = scale;
    record->sum = sum;
  }
  return part;
}

// Scale and inverse of a block whose largest magnitude has these bits (docs/NUMERICS.md).
INLINE int32_t block_scale(uint32_t largest_bits, float *scale, float *inverse) {
  float largest;
  __builtin_memcpy(&largest, &largest_bits, 4);
  *scale = *inverse = 0;
  if (largest_bits >= 0x7F800000u) return SHOAL_OUT_OF_RANGE;
  const float candidate = largest / 127.0f;
  if (candidate >= 0x1p-126f) {
    *scale = candidate;
    *inverse = 127.0f / largest;
  }
  return SHOAL_FINE;
}
