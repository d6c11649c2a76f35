// Tests that real clocks and sockets take part in: one at a time, and nothing beside them.

import Testing

/// Peers give each other up after fractions of a second, as they should; a machine that computes
/// other tests on every core keeps them waiting for longer. So `testnet/test.sh` runs these by
/// themselves, after all others.
@Suite(.serialized) enum RealTimeTests {}
