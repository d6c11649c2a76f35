// What a person set of a peer, and where: by a flag, else the environment, else config.toml.

public import ShoalProtocol
public import ShoalSystem

/// What can be set. The raw value is the key in `config.toml`, and the flag without its dashes.
public enum PeerSetting: String, CaseIterable, Hashable, Sendable {
  case network
  case listen
  case api
  case profile
  case memory
  case threads
  case kernel
  case traces
  case log
  case logLevel = "log-level"
  case publishers
  case largestModel = "largest-model"
  case relay
  case portMapping = "port-mapping"
  case price
  case pays
  case credit
  case budget
  case window
  case audit

  public var flag: String { "--\(rawValue)" }

  /// Such as SHOAL_LARGEST_MODEL.
  public var variable: String {
    "SHOAL_" + rawValue.uppercased().map { $0 == "-" ? "_" : String($0) }.joined()
  }
}

/// The values of all settings as they were written, each with its source.
public struct PeerSettings: Hashable, Sendable {
  /// Where a value came from, in the order in which they are asked.
  public enum Source: Hashable, Sendable {
    case flag(String)
    case variable(String)
    case file(String, key: String)

    /// For a person: `--threads`, `SHOAL_THREADS`, `config.toml`'s path and key.
    public var name: String {
      switch self {
      case .flag(let name), .variable(let name): name
      case .file(let path, let key): "\(key) in \(path)"
      }
    }
  }

  public struct Value: Hashable, Sendable {
    public let text: String
    public let source: Source
  }

  /// The name of the file in a data directory.
  public static let fileName = "config.toml"

  private var values: [PeerSetting: Value] = [:]

  /// - Parameters:
  ///   - flags: what the command line said.
  ///   - environment: all variables; an empty one counts as not set.
  ///   - file: `config.toml`; nil where there is none.
  ///   - path: what errors call the file.
  /// - Throws: where the file has a key that nothing reads, or a value of the wrong type.
  public init(
    flags: [PeerSetting: String], environment: [String: String], file: ConfigurationTable?,
    path: String = PeerSettings.fileName
  ) throws(ConfigurationError) {
    var file = file
    for setting in PeerSetting.allCases {
      // Taken in any case: a key is known even where a flag outdoes it.
      let written = try file?.optionalText(setting.rawValue)
      if let text = flags[setting] {
        values[setting] = Value(text: text, source: .flag(setting.flag))
      } else if let text = environment[setting.variable], !text.isEmpty {
        values[setting] = Value(text: text, source: .variable(setting.variable))
      } else if let written {
        values[setting] = Value(
          text: written, source: .file(path, key: setting.rawValue))
      }
    }
    try file?.finish()
  }

  /// Nil where nobody set it.
  public subscript(setting: PeerSetting) -> Value? { values[setting] }

  /// A setting as what it stands for; nil where nobody set it.
  ///
  /// - Parameters:
  ///   - setting: the one that is read.
  ///   - expected: what it must be, for the error.
  ///   - read: nil of a text that is none.
  public func value<Result>(
    _ setting: PeerSetting, _ expected: String, _ read: (String) -> Result?
  ) throws(PeerError) -> Result? {
    guard let value = values[setting] else { return nil }
    guard let result = read(value.text) else {
      throw .setting(source: value.source.name, value: value.text, expected: expected)
    }
    return result
  }

  /// An address and a port.
  public func endpoint(_ setting: PeerSetting) throws(PeerError) -> Endpoint? {
    try value(setting, "an address and a port, such as 127.0.0.1:7434") { Endpoint($0) }
  }
}

extension PeerSettings {
  /// The settings of a data directory.
  public init(
    flags: [PeerSetting: String], environment: [String: String], in store: LocalStore
  ) throws {
    let path = "\(store.documents.path)/\(Self.fileName)"
    let file =
      try store.documents.read(Self.fileName) == nil ? nil : TOMLConfiguration.read(file: path)
    try self.init(flags: flags, environment: environment, file: file, path: path)
  }
}
