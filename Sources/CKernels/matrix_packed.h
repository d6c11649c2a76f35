// One step for all formats that are planes of bits with scales of some kind (WeightPacking.swift
// has the table): what differs is constant where it is used, so that each has a loop of its own.
// A path has defined, for one SLICE of the rows of a group:
//   bytes, load_bytes, shifted, either, looked_up      rows by four columns of unsigned quants
//   quad_sums, start_quads, add_pair, add_single       exact Int32 sums of quants times activations
//   floats, sum_floats, half_slice, signed_slice, unsigned_slice, nibble_slice, and arithmetic

enum scale_kind { PART, PART_MINIMUM, SUB, SUB_MINIMUM, HALVES, HALVES_MINIMUM };

typedef struct packing {
  int first, second;  // bits of u in each plane
  int offset;         // an integer weight is u - offset
  bool has_values;    // u is an index into a table
  enum scale_kind scales;
} packing;

INLINE bool is_halved(const packing f) { return f.scales == HALVES || f.scales == HALVES_MINIMUM; }
INLINE bool has_minimum(const packing f) {
  return f.scales == PART_MINIMUM || f.scales == SUB_MINIMUM || f.scales == HALVES_MINIMUM;
}
INLINE int plane_lines(int quads, const int bits) { return (quads * bits + 7) / 8; }

// u, or its value, of a quad. `above` is the second plane.
INLINE bytes quad_of(const uint8_t *line, const uint8_t *above, int quad, int slice,
                     const packing f) {
  const int place = quad * f.first;
  bytes u = load_bytes(line + place / 8 * 64, slice);
  u = shifted(u, place % 8, (1 << f.first) - 1);
  if (f.second != 0) {
    const int high = quad * f.second;
    const bytes bits = load_bytes(above + high / 8 * 64, slice);
    u = either(u, shifted(bits, high % 8 - f.first, ((1 << f.second) - 1) << f.first));
  }
  return f.has_values ? looked_up(u) : u;
}

// Quads [first, end). With `whole`, both are constant and even.
INLINE void add_quads(quad_sums *sums, const uint8_t *line, const uint8_t *above, int first,
                      int end, int slice, token_records records, const shoal_part *part,
                      const int tokens, const packing f, const bool whole) {
  if (whole) {
    UNROLL for (int quad = first; quad < end; quad += 2) {
      add_pair(sums, quad_of(line, above, quad, slice, f),
               quad_of(line, above, quad + 1, slice, f), quad, records, part, tokens,
               f.has_values);
    }
  } else {
    for (int quad = first; quad < end; ++quad) {
      add_single(sums, quad_of(line, above, quad, slice, f), quad, records, part, tokens,
                 f.has_values);
    }
  }
}

// The scales of a part for the rows of a slice, as f32.
typedef struct part_scales {
  floats scale, minimum;      // d; m or dmin
  floats of[2], minima[2];    // s and m of each half
} part_scales;

INLINE part_scales scales_of(const weights *w, int p, const shoal_part *part, int slice,
                             const packing f) {
  const shoal_matrix *matrix = w->matrix;
  const bool is_sub = f.scales != PART && f.scales != PART_MINIMUM;
  const int place = is_sub ? (matrix->super_phase + part->column) / 256 : p;
  const uint8_t *halves = w->group + (has_minimum(f) ? 64 : 32) * (int64_t)place;
  const uint8_t *integers =
      w->group + matrix->integers_offset + (f.scales == SUB ? 16 : 32) * (int64_t)p;
  part_scales scales;
  scales.scale = half_slice(halves, slice);
  if (has_minimum(f)) scales.minimum = half_slice(halves + 32, slice);
  if (f.scales == SUB) scales.of[0] = signed_slice(integers, slice);
  if (f.scales == SUB_MINIMUM) {
    scales.of[0] = unsigned_slice(integers, slice);
    scales.minima[0] = unsigned_slice(integers + 16, slice);
  }
  if (f.scales == HALVES) {
    scales.of[0] = signed_slice(integers, slice);
    scales.of[1] = signed_slice(integers + 16, slice);
  }
  if (f.scales == HALVES_MINIMUM) {
    UNROLL for (int half = 0; half < 2; ++half) {
      scales.of[half] = nibble_slice(integers + 16 * half, slice, 0);
      scales.minima[half] = nibble_slice(integers + 16 * half, slice, 4);
    }
  }
  return scales;
}

// acc = fma(Float(isum), d * dx, acc), then the minimum's term. Every product of an integer scale
// and a sum is below 2^24 and so exact in f32.
INLINE void accumulate_part(lanes *acc, int slice, const part_scales *scales,
                            const floats *products, token_records records,
                            const shoal_part *part, const int tokens, const packing f) {
  UNROLL for (int t = 0; t < tokens; ++t) {
    const shoal_record *record = record_at(records, part, t);
    floats *place = slice_of(acc + t, slice);
    *place = fma_floats(products[t], scaled(scales->scale, record->scale), *place);
    if (!has_minimum(f)) continue;
    const floats minimum = scaled(scales->minimum, record->scale);
    if (f.scales == PART_MINIMUM) {
      *place = fma_floats(splat((float)record->sum), minimum, *place);
    } else if (f.scales == SUB_MINIMUM) {
      *place = subtract_product(scaled(scales->minima[0], (float)record->sum), minimum, *place);
    } else {
      const floats first = scaled(scales->minima[0], (float)record->first_sum);
      const floats second = splat((float)(record->sum - record->first_sum));
      *place = subtract_product(fma_floats(scales->minima[1], second, first), minimum, *place);
    }
  }
}

// `whole`: 32 columns that begin where a block does.
INLINE void packed_part(const weights *w, int p, const uint8_t *line, const uint8_t *above,
                        token_records records, lanes *acc, const int tokens, const packing f,
                        const bool whole) {
  const shoal_part *part = w->matrix->parts + p;
  const int quads = whole ? 8 : quads_of(part);
  const int middle = !is_halved(f) ? quads : whole ? 4 : (part->split + 3) / 4;
  UNROLL for (int slice = 0; slice < SLICES; ++slice) {
    const part_scales scales = scales_of(w, p, part, slice, f);
    floats products[TOKENS];
    quad_sums sums;
    UNROLL for (int t = 0; t < tokens; ++t) {
      const shoal_record *record = record_at(records, part, t);
      start_quads(&sums, t, f.offset, is_halved(f) ? record->first_sum : record->sum);
    }
    add_quads(&sums, line, above, 0, middle, slice, records, part, tokens, f, whole);
    UNROLL for (int t = 0; t < tokens; ++t) {
      products[t] = sum_floats(&sums, t, tokens);
      if (f.scales != PART && f.scales != PART_MINIMUM) {
        products[t] = multiplied(products[t], scales.of[0]);
      }
    }
    if (is_halved(f)) {
      UNROLL for (int t = 0; t < tokens; ++t) {
        const shoal_record *record = record_at(records, part, t);
        start_quads(&sums, t, f.offset, record->sum - record->first_sum);
      }
      add_quads(&sums, line, above, middle, quads, slice, records, part, tokens, f, whole);
      UNROLL for (int t = 0; t < tokens; ++t) {
        products[t] = fma_floats(sum_floats(&sums, t, tokens), scales.of[1], products[t]);
      }
    }
    accumulate_part(acc, slice, &scales, products, records, part, tokens, f);
  }
}

INLINE const uint8_t *packed_step(const weights *w, int p, const uint8_t *line,
                                  token_records records, lanes *acc, const int tokens,
                                  const packing f) {
  const shoal_part *part = w->matrix->parts + p;
  const int quads = quads_of(part);
  const uint8_t *above = line + 64 * plane_lines(quads, f.first);
  if (quads == 8 && (!is_halved(f) || part->split == 16)) {
    packed_part(w, p, line, above, records, acc, tokens, f, true);
  } else {
    packed_part(w, p, line, above, records, acc, tokens, f, false);
  }
  return above + 64 * plane_lines(quads, f.second);
}

// Name, planes, offset, table, scales: WeightPacking.swift's table.
#define PACKED(FORMAT)                              \
  FORMAT(q4_1, 4, 0, 0, false, PART_MINIMUM)        \
  FORMAT(q5_0, 4, 1, 16, false, PART)               \
  FORMAT(q5_1, 4, 1, 0, false, PART_MINIMUM)        \
  FORMAT(q2_K, 2, 0, 0, false, HALVES_MINIMUM)      \
  FORMAT(q3_K, 2, 1, 4, false, HALVES)              \
  FORMAT(q4_K, 4, 0, 0, false, SUB_MINIMUM)         \
  FORMAT(q5_K, 4, 1, 0, false, SUB_MINIMUM)         \
  FORMAT(q6_K, 4, 2, 32, false, HALVES)             \
  FORMAT(iq4_nl, 4, 0, VALUES_OFFSET, true, PART)   \
  FORMAT(iq4_xs, 4, 0, VALUES_OFFSET, true, SUB)

#define FORMAT(name, first, second, offset, has_values, scales)                              \
  INLINE const uint8_t *step_##name(const weights *w, int p, const uint8_t *line,            \
                                    token_records records, lanes *acc, const int tokens) {   \
    const packing f = {first, second, offset, has_values, scales};                           \
    return packed_step(w, p, line, records, acc, tokens, f);                                 \
  }
PACKED(FORMAT)
#undef FORMAT
