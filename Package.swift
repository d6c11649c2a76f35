// swift-tools-version: 6.2
// The architecture in one page: each target says what it is for; imports run downward only
// (docs/ARCHITECTURE.md draws them, TidyTests hold them).
import PackageDescription

/// One set of rules for every Swift target.
let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .enableExperimentalFeature("Lifetimes"),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
]

let package = Package(
  name: "Shoal",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "shoal", targets: ["shoal"]),
    // For apps that embed a peer.
    .library(name: "Shoal", targets: ["ShoalPeer"]),
  ],
  dependencies: [
    // Network descriptors and device profiles (docs/decisions/0001-tomlkit.md).
    .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.0.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.80.0"),
    // What Hummingbird's handlers are given (docs/decisions/0061-types-of-http-parts.md).
    .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.20.0"),
  ],
  targets: [
    // libsodium, as the system has it.
    .systemLibrary(
      name: "CSodium", pkgConfig: "libsodium",
      providers: [.apt(["libsodium-dev"]), .brew(["libsodium"])]),
    // libsecp256k1 with its recovery module, as the system has it: for ShoalEthereum alone.
    .systemLibrary(
      name: "CSecp256k1", pkgConfig: "libsecp256k1",
      providers: [.apt(["libsecp256k1-dev"]), .brew(["secp256k1"])]),
    // SIMD inner loops: pointers and counts in, numbers out; no allocation, no state.
    .target(name: "CKernels"),
    // What the Glibc module does not export: thread names, affinity, futex.
    .target(name: "CPlatform"),

    // What peers say, and what each decides on hearing it. Pure.
    .target(name: "ShoalProtocol", swiftSettings: strict),
    // What a transformer computes. Pure; not a word about networks.
    .target(
      name: "ShoalInference", dependencies: ["ShoalProtocol", "CKernels"], swiftSettings: strict),
    // Identity, handshake, sealed sessions, invites.
    .target(
      name: "ShoalSecurity", dependencies: ["ShoalProtocol", "CSodium"], swiftSettings: strict),
    // Who offers which model, and who owes whom.
    .target(name: "ShoalLedger", dependencies: ["ShoalProtocol"], swiftSettings: strict),
    // The ledger on Ethereum-compatible chains: keys, transactions, contracts, JSON-RPC.
    .target(
      name: "ShoalEthereum",
      dependencies: ["ShoalProtocol", "ShoalSecurity", "ShoalLedger", "CSecp256k1"],
      resources: [.embedInCode("Bytecode")], swiftSettings: strict),
    // The actors, one file each, over seams; opens nothing itself.
    .target(
      name: "ShoalNode",
      dependencies: ["ShoalProtocol", "ShoalInference", "ShoalSecurity", "ShoalLedger"],
      swiftSettings: strict),
    // Every contact with the operating system.
    .target(
      name: "ShoalSystem",
      dependencies: [
        "ShoalProtocol", "ShoalInference", "ShoalSecurity", "ShoalNode", "CPlatform", "TOMLKit",
      ],
      swiftSettings: strict),
    // A peer, put together: settings, store, node.
    .target(
      name: "ShoalPeer",
      dependencies: [
        "ShoalProtocol", "ShoalInference", "ShoalSecurity", "ShoalLedger", "ShoalNode",
        "ShoalSystem", .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),
    // Many peers in one process, in virtual time, from one seed: networks, faults, invariants.
    .target(
      name: "ShoalSimulation",
      dependencies: ["ShoalProtocol", "ShoalInference", "ShoalSecurity", "ShoalNode"],
      swiftSettings: strict),
    // HTTP in, token stream out.
    .target(
      name: "ShoalGateway",
      dependencies: [
        "ShoalProtocol", "ShoalInference", "ShoalLedger", "ShoalNode",
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ],
      resources: [.embedInCode("Dashboard"), .embedInCode("OpenAPI")],
      swiftSettings: strict),
    // The one executable: arguments, composition, terminal.
    .executableTarget(
      name: "shoal",
      dependencies: [
        "ShoalNode", "ShoalSystem", "ShoalPeer", "ShoalGateway", "ShoalSimulation",
        "ShoalEthereum",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], swiftSettings: strict),

    .testTarget(name: "TidyTests", swiftSettings: strict),
    // The built program, as a person runs it.
    .testTarget(name: "CommandTests", swiftSettings: strict),
    .testTarget(
      name: "ShoalProtocolTests", dependencies: ["ShoalProtocol"], swiftSettings: strict),
    .testTarget(
      name: "ShoalInferenceTests", dependencies: ["ShoalInference"], swiftSettings: strict),
    .testTarget(
      name: "ShoalSecurityTests", dependencies: ["ShoalSecurity"], swiftSettings: strict),
    .testTarget(
      name: "ShoalLedgerTests", dependencies: ["ShoalProtocol", "ShoalSecurity", "ShoalLedger"],
      swiftSettings: strict),
    .testTarget(
      name: "ShoalEthereumTests",
      dependencies: ["ShoalProtocol", "ShoalSecurity", "ShoalLedger", "ShoalEthereum"],
      swiftSettings: strict),
    .testTarget(
      name: "ShoalSystemTests",
      dependencies: [
        "ShoalProtocol", "ShoalInference", "ShoalSecurity", "ShoalNode", "ShoalSystem",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "ShoalPeerTests",
      dependencies: [
        "ShoalProtocol", "ShoalInference", "ShoalSecurity", "ShoalLedger", "ShoalNode",
        "ShoalSystem", "ShoalPeer",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "ShoalNodeTests", dependencies: ["ShoalNode", "ShoalSystem"], swiftSettings: strict),
    .testTarget(
      name: "ShoalGatewayTests",
      dependencies: [
        "ShoalProtocol", "ShoalInference", "ShoalLedger", "ShoalNode", "ShoalGateway",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ],
      swiftSettings: strict),
    // Every parser of foreign bytes under mutations; LibFuzzer/ is testnet/fuzz.sh's way in.
    .testTarget(
      name: "FuzzTests",
      dependencies: ["ShoalProtocol", "ShoalInference", "ShoalSecurity", "ShoalLedger"],
      exclude: ["LibFuzzer"], swiftSettings: strict),
    .testTarget(
      name: "ShoalSimulationTests",
      dependencies: ["ShoalProtocol", "ShoalSimulation"], swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .gnu17
)
