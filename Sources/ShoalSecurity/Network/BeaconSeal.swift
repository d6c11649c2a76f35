// Discovery beacons, sealed with the network key: what is said to everybody, for members only.
import CSodium
import ShoalProtocol

/// Why a beacon was refused or could not be made.
public enum BeaconError: Error, Hashable, Sendable {
  case wrongSize(bytes: Int)
  case notAuthentic
  case tooLong(limit: Int, bytes: Int)
}

/// Seals with XChaCha20-Poly1305 under a random 24-byte nonce
/// (draft-irtf-cfrg-xchacha-03): beacons have no counter that survives a restart.
public struct BeaconSeal: Sendable {
  /// Every beacon has this size, whatever it says.
  public static let sealedBytes = 256
  /// The type byte that tells a beacon from other datagrams.
  public static let type: UInt8 = 8
  private static let nonceBytes = 24
  private static let tagBytes = 16
  /// Type, nonce, tag, and the length inside.
  public static let payloadLimit = sealedBytes - 1 - nonceBytes - tagBytes - 2

  private let key: SecretBytes

  public init(_ key: NetworkKey) { self.key = key.beacon }

  public func seal(
    _ payload: [UInt8], using generator: inout some RandomNumberGenerator
  ) throws(BeaconError) -> [UInt8] {
    guard payload.count <= BeaconSeal.payloadLimit else {
      throw .tooLong(limit: BeaconSeal.payloadLimit, bytes: payload.count)
    }
    let nonce = generator.bytes(BeaconSeal.nonceBytes)
    var writer = ByteWriter(reserving: BeaconSeal.payloadLimit + 2)
    writer.integer(UInt16(payload.count))
    writer.raw(payload)
    writer.raw([UInt8](repeating: 0, count: BeaconSeal.payloadLimit - payload.count))
    return [BeaconSeal.type] + nonce
      + XChaCha.seal(writer.bytes, nonce: nonce, data: [BeaconSeal.type], key: key)
  }

  public func open(_ beacon: [UInt8]) throws(BeaconError) -> [UInt8] {
    guard beacon.count == BeaconSeal.sealedBytes, beacon[0] == BeaconSeal.type else {
      throw .wrongSize(bytes: beacon.count)
    }
    let nonce = Array(beacon[1..<1 + BeaconSeal.nonceBytes])
    let sealed = Array(beacon[(1 + BeaconSeal.nonceBytes)...])
    guard let padded = XChaCha.open(sealed, nonce: nonce, data: [BeaconSeal.type], key: key) else {
      throw .notAuthentic
    }
    let count = Int(padded[0]) | Int(padded[1]) << 8
    guard count <= BeaconSeal.payloadLimit else {
      throw .tooLong(limit: BeaconSeal.payloadLimit, bytes: count)
    }
    return Array(padded[2..<2 + count])
  }
}

/// XChaCha20-Poly1305 over small messages.
enum XChaCha {
  static func seal(
    _ plaintext: [UInt8], nonce: [UInt8], data: [UInt8], key: SecretBytes
  ) -> [UInt8] {
    precondition(nonce.count == 24, "nonce of \(nonce.count) bytes")
    var sealed = [UInt8](repeating: 0, count: plaintext.count + 16)
    _ = unsafe key.lend {
      unsafe crypto_aead_xchacha20poly1305_ietf_encrypt(
        &sealed, nil, plaintext, UInt64(plaintext.count), data, UInt64(data.count), nil, nonce, $0)
    }
    return sealed
  }

  /// Nil where not authentic.
  static func open(_ sealed: [UInt8], nonce: [UInt8], data: [UInt8], key: SecretBytes) -> [UInt8]? {
    guard sealed.count >= 16, nonce.count == 24 else { return nil }
    var plaintext = [UInt8](repeating: 0, count: sealed.count - 16)
    let code = unsafe key.lend {
      unsafe crypto_aead_xchacha20poly1305_ietf_decrypt(
        &plaintext, nil, nil, sealed, UInt64(sealed.count), data, UInt64(data.count), nonce, $0)
    }
    return code == 0 ? plaintext : nil
  }
}
