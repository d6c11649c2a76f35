// Attention.swift: one chunk of 64 positions of a KV group, for any number of queries. Keys and
// values are loaded and widened once for a tile of queries, which are heads of the group or tokens
// of a batch. Part of canon_body.h.

#define CHUNK 64
enum { STATE_LARGEST = 64, STATE_SUM = 65, STATE_WEIGHTED = 80 };
// Queries of a tile, and vectors of 16 elements at a time: their product is held in registers.
enum { TILE = 4, WIDE = CANON_WIDE };

INLINE vf load_half(const void *p, ptrdiff_t index) {
  vh v;
  __builtin_memcpy(&v, (const char *)p + 2 * index, sizeof v);
  return __builtin_convertvector(v, vf);
}
INLINE vf load_float(const void *p, ptrdiff_t index) { return load((const float *)p + index); }
typedef vf element16(const void *, ptrdiff_t);

// Scores of `count` queries at 16 * WIDE positions from `position` on, into their states: for each,
// ascending in the head's elements.
INLINE void add_keys(element16 *element, const struct shoal_query *queries, const int count,
                     const void *keys, ptrdiff_t head_dim, ptrdiff_t position) {
  vf scores[TILE][WIDE];
  for (int q = 0; q < count; q++)
    for (int w = 0; w < WIDE; w++) scores[q][w] = (vf){0};
  for (ptrdiff_t d = 0; d < head_dim; d++) {
    vf key[WIDE];
    for (int w = 0; w < WIDE; w++) key[w] = element(keys, d * CHUNK + position + w * LANES);
    for (int q = 0; q < count; q++) {
      vf x = splat(queries[q].query[d]);
      for (int w = 0; w < WIDE; w++) scores[q][w] = fma16(x, key[w], scores[q][w]);
    }
  }
  for (int q = 0; q < count; q++)
    for (int w = 0; w < WIDE; w++) store(queries[q].state + position + w * LANES, scores[q][w]);
}

// Turns the scores of `count` queries into probabilities, and multiplies their earlier sums with
// what those are worth now: each step for all queries, since its parts wait for one another.
INLINE void weigh(const struct shoal_query *queries, const int count, ptrdiff_t stride,
                  float scale, float soft_cap) {
  const vi lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  float largest[TILE], earlier[LANES] = {0};
  for (int q = 0; q < count; q++) {
    float *state = queries[q].state;
    vf best = splat(state[STATE_LARGEST]);
    for (int b = 0; b < CHUNK / LANES; b++) {
      vi j = lane + b * LANES;
      vi visible = (j >= queries[q].first) & (j < queries[q].last);
      vf score = load(state + b * LANES) * scale;
      if (soft_cap > 0) score = soft_cap * tanh16(score / soft_cap);
      store(state + b * LANES, score);
      best = select16(visible & (score > best), score, best);
    }
    largest[q] = largest_lane(best);
    earlier[q] = state[STATE_LARGEST] - largest[q];
  }
  float corrections[LANES];
  store(corrections, exp16(load(earlier)));
  for (int q = 0; q < count; q++) {
    float *state = queries[q].state, *weighted = state + STATE_WEIGHTED;
    vf sum = {0};
    for (int b = 0; b < CHUNK / LANES; b++) {
      vi j = lane + b * LANES;
      vi visible = (j >= queries[q].first) & (j < queries[q].last);
      vf weight = select16(visible, exp16(load(state + b * LANES) - largest[q]), splat(0.0f));
      store(state + b * LANES, weight);
      sum += weight;
    }
    state[STATE_LARGEST] = largest[q];
    state[STATE_SUM] = __builtin_elementwise_fma(state[STATE_SUM], corrections[q], fold(sum));
    for (ptrdiff_t d = 0; d < stride; d += LANES)
      store(weighted + d, load(weighted + d) * corrections[q]);
  }
}

// Adds values of positions [first, last) to 16 * `wide` elements from `d` on of each query's sum,
// ascending in positions, which all queries see.
INLINE void add_values(element16 *element, const struct shoal_query *queries, const int count,
                       const void *values, ptrdiff_t stride, ptrdiff_t first, ptrdiff_t last,
                       ptrdiff_t d, const int wide) {
  vf sums[TILE][WIDE];
  for (int q = 0; q < count; q++)
    for (int w = 0; w < wide; w++)
      sums[q][w] = load(queries[q].state + STATE_WEIGHTED + d + w * LANES);
  for (ptrdiff_t j = first; j < last; j++) {
    vf value[WIDE];
    for (int w = 0; w < wide; w++) value[w] = element(values, j * stride + d + w * LANES);
    for (int q = 0; q < count; q++) {
      vf weight = splat(queries[q].state[j]);
      for (int w = 0; w < wide; w++) sums[q][w] = fma16(weight, value[w], sums[q][w]);
    }
  }
  for (int q = 0; q < count; q++)
    for (int w = 0; w < wide; w++)
      store(queries[q].state + STATE_WEIGHTED + d + w * LANES, sums[q][w]);
}

INLINE void add_all_values(element16 *element, const struct shoal_query *queries, const int count,
                           const void *values, ptrdiff_t stride, ptrdiff_t first,
                           ptrdiff_t last) {
  if (first >= last) return;
  ptrdiff_t d = 0;
  for (; d + WIDE * LANES <= stride; d += WIDE * LANES)
    add_values(element, queries, count, values, stride, first, last, d, WIDE);
  for (; d < stride; d += LANES)
    add_values(element, queries, count, values, stride, first, last, d, 1);
}

INLINE void attend_tile(element16 *element, const struct shoal_query *queries, const int count,
                        const void *keys, const void *values, ptrdiff_t head_dim, float scale,
                        float soft_cap) {
  ptrdiff_t stride = (head_dim + LANES - 1) & ~(ptrdiff_t)(LANES - 1);
  for (ptrdiff_t position = 0; position < CHUNK; position += WIDE * LANES)
    add_keys(element, queries, count, keys, head_dim, position);
  weigh(queries, count, stride, scale, soft_cap);
  int32_t first = 0, last = CHUNK;
  for (int q = 0; q < count; q++) {
    if (queries[q].first > first) first = queries[q].first;
    if (queries[q].last < last) last = queries[q].last;
  }
  if (last < first) last = first;
  // What all see, between what each sees alone before and after it.
  for (int q = 0; q < count; q++) {
    int32_t end = queries[q].last < first ? queries[q].last : first;
    add_all_values(element, queries + q, 1, values, stride, queries[q].first, end);
  }
  add_all_values(element, queries, count, values, stride, first, last);
  for (int q = 0; q < count; q++) {
    int32_t begin = queries[q].first > last ? queries[q].first : last;
    add_all_values(element, queries + q, 1, values, stride, begin, queries[q].last);
  }
}

INLINE void attend(element16 *element, const struct shoal_query *queries, ptrdiff_t count,
                   const void *keys, const void *values, ptrdiff_t head_dim, float scale,
                   float soft_cap) {
  ptrdiff_t q = 0;
  for (; q + TILE <= count; q += TILE)
    attend_tile(element, queries + q, TILE, keys, values, head_dim, scale, soft_cap);
  for (; q < count; q++)
    attend_tile(element, queries + q, 1, keys, values, head_dim, scale, soft_cap);
}

static void canon_attend_f16(const struct shoal_query *queries, ptrdiff_t count, const void *keys,
                             const void *values, ptrdiff_t head_dim, float scale,
                             float soft_cap) {
  attend(load_half, queries, count, keys, values, head_dim, scale, soft_cap);
}
static void canon_attend_f32(const struct shoal_query *queries, ptrdiff_t count, const void *keys,
                             const void *values, ptrdiff_t head_dim, float scale,
                             float soft_cap) {
  attend(load_float, queries, count, keys, values, head_dim, scale, soft_cap);
}
