// An account of an Ethereum-compatible chain: 20 bytes, written with the checksum of EIP-55.

public import ShoalProtocol

public struct EthereumAddress: Hashable, Comparable, Sendable {
  /// The address left-padded: how contracts and accounts of the ledger write it.
  public let word: Bytes32

  public static let zero = EthereumAddress(word: .zero)

  private init(word: Bytes32) { self.word = word }

  /// Nil unless there are 20 bytes.
  public init?(_ bytes: some Collection<UInt8>) {
    guard bytes.count == 20 else { return nil }
    word = Bytes32([UInt8](repeating: 0, count: 12) + bytes) ?? .zero
  }

  /// Nil unless the first twelve of the bytes are zero.
  public init?(padded word: Bytes32) {
    guard word.bytes.prefix(12).allSatisfy({ $0 == 0 }) else { return nil }
    self.word = word
  }

  /// The last 20 bytes of a hash: of a public key, or of a contract's origin.
  public init(hash: Bytes32) { self = EthereumAddress(hash.bytes.suffix(20)) ?? .zero }

  /// Of `0x` and 40 digits. Digits of mixed case must have EIP-55's checksum: nil where not.
  public init?(_ text: String) {
    guard text.hasPrefix("0x"), let bytes = Hex.decode(text.dropFirst(2)),
      let address = EthereumAddress(bytes)
    else { return nil }
    let digits = text.dropFirst(2)
    let isMixed = digits.contains(where: \.isUppercase) && digits.contains(where: \.isLowercase)
    guard !isMixed || text == address.description else { return nil }
    self = address
  }

  /// 20 bytes.
  public var bytes: [UInt8] { Array(word.bytes.suffix(20)) }

  public static func < (left: EthereumAddress, right: EthereumAddress) -> Bool {
    left.word < right.word
  }
}

extension EthereumAddress: CustomStringConvertible {
  /// `0x` and 40 digits; a letter is upper case where the hash of the digits says so (EIP-55).
  public var description: String {
    let digits = Hex.encode(bytes)
    let hash = Keccak256.hash(Array(digits.utf8)).hex
    let cased = zip(digits, hash).map { digit, mark in
      (mark.hexDigitValue ?? 0) >= 8 ? digit.uppercased() : String(digit)
    }
    return "0x" + cased.joined()
  }
}
