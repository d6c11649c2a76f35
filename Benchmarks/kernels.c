// Rates of the matrix loops alone, for each weight format: GB of packed weights a second with one
// token, G operations a second with a batch. Benchmarks/kernels.sh builds and runs it.
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "../Tests/KernelDigests/matrices.h"

// More than a third-level cache holds with one token, as little as a layer has with a batch.
enum { COLUMNS = 4096, ONE_TOKEN_BYTES = 96 << 20, BATCH = 128, BATCH_ROWS = 1024 };

typedef struct piece {
  const shoal_product *product;
  int path, tokens, first, end;
} piece;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void *multiply(void *argument) {
  const piece *p = argument;
  shoal_multiply(p->path, p->product, 1, p->tokens, p->first, p->end, NULL);
  return NULL;
}

// The best of five: seconds for all row groups, split between threads.
static double fastest(const shoal_product *product, int path, int tokens, int threads) {
  const int groups = product->matrix.rows / ROWS_A_GROUP;
  double best = 1e9;
  for (int run = 0; run < 5; ++run) {
    pthread_t thread[16];
    piece pieces[16];
    const double start = now();
    for (int t = 0; t < threads; ++t) {
      pieces[t] = (piece){product, path, tokens, groups * t / threads, groups * (t + 1) / threads};
      if (t > 0) pthread_create(&thread[t], NULL, multiply, &pieces[t]);
    }
    multiply(&pieces[0]);
    for (int t = 1; t < threads; ++t) pthread_join(thread[t], NULL);
    const double seconds = now() - start;
    if (seconds < best) best = seconds;
  }
  return best;
}

static void measure(const format_facts *f, int path, int threads) {
  shoal_part parts[MOST_PARTS];
  int part_count;
  const int32_t records = cut(0, COLUMNS, parts, &part_count);
  float *values = zeroed((int64_t)BATCH * COLUMNS * 4);
  for (int i = 0; i < BATCH * COLUMNS; ++i) values[i] = (float)(int32_t)next_bits() * 0x1p-28f;
  shoal_product product = {.matrix = make_matrix(f, 0, COLUMNS, ROWS_A_GROUP, parts, part_count)};
  const int64_t stride = product.matrix.group_stride;
  free((void *)product.matrix.groups);
  const int rows = (int)(ONE_TOKEN_BYTES / stride) * ROWS_A_GROUP;
  product.matrix = make_matrix(f, 0, COLUMNS, rows, parts, part_count);
  product.input = (shoal_activations){values, zeroed((int64_t)BATCH * records), COLUMNS, records};
  shoal_quantize(path, parts, part_count, COLUMNS, &product.input, 0, BATCH);
  product.output = (shoal_output){.values = zeroed((int64_t)BATCH * rows * 4), .stride = rows};
  const double one = fastest(&product, path, 1, threads);
  product.matrix.rows = BATCH_ROWS;
  const double batch = fastest(&product, path, BATCH, threads);
  printf("| %-6s | %5.1f | %5.0f |\n", f->name,
         (double)(stride * (rows / ROWS_A_GROUP)) / one * 1e-9,
         2.0 * BATCH * BATCH_ROWS * COLUMNS / batch * 1e-9);
  fflush(stdout);
  free((void *)product.matrix.groups);
  free(values), free(product.input.records), free(product.output.values);
}

int main(int count, char **arguments) {
  const int path = count > 1 ? atoi(arguments[1]) : SHOAL_AVX512;
  const int threads = count > 2 ? atoi(arguments[2]) : 1;
  if (!shoal_path_available(path) || threads < 1 || threads > 16) return 2;
  printf("| format | GB/s, one token | G operations/s, %d tokens |\n|---|---|---|\n", BATCH);
  for (int n = 0; n < COUNT(formats); ++n) {
    if (count > 3 && strcmp(arguments[3], formats[n].name) != 0) continue;
    measure(formats + n, path, threads);
  }
  return 0;
}
