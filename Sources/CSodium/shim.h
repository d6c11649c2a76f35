// The one header of the system library libsodium.
#include <sodium.h>
