// libsecp256k1 with its recovery module, for Ethereum's signatures.
#include <secp256k1.h>
#include <secp256k1_recovery.h>
