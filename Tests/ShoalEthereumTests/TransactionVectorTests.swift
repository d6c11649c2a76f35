// Transactions byte for byte as others sign them, and read back.

import ShoalEthereum
import ShoalLedger
import ShoalProtocol
import ShoalSecurity
import Testing

@Suite(.enabled(if: SharedVectors.exist, SharedVectors.absence))
struct TransactionVectorTests {
  private struct Fields: Decodable {
    struct Access: Decodable {
      let address: String
      let storageKeys: [HexText]
    }
    let to: String?
    let nonce: LooseJSON?
    let gasLimit: LooseJSON?
    let gasPrice: LooseJSON?
    let maxFeePerGas: LooseJSON?
    let maxPriorityFeePerGas: LooseJSON?
    let data: HexText?
    let value: LooseJSON?
    let accessList: [Access]?
    let chainId: LooseJSON?
  }

  private struct Case: Decodable {
    let name: String
    let transaction: Fields
    let privateKey: HexText
    let unsignedLegacy: HexText
    let signedLegacy: HexText
    let unsignedEip155: HexText
    let signedEip155: HexText
    let unsignedBerlin: HexText
    let signedBerlin: HexText
    let unsignedLondon: HexText
    let signedLondon: HexText
  }

  private static func small(_ json: LooseJSON?) throws -> UInt64 {
    let number = try json?.number().low ?? 0
    return try #require(UInt64(exactly: number))
  }

  private static func transactions(
    _ fields: Fields
  ) throws -> [EthereumTransaction] {
    let chain = try small(fields.chainId)
    let gasPrice = try fields.gasPrice?.number() ?? .zero
    let list = try (fields.accessList ?? []).map { entry in
      AccessEntry(
        address: try #require(EthereumAddress(entry.address)),
        keys: try entry.storageKeys.map { try #require(Bytes32($0.bytes)) })
    }
    let kinds: [TransactionKind] = [
      .legacy(chain: nil, gasPrice: gasPrice), .legacy(chain: chain, gasPrice: gasPrice),
      .accessList(chain: chain, gasPrice: gasPrice, list),
      .feeMarket(
        chain: chain, tip: try fields.maxPriorityFeePerGas?.number() ?? .zero,
        feeCap: try fields.maxFeePerGas?.number() ?? .zero, list),
    ]
    return try kinds.map { kind in
      EthereumTransaction(
        kind: kind, nonce: try small(fields.nonce), gasLimit: try small(fields.gasLimit),
        recipient: try fields.to.map { try #require(EthereumAddress($0)) },
        value: try fields.value?.number() ?? .zero, data: fields.data?.bytes ?? [])
    }
  }

  @Test func `transactions are signed byte for byte as ethers signs them, and read back`() throws {
    var compared = 0
    for vector in try SharedVectors.list("transactions.json", of: Case.self) {
      let key = try #require(EthereumKey(SecretBytes(vector.privateKey.bytes)))
      let expected = [
        (vector.unsignedLegacy, vector.signedLegacy), (vector.unsignedEip155, vector.signedEip155),
        (vector.unsignedBerlin, vector.signedBerlin), (vector.unsignedLondon, vector.signedLondon),
      ]
      let transactions = try Self.transactions(vector.transaction)
      for (transaction, (unsigned, bytes)) in zip(transactions, expected) {
        // Without a chain there is no EIP-155; ethers leaves such places empty.
        guard !bytes.bytes.isEmpty else { continue }
        compared += 1
        #expect(transaction.unsignedBytes == unsigned.bytes, "\(vector.name)")
        let signed = transaction.signed(by: key)
        #expect(signed.bytes == bytes.bytes, "\(vector.name)")
        let read = try SignedTransaction(decoding: bytes.bytes)
        #expect(read == signed, "\(vector.name)")
        #expect(read.sender == key.address, "\(vector.name)")
      }
    }
    #expect(compared > 1_000)
  }

  @Test func `a damaged transaction is refused or is another transaction in its one encoding`()
    throws
  {
    var generator = SplitMix(state: 3)
    var (refused, accepted) = (0, 0)
    for vector in try SharedVectors.list("transactions.json", of: Case.self).prefix(40) {
      for original in [vector.signedLegacy, vector.signedBerlin, vector.signedLondon] {
        for _ in 0..<50 {
          var bytes = original.bytes
          guard let index = bytes.indices.randomElement(using: &generator) else { continue }
          bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
          if Bool.random(using: &generator) { bytes.removeLast() }
          guard let read = try? SignedTransaction(decoding: bytes) else {
            refused += 1
            continue
          }
          accepted += 1
          #expect(read.bytes == bytes)
        }
      }
    }
    #expect(refused > 500 && accepted > 500)
  }
}
