// What the Glibc module does not export.
#ifndef SHOAL_CSYSTEM_H
#define SHOAL_CSYSTEM_H
#endif
