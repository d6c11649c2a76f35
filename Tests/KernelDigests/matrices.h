// Matrices of random bits in every weight format, laid out as MatrixShape.swift says, for programs in
// C. Every bit pattern is a weight; f16 and bf16 numbers are kept finite.
#include <stdlib.h>
#include <string.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "matrix.h"

#define COUNT(list) ((int)(sizeof(list) / sizeof(*(list))))
enum { ROWS_A_GROUP = 16, MOST_PARTS = 256 };

// Format, planes, bytes of f16 for 16 rows, columns that share them (0: a float format, whose values
// they are), bytes of integer scales of a part. WeightPacking.swift's table.
typedef struct format_facts {
  const char *name;
  int number, first, second, float_bytes, float_columns, integer_bytes;
} format_facts;

static const format_facts formats[] = {
    {"f32", SHOAL_F32, 0, 0, 64, 0, 0},       {"f16", SHOAL_F16, 0, 0, 32, 0, 0},
    {"bf16", SHOAL_BF16, 0, 0, 32, 0, 0},     {"q4_0", SHOAL_Q4_0, 4, 0, 32, 32, 0},
    {"q4_1", SHOAL_Q4_1, 4, 0, 64, 32, 0},    {"q5_0", SHOAL_Q5_0, 4, 1, 32, 32, 0},
    {"q5_1", SHOAL_Q5_1, 4, 1, 64, 32, 0},    {"q8_0", SHOAL_Q8_0, 8, 0, 32, 32, 0},
    {"q2_K", SHOAL_Q2_K, 2, 0, 64, 256, 32},  {"q3_K", SHOAL_Q3_K, 2, 1, 32, 256, 32},
    {"q4_K", SHOAL_Q4_K, 4, 0, 64, 256, 32},  {"q5_K", SHOAL_Q5_K, 4, 1, 64, 256, 32},
    {"q6_K", SHOAL_Q6_K, 4, 2, 32, 256, 32},  {"iq4_nl", SHOAL_IQ4_NL, 4, 0, 32, 32, 0},
    {"iq4_xs", SHOAL_IQ4_XS, 4, 0, 32, 256, 16},
};

static uint64_t state;
static uint64_t next_bits(void) {  // SplitMix64
  uint64_t z = state += 0x9E3779B97F4A7C15u;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return z ^ z >> 31;
}

static int lines(int quads, int bits) { return (quads * bits + 7) / 8; }
static int64_t rounded_up(int64_t bytes) { return (bytes + 63) / 64 * 64; }
// In pages of 2 MiB where there are so many bytes, as the product keeps its weights.
static void *zeroed(int64_t bytes) {
  enum { LARGE = 2 << 20 };
  const bool is_large = bytes >= LARGE;
  if (is_large) bytes = (bytes + LARGE - 1) / LARGE * LARGE;
  void *memory = aligned_alloc(is_large ? LARGE : 64, (size_t)rounded_up(bytes));
  if (!memory) exit(2);
#if defined(__linux__)
  if (is_large) madvise(memory, (size_t)bytes, MADV_HUGEPAGE);
#endif
  return memset(memory, 0, (size_t)rounded_up(bytes));
}

// ColumnParts.swift. Returns the bytes of a token's records.
static int32_t cut(int first, int count, shoal_part *parts, int *part_count) {
  int32_t record = 0;
  int column = 0, n = 0;
  while (column < count) {
    const int weight = 32 - (first + column) % 32, activation = 32 - column % 32;
    int width = weight < activation ? weight : activation;
    if (width > count - column) width = count - column;
    const int half = 16 - (first + column) % 16;
    parts[n++] = (shoal_part){column, (int16_t)width, (int16_t)(half < width ? half : width),
                              column / 32, record};
    record += (int32_t)sizeof(shoal_record) + (width + 7) / 8 * 8;
    column += width;
  }
  *part_count = n;
  return record;
}

static shoal_matrix make_matrix(const format_facts *f, int first, int count, int rows,
                                const shoal_part *parts, int part_count) {
  shoal_matrix m = {.parts = parts, .part_count = part_count, .columns = count, .rows = rows,
                    .format = f->number, .super_phase = first % 256};
  const int64_t halves = f->float_columns == 0    ? count
                         : f->float_columns == 32 ? part_count
                                                  : (first % 256 + count + 255) / 256;
  m.integers_offset = rounded_up(halves * f->float_bytes);
  m.quants_offset = m.integers_offset + rounded_up((int64_t)part_count * f->integer_bytes);
  m.group_stride = m.quants_offset;
  for (int p = 0; p < part_count && f->float_columns; ++p) {
    const int quads = (parts[p].count + 3) / 4;
    m.group_stride += 64 * (lines(quads, f->first) + lines(quads, f->second));
  }
  const int groups = (rows + ROWS_A_GROUP - 1) / ROWS_A_GROUP;
  uint8_t *bytes = zeroed(groups * m.group_stride);
  for (int64_t i = 0; i < groups * m.group_stride; ++i) bytes[i] = (uint8_t)(next_bits() >> 56);
  for (int g = 0; g < groups; ++g) {
    uint8_t *floats = bytes + g * m.group_stride;
    for (int64_t i = 0; i < halves * f->float_bytes; i += 4) {
      const uint64_t random = next_bits();
      uint32_t value;
      const float plain = (float)(int32_t)random * 0x1p-31f;
      if (f->number == SHOAL_F32) memcpy(&value, &plain, 4);
      // Two f16 in 2^-8 ..< 2^-4, or two bf16 in 2^-10 ..< 2^-2, of either sign.
      else if (f->number == SHOAL_BF16) value = ((uint32_t)random & 0x83FF83FF) + 0x3A803A80;
      else value = ((uint32_t)random & 0x8FFF8FFF) + 0x1C001C00;
      memcpy(floats + i, &value, 4);
    }
  }
  m.groups = bytes;
  return m;
}
