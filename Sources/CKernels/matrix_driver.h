// What every instruction set's matrix loops begin with: constants, parts, records, prefetching.
//
// A path's file (matrix_avx512.c, ...) reads from top to bottom as
//   matrix_driver.h          this
//   <path>/lanes.h           `lanes`: 16 f32, one for each row of a group; sums of quads
//   <path>/<format>.h        step_<format>: what one part of one row group adds to some tokens
//   <path>/packed.h, matrix_packed.h    the same for all formats of planes and integer scales
//   matrix_formats.h         the table of formats, and the tile of each: rows x tokens in registers
//   <path>: emit, quantize_block
//   matrix_walk.h            the walk over tokens, row groups and products
// so that a format is one small file for each instruction set and one line in the table.
#include <stddef.h>

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

enum {
  ROWS = 16,
  // Tokens whose activations stay in the second-level cache while weights pass by.
  TOKEN_BLOCK = 96,
  // Row groups whose sums stay there while the products that add to them take turns.
  GROUP_BLOCK = 8,
  // Products whose units are summed in Int32 on the way: each is below 2^31 / COUNTED.
  COUNTED = 64,
  // Bytes to prefetch ahead of the weights, into the second-level cache.
  AHEAD = 16384
};

// How weights come from memory for one token. FETCHED: by prefetches, of which a core keeps as many
// under way as its first-level cache has misses. STREAMED: by the prefetcher of the second level,
// which keeps more of them, if it sees nothing but one ascending stream: so scales are read before
// the quants behind them, and nothing is prefetched. The loop must do little for each line.
// docs/NUMERICS.md, "Reading", has what was measured.
enum fetching { FETCHED, STREAMED };

typedef float row_sums[ROWS];
// The same in units, summed over some products.
typedef int32_t row_counts[ROWS];

// A row group, and where its thread goes on reading after `end`.
typedef struct weights {
  const shoal_matrix *matrix;
  const uint8_t *group;
  const uint8_t *end;
  const uint8_t *next;
  bool is_fresh;  // read for the first time: what follows is to be fetched ahead
} weights;

// Activation records of a tile's first token; those of its other tokens follow at the stride.
typedef struct token_records {
  const uint8_t *first;
  int64_t stride;
} token_records;

INLINE const shoal_record *record_at(token_records records, const shoal_part *part, int token) {
  return (const shoal_record *)(records.first + part->record + token * records.stride);
}

// Four neighbouring quants, for broadcasting.
INLINE int32_t quad_at(const shoal_record *record, int quad) {
  int32_t quants;
  __builtin_memcpy(&quants, record->quants + 4 * quad, 4);
  return quants;
}

INLINE int quads_of(const shoal_part *part) { return (part->count + 3) / 4; }
INLINE int pairs_of(const shoal_part *part) { return (part->count + 7) / 8; }

// 128 and the values that the indices of iq4_nl and iq4_xs stand for (ggml: `kvalues_iq4nl`).
static const uint8_t value_table[16] = {1,   24,  45,  63,  79,  93,  106, 118,
                                        129, 141, 153, 166, 181, 197, 217, 241};

// What the thread reads AHEAD bytes later: in these weights, or in the next.
INLINE const uint8_t *ahead_of(const weights *w, const uint8_t *place) {
  const uint8_t *ahead = place + AHEAD;
  return ahead < w->end ? ahead : w->next + (ahead - w->end);
}

// Reads one word of each line.
INLINE void read_lines(const uint8_t *place, const uint8_t *end) {
  for (; place < end; place += 64) (void)*(const volatile uint64_t *)place;
}

INLINE void prefetch(const uint8_t *place, const int lines) {
  UNROLL for (int line = 0; line < lines; ++line) {
    __builtin_prefetch(place + 64 * line, 0, 2);
  }
}
