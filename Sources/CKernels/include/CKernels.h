// Inner loops over quantised blocks: pointers and counts in, numbers out.
#ifndef SHOAL_CKERNELS_H
#define SHOAL_CKERNELS_H
#include "matrix.h"
#if __has_include("canon.h")
#include "canon.h"
#endif
#endif
