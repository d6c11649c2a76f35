// A network as a person names it: `lan`, a descriptor file, or the text of an invite.

import Foundation
public import ShoalNode
import ShoalProtocol
public import ShoalSecurity

/// Why a word names no network.
public enum NetworkSourceError: Error, Hashable, Sendable, CustomStringConvertible {
  case unknown(String)
  case invite(InviteError)

  public var description: String {
    switch self {
    case .unknown(let text):
      "\(text.prefix(60)) is no network: give lan, a descriptor file, or an invite (SHOAL...)"
    case .invite(let error): "the invite is not good: \(NetworkSourceError.reason(error))"
    }
  }

  private static func reason(_ error: InviteError) -> String {
    switch error {
    case .text(.wrongPrefix): "it does not begin with SHOAL"
    case .text(.notBase32(let position)):
      "character \(position + 1) is neither a letter nor 2 to 7; copy it again"
    case .text(.tooLong(let limit, let count)):
      "it has \(count) characters, at most \(limit) are read"
    case .text(.incomplete(let count)): "it ends after \(count) characters; copy all of it"
    case .text(.wrongChecksum): "a character is wrong or lost; copy it again"
    case .unsupportedVersion(let version):
      "it is of version \(version), this program reads \(Invite.version)"
    case .malformed: "its bytes are no invite"
    case .notAuthentic(let issuer): "it is not signed by \(issuer), who it says issued it"
    case .expired(let at, let now):
      "it expired \((now.seconds - at.seconds) / 3_600) hours ago; ask for a new one"
    case .usedUp(let limit): "it was used \(limit) times, as often as it allows; ask for a new one"
    }
  }
}

/// Where a descriptor came from, and the descriptor.
public enum NetworkSource: Sendable {
  case lan
  case file(NetworkDescriptor)
  case invite(Invite)

  /// Reads what `text` names. An invite is checked for its signature, not for its age.
  ///
  /// - Throws: `NetworkSourceError`, `ConfigurationError`.
  public init(_ text: String) throws {
    if text == "lan" {
      self = .lan
    } else if FileManager.default.fileExists(atPath: text) {
      self = .file(try NetworkDescriptor(file: text))
    } else if text.uppercased().hasPrefix("SHOAL") {
      do throws(InviteError) {
        self = .invite(try Invite(text: text))
      } catch {
        throw NetworkSourceError.invite(error)
      }
    } else {
      throw NetworkSourceError.unknown(text)
    }
  }

  public var network: NetworkDescriptor {
    switch self {
    case .lan: .lan
    case .file(let network): network
    case .invite(let invite): invite.network
    }
  }

  /// Refuses an invite whose time is over; descriptors have none.
  public func check(at now: UnixTime) throws(NetworkSourceError) {
    switch self {
    case .lan, .file: return
    case .invite(let invite):
      do throws(InviteError) {
        try invite.check(at: now, uses: 0)
      } catch {
        throw .invite(error)
      }
    }
  }
}

extension NetworkDescriptor {
  /// The document of a data directory that holds the network it joined.
  public static let documentName = "network.toml"

  /// The network that a data directory joined; nil where it joined none.
  public static func joined(_ documents: DirectoryDocuments) throws -> NetworkDescriptor? {
    guard try documents.read(documentName) != nil else { return nil }
    return try NetworkDescriptor(file: "\(documents.path)/\(documentName)")
  }

  /// Makes this the network that the data directory's peer takes part in.
  public func join(_ documents: some DocumentStore) throws {
    try documents.write(
      Self.documentName, Array(fileText.utf8), isSecret: privateKey != nil)
  }

  /// What everybody who joins an open network must know; nil for a private one.
  public var warning: String? {
    guard admission == .open else { return nil }
    return "\(name) is an open network: anybody can join it, and the peers that compute a job can"
      + " read its prompt and its answer."
  }
}

extension UnixTime {
  /// The machine's clock.
  public static func now() -> UnixTime {
    UnixTime(nanoseconds: SystemClock().unixMilliseconds() &* 1_000_000)
  }
}
