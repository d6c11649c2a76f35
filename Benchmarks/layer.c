// The products of one layer of TinyLlama's shape, as a prompt makes them: what each kind takes, and a
// digest of all results. Benchmarks/layer.sh builds and runs it.
#include <stdio.h>
#include <time.h>

#include "../Tests/KernelDigests/matrices.h"

enum { PROMPT = 96, HIDDEN = 2048, PROJECTED = 2560, HEADS = 32, HEAD = 64, FFN = 5632, BLOCK = 256 };
enum { BLOCKS = FFN / BLOCK };

static const format_facts *format;

// What some matrices are multiplied with.
typedef struct input {
  shoal_part parts[MOST_PARTS];
  int part_count, columns;
  shoal_activations activations;
} input;

static input *make_input(int first, int columns) {
  input *i = zeroed(sizeof *i);
  i->columns = columns;
  const int32_t records = cut(first, columns, i->parts, &i->part_count);
  float *values = zeroed((int64_t)PROMPT * columns * 4);
  for (int n = 0; n < PROMPT * columns; ++n) values[n] = (float)(int32_t)next_bits() * 0x1p-30f;
  i->activations = (shoal_activations){values, zeroed((int64_t)PROMPT * records), columns, records};
  return i;
}

static shoal_product make_product(const input *i, int first, int rows, shoal_output output) {
  return (shoal_product){make_matrix(format, first, i->columns, rows, i->parts, i->part_count),
                         i->activations, output};
}

static uint64_t mixed(uint64_t digest, const void *bytes, int64_t count) {
  const uint64_t *words = bytes;
  for (int64_t i = 0; i < count / 8; ++i) digest = (digest ^ words[i]) * 0x100000001B3u;
  return digest;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

// A call that takes less than a millisecond, so that some run of it is not disturbed.
enum kind { PROJECTION, BACK, EXPANSION, CONTRACTION, KINDS };
typedef struct piece {
  enum kind kind;
  const shoal_product *products;
  int count, first, end;
  double best;
} piece;

enum { MOST_PIECES = 128, PIECE_GROUPS = 16 };
static piece pieces[MOST_PIECES];
static int piece_count;

static void add_pieces(enum kind kind, const shoal_product *products, int count) {
  const int groups = products->matrix.rows / ROWS_A_GROUP;
  for (int first = 0; first < groups; first += PIECE_GROUPS) {
    pieces[piece_count++] = (piece){kind, products, count, first, first + PIECE_GROUPS, 1e9};
  }
}

static void keep_best(double *best, double start) {
  const double taken = now() - start;
  if (taken < *best) *best = taken;
}

int main(int count, char **arguments) {
  const int path = count > 1 ? atoi(arguments[1]) : SHOAL_AVX512;
  const int runs = count > 3 ? atoi(arguments[3]) : 40;
  for (int n = 0; n < COUNT(formats); ++n) {
    if (count > 2 && strcmp(formats[n].name, arguments[2]) == 0) format = formats + n;
  }
  if (!format || runs < 1 || !shoal_path_available(path)) return 2;

  float *projected = zeroed((int64_t)PROMPT * PROJECTED * 4);
  float *gate = zeroed((int64_t)PROMPT * FFN * 4), *up = zeroed((int64_t)PROMPT * FFN * 4);
  int64_t *sums = zeroed((int64_t)PROMPT * HIDDEN * 8);
  const shoal_output to_sums = {.sums = sums, .stride = HIDDEN, .scale = 0x1p18f};
  input *inputs[1 + HEADS + BLOCKS] = {make_input(0, HIDDEN)};
  shoal_product back[HEADS], expansion[BLOCKS][2], contraction[BLOCKS];
  const shoal_product projection = make_product(
      inputs[0], 0, PROJECTED, (shoal_output){.values = projected, .stride = PROJECTED});
  for (int h = 0; h < HEADS; ++h) {
    inputs[1 + h] = make_input(HEAD * h, HEAD);
    back[h] = make_product(inputs[1 + h], HEAD * h, HIDDEN, to_sums);
  }
  for (int b = 0; b < BLOCKS; ++b) {
    const shoal_output to_gate = {.values = gate + BLOCK * b, .stride = FFN};
    const shoal_output to_up = {.values = up + BLOCK * b, .stride = FFN};
    expansion[b][0] = make_product(inputs[0], 0, BLOCK, to_gate);
    expansion[b][1] = make_product(inputs[0], 0, BLOCK, to_up);
    inputs[1 + HEADS + b] = make_input(BLOCK * b, BLOCK);
    contraction[b] = make_product(inputs[1 + HEADS + b], BLOCK * b, HIDDEN, to_sums);
  }

  add_pieces(PROJECTION, &projection, 1);
  add_pieces(BACK, back, HEADS);
  for (int b = 0; b < BLOCKS; ++b) add_pieces(EXPANSION, expansion[b], 2);
  add_pieces(CONTRACTION, contraction, BLOCKS);

  int flags = 0;
  double quantising = 1e9;
  for (int run = 0; run < runs; ++run) {
    memset(sums, 0, (size_t)PROMPT * HIDDEN * 8);
    const double start = now();
    for (int i = 0; i < COUNT(inputs); ++i) {
      const input *one = inputs[i];
      flags |= shoal_quantize(path, one->parts, one->part_count, one->columns, &one->activations, 0,
                              PROMPT);
    }
    keep_best(&quantising, start);
    for (piece *p = pieces; p < pieces + piece_count; ++p) {
      const double begin = now();
      flags |= shoal_multiply(path, p->products, p->count, PROMPT, p->first, p->end, NULL);
      keep_best(&p->best, begin);
    }
  }
  uint64_t digest = mixed(0xCBF29CE484222325u, sums, (int64_t)PROMPT * HIDDEN * 8);
  digest = mixed(digest, projected, (int64_t)PROMPT * PROJECTED * 4);
  digest = mixed(mixed(digest, gate, (int64_t)PROMPT * FFN * 4), up, (int64_t)PROMPT * FFN * 4);

  const char *names[] = {"queries, keys, values", "output projection", "gate and up", "down"};
  const double columns[] = {PROJECTED, HIDDEN, 2.0 * FFN, FFN};
  double all = quantising, operations = 0;
  printf("%-22s %7.2f ms\n", "quantising", 1e3 * quantising);
  for (int kind = 0; kind < KINDS; ++kind) {
    const double some = 2.0 * PROMPT * HIDDEN * columns[kind];
    double taken = 0;
    for (int p = 0; p < piece_count; ++p) taken += pieces[p].kind == kind ? pieces[p].best : 0;
    all += taken;
    operations += some;
    printf("%-22s %7.2f ms %5.0f GOP/s\n", names[kind], 1e3 * taken, some / taken * 1e-9);
  }
  printf("%-22s %7.2f ms %5.0f GOP/s, digest %016llx\n", format->name, 1e3 * all,
         operations / all * 1e-9, (unsigned long long)digest);
  return flags;
}
