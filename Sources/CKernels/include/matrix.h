// Products over packed weights (layout "R16C4", docs/NUMERICS.md): what crosses from Swift to C.
#ifndef SHOAL_MATRIX_H
#define SHOAL_MATRIX_H
#include <stdbool.h>
#include <stdint.h>

// The instruction sets that have loops of their own.
enum shoal_path { SHOAL_AVX512 = 0, SHOAL_AVX2 = 1, SHOAL_NEON = 2 };

// Formats by their GGUF tensor type number.
enum shoal_format {
  SHOAL_F32 = 0,
  SHOAL_F16 = 1,
  SHOAL_Q4_0 = 2,
  SHOAL_Q4_1 = 3,
  SHOAL_Q5_0 = 6,
  SHOAL_Q5_1 = 7,
  SHOAL_Q8_0 = 8,
  SHOAL_Q2_K = 10,
  SHOAL_Q3_K = 11,
  SHOAL_Q4_K = 12,
  SHOAL_Q5_K = 13,
  SHOAL_Q6_K = 14,
  SHOAL_IQ4_NL = 20,
  SHOAL_IQ4_XS = 23,
  SHOAL_BF16 = 30
};

// What a call reports; never silent.
enum shoal_flag { SHOAL_FINE = 0, SHOAL_OUT_OF_RANGE = 1, SHOAL_NOT_BUILT = 2 };

// At most 32 columns that share one weight scale and one activation scale.
typedef struct shoal_part {
  int32_t column;  // first column, from the matrix's own first
  int16_t count;   // 1...32
  int16_t split;   // columns before the weight row's next multiple of 16
  int32_t block;   // activation block: columns 32 * block and up
  int32_t record;  // byte offset of the part's activation record in a token's records
} shoal_part;

// A quantised part of one token's activations; `quants` is padded with zeros to 8.
typedef struct shoal_record {
  float scale;
  int16_t sum;        // of the quants
  int16_t first_sum;  // of those before the part's split
  int8_t quants[];
} shoal_record;

// Packed weights: groups of 16 rows, each `group_stride` bytes.
typedef struct shoal_matrix {
  const uint8_t *groups;
  const shoal_part *parts;
  int64_t group_stride;
  int64_t integers_offset;  // bytes of f16 scales at the head of a group
  int64_t quants_offset;    // bytes of all scales at the head of a group
  int32_t part_count;
  int32_t columns;
  int32_t rows;
  int32_t format;
  int32_t super_phase;  // how far into a super-block of 256 the columns begin
} shoal_matrix;

// (tokens, columns) as f32 and, once quantised, (tokens, records).
typedef struct shoal_activations {
  const float *values;
  uint8_t *records;
  int64_t value_stride;   // floats
  int64_t record_stride;  // bytes
} shoal_activations;

// (tokens, rows): either f32 products, or Int64 sums that `acc * scale`, rounded, is added to.
typedef struct shoal_output {
  float *values;
  int64_t *sums;
  int64_t stride;  // elements
  float scale;     // 2^fraction bits; used with sums
} shoal_output;

// Whether this build and this machine (its operating system included) run `path`.
bool shoal_path_available(int32_t path);

// One matrix, what it is multiplied with, and where that goes.
typedef struct shoal_product {
  shoal_matrix matrix;
  shoal_activations input;
  shoal_output output;
} shoal_product;

// Rows of the groups [first_group, end_group), which all the matrices have, of each product in turn
// for tokens [0, tokens). `next`, or null, is where the thread will read on: its first bytes are
// fetched meanwhile. Returns shoal_flags; with SHOAL_NOT_BUILT nothing was done.
int32_t shoal_multiply(int32_t path, const shoal_product *products, int32_t count, int32_t tokens,
                       int32_t first_group, int32_t end_group, const void *next);

// Fills the records of tokens [first_token, end_token) from their values. Returns shoal_flags.
int32_t shoal_quantize(int32_t path, const shoal_part *parts, int32_t part_count, int32_t columns,
                       const shoal_activations *activations, int32_t first_token,
                       int32_t end_token);
#endif
