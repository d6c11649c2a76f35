// Inner loops over quantised blocks: pointers and counts in, numbers out.
#ifndef SHOAL_CKERNELS_H
#define SHOAL_CKERNELS_H
#include "canon.h"
#include "matrix.h"
#endif
