// A whole peer that computes with other weights than it should, in a mesh that audits: it is found,
// its term ends, and the answer is the one that honest peers give.

import Foundation
import ShoalInference
import ShoalLedger
import ShoalNode
import ShoalProtocol
import ShoalSecurity
import ShoalSystem
import Synchronization
import Testing

/// A store that lends other bytes than it keeps: of a model of lower quality, say.
private final class SwappedBlobs: BlobStore {
  private let blobs: any BlobStore
  private let swapped = Mutex<Set<BlobID>>([])

  init(_ blobs: any BlobStore) { self.blobs = blobs }

  func swap(_ ids: [BlobID]) { swapped.withLock { $0.formUnion(ids) } }

  private final class Changed: MappedBlob {
    private let storage: AlignedBytes
    var bytes: UnsafeRawBufferPointer { unsafe storage.bytes }
    init(_ blob: any MappedBlob) {
      var bytes = unsafe Array(blob.bytes)
      // Weights are behind the table that an atom begins with.
      for index in stride(from: bytes.count / 2, to: bytes.count * 3 / 4, by: 16) {
        bytes[index] ^= 1
      }
      storage = .copy(bytes)
    }
  }

  func load(_ id: BlobID) throws(BlobStoreError) -> any MappedBlob {
    let blob = try blobs.load(id)
    return swapped.withLock { $0.contains(id) } ? Changed(blob) : blob
  }

  func contains(_ id: BlobID) -> Bool { blobs.contains(id) }
  func put(_ id: BlobID, _ bytes: UnsafeRawBufferPointer) throws(BlobStoreError) {
    try unsafe blobs.put(id, bytes)
  }
  func partialCount(_ id: BlobID) -> UInt64 { blobs.partialCount(id) }
  func append(
    _ bytes: UnsafeRawBufferPointer, to id: BlobID, at offset: UInt64
  ) throws(BlobStoreError) {
    try unsafe blobs.append(bytes, to: id, at: offset)
  }
  func finish(_ id: BlobID) throws(BlobStoreError) { try blobs.finish(id) }
  func abandon(_ id: BlobID) throws(BlobStoreError) { try blobs.abandon(id) }
  func map(_ id: BlobID) throws(BlobStoreError) -> any MappedBlob { try blobs.map(id) }
  func verify(_ id: BlobID) throws(BlobStoreError) -> Bool { try blobs.verify(id) }
  func quarantine(_ id: BlobID) throws(BlobStoreError) { try blobs.quarantine(id) }
  func remove(_ id: BlobID) throws(BlobStoreError) { try blobs.remove(id) }
  func list() throws(BlobStoreError) -> [BlobID] { try blobs.list() }
  func totalBytes() throws(BlobStoreError) -> ByteCount { try blobs.totalBytes() }
  func freeBytes() throws(BlobStoreError) -> ByteCount { try blobs.freeBytes() }
}

extension RealTimeTests {
  @Suite(.timeLimit(.minutes(2))) struct AuditMeshTests {
    private static let isThere = FileManager.default.fileExists(atPath: MeshTests.model.path)

    /// A mesh whose first peer imports a model, whose last computes with other weights, and which
    /// audits one step in 64.
    private static func lying(
      peers: Int,
      _ body: @escaping @Sendable (TestMesh, [Node], ModelEntry) async throws -> Void
    ) async throws {
      let liar = Mutex<SwappedBlobs?>(nil)
      let world = try TestMesh(
        peers: peers,
        configure: { configuration, number in
          // The liar looks at nobody: with its weights everybody would seem to be wrong.
          configuration.audit = number == peers - 1 ? 0 : 64
        },
        store: { blobs, number in
          guard number == peers - 1 else { return blobs }
          let swapped = SwappedBlobs(blobs)
          liar.withLock { $0 = swapped }
          return swapped
        })
      defer { world.remove() }
      let swapped = try #require(liar.withLock { $0 })
      try await world.run { nodes in
        let entry = try await nodes[0].importModel(
          path: MeshTests.model.path, name: "story", progress: { _, _ in })
        let atoms = try world.library(of: 0).manifest(entry.model).atoms
        swapped.swap(
          atoms.compactMap { atom in
            if case .feedForward = atom.key { atom.blob } else { nil }
          })
        for node in nodes {
          try await world.until { await node.peers().count { $0.state == .alive } == peers }
          try await world.until { try await node.models().contains { $0.entry == entry } }
        }
        try await body(world, nodes, entry)
      }
    }

    @Test func `nothing is audited among friends without accounts, unless somebody says so`() throws
    {
      let price = AccountTerms(price: WorkPrice(perMebiUnit: 1))
      let open = try NetworkDescriptor(name: "open", admission: .open)
      let world = try TestMesh(
        peers: 5, accounts: [nil, price, nil, price, nil],
        configure: { configuration, number in
          if number == 2 { configuration.audit = 7 }
          if number == 3 { configuration.audit = 0 }
          if number == 4 { configuration.network = open }
          #expect(configuration.auditInterval == [nil, 64, 7, nil, 64][number])
        })
      world.remove()
    }

    @Test(.enabled(if: isThere))
    func `a peer with other weights is found, dropped and hired no more, and no token differs`()
      async throws
    {
      try await Self.lying(peers: 2) { world, nodes, entry in
        let alone = try await world.digestAlone(MeshTests.model, tokens: 24)
        let liar = nodes[1].peer
        let tookPart = Mutex(false)
        let outcome = try await nodes[0].generate(
          world.request(tokens: 24, objective: .spread),
          emit: { event in
            guard case .started(_, _, _, let members, _) = event else { return }
            tookPart.withLock { $0 = $0 || members.contains { $0.peer == liar } }
          })
        #expect(outcome.digest == alone.digest)
        #expect(tookPart.withLock { $0 })
        let store = try world.audits(of: 0)
        #expect(try store.reputation().caught == [liar])
        let plan = try await nodes[0].plan(model: "story", objective: .spread, context: 64)
        #expect(plan.report.members.map(\.peer) == [nodes[0].peer])
        // The importer's copy of the model says the same.
        let accusation = try #require(try store.evidence(against: liar))
        guard
          case .wrong = try accusation.recheck(
            in: world.library(of: 0), kernels: Kernels(path: .reference))
        else {
          Issue.record("unfounded")
          return
        }
        #expect(accusation.model == entry.model)
      }
    }

    @Test(.enabled(if: isThere))
    func `what one peer found reaches others only as the list that its plans leave out`()
      async throws
    {
      try await Self.lying(peers: 3) { world, nodes, _ in
        let alone = try await world.digestAlone(MeshTests.model, tokens: 24)
        let liar = nodes[2].peer
        let all = nodes.map(\.peer)
        // A rank audits one other in a step, and another rank may end the term before it has looked.
        try await world.until {
          _ = try await nodes[0].generate(
            world.request(tokens: 24, objective: .spread), emit: { _ in })
          return try world.audits(of: 0).reputation().avoided(among: all) == [liar]
        }
        let outcome = try await nodes[0].generate(
          world.request(tokens: 24, objective: .spread), emit: { _ in })
        #expect(outcome.digest == alone.digest)
        let plan = try await nodes[0].plan(model: "story", objective: .spread, context: 64)
        #expect(Set(plan.report.members.map(\.peer)) == [nodes[0].peer, nodes[1].peer])
        // Whoever has found nothing itself plans with the liar, and takes part where it is left out.
        if try world.audits(of: 1).reputation().suspected.isEmpty {
          let other = try await nodes[1].plan(model: "story", objective: .spread, context: 64)
          #expect(other.report.members.map(\.peer).contains(liar))
        }
      }
    }
  }
}

extension TestMesh {
  fileprivate func library(of number: Int) throws -> ModelLibrary {
    let path = directory.appendingPathComponent("peer\(number)").path
    return ModelLibrary(
      blobs: try unsafe DirectoryBlobStore(root: path, hash: BLAKE2b.contentHash))
  }

  fileprivate func audits(of number: Int) throws -> AuditStore {
    let path = directory.appendingPathComponent("peer\(number)").path
    return AuditStore(documents: try DirectoryDocuments(path: path))
  }
}
