// A chain that reorganises between any two questions, and a node that fails as nodes do.

import ShoalEthereum
import ShoalLedger
import ShoalProtocol

struct FakeChain {
  private(set) var blocks: [ChainBlock] = []
  private(set) var logs: [Bytes32: [ChainLog]] = [:]
  private var made: UInt64 = 0
  private(set) var reorganisations = 0
  var generator: SplitMix

  init(seed: UInt64) {
    generator = SplitMix(state: seed)
    grow(1)
  }

  var head: UInt64 { UInt64(blocks.count) - 1 }

  /// Logs of the chain as it is, up to a block.
  func canonical(upTo number: UInt64) -> [ChainLog] {
    blocks.filter { $0.number > 0 && $0.number <= number }.flatMap { logs[$0.hash] ?? [] }
  }

  mutating func grow(_ count: Int) {
    for _ in 0..<count {
      made += 1
      let number = UInt64(blocks.count)
      let hash = Keccak256.hash(UInt256(made).word.bytes)
      blocks.append(ChainBlock(number: number, hash: hash, parent: blocks.last?.hash ?? .zero))
      logs[hash] = (0..<UInt64.random(in: 0...3, using: &generator)).map { index in
        ChainLog(
          address: .zero, topics: [hash], data: [UInt8(index)], block: number, blockHash: hash,
          transaction: Keccak256.hash(hash.bytes), index: index * 2)
      }
    }
  }

  /// Replaces the newest blocks by as many others, or more.
  mutating func reorganise(depth: Int) {
    let depth = min(depth, blocks.count - 1)
    guard depth > 0 else { return }
    reorganisations += 1
    blocks.removeLast(depth)
    grow(depth + Int.random(in: 0...2, using: &generator))
  }

  /// What a node says that answers no range over `rangeLimit` blocks.
  func answer(_ question: ChainQuestion, rangeLimit: UInt64) -> ChainAnswer {
    switch question {
    case .head: return .head(head)
    case .block(let number): return .block(number <= head ? blocks[Int(number)] : nil)
    case .logs(let range):
      guard range.upperBound - range.lowerBound < rangeLimit else { return .rangeTooLong }
      return .logs(
        blocks.filter { range.contains($0.number) }.flatMap { logs[$0.hash] ?? [] })
    case .logsOf(let hash):
      guard blocks.contains(where: { $0.hash == hash }) else { return .unknownBlock }
      return .logs(logs[hash] ?? [])
    }
  }
}
