// Where a tensor lies in a model file: its name in each dialect, and what was joined with it there.

/// Where to find a tensor. `{layer}`, `{expert}` and `{head}` in its name stand for their numbers.
public struct TensorPlace: Sendable, Hashable, ExpressibleByStringLiteral {
  /// What a file keeps in one tensor that a model has as several.
  public enum Fusion: Sendable, Hashable {
    /// A tensor of its own.
    case none
    /// All query heads, then all key heads, then all value heads.
    case queriesKeysValues
    /// For each group its query heads, its key head, its value head.
    case byGroup
    /// All rows of gate, then all of up.
    case gateThenUp
    /// All channels' inputs, then all their gates.
    case inputThenGate
  }

  /// As declared.
  public let name: String
  /// What other files of the family call it.
  public let otherNames: [String]
  public let fusion: Fusion
  /// Stored as (inputs, outputs).
  public let isTransposed: Bool
  /// Stored as weight - 1.
  public let addsOne: Bool
  /// Stored as x where the model has -exp(x).
  public let isLogarithm: Bool
  /// Rows in front that are no part of the model.
  public let skips: Int
  /// Whether each layer has a tensor of its own.
  public let isOfLayer: Bool
  /// Whether each expert has.
  public let isPerExpert: Bool
  /// Whether each head has.
  let isPerHead: Bool
  /// The names, cut where numbers come in: 28,000 atoms ask for them.
  private let pieces: [[Substring]]

  public init(
    _ name: String, orElse otherNames: [String] = [], fusion: Fusion = .none,
    isTransposed: Bool = false, addsOne: Bool = false, isLogarithm: Bool = false, skips: Int = 0
  ) {
    self.name = name
    self.otherNames = otherNames
    self.fusion = fusion
    self.isTransposed = isTransposed
    self.addsOne = addsOne
    self.isLogarithm = isLogarithm
    self.skips = skips
    pieces = ([name] + otherNames).map {
      $0.split(omittingEmptySubsequences: false) { $0 == "{" || $0 == "}" }
    }
    isOfLayer = pieces[0].contains("layer")
    isPerExpert = pieces[0].contains("expert")
    isPerHead = pieces[0].contains("head")
  }
  public init(stringLiteral name: String) { self.init(name) }

  public static func fused(_ name: String, _ fusion: Fusion) -> TensorPlace {
    TensorPlace(name, fusion: fusion)
  }
  public static func addingOne(_ name: String) -> TensorPlace { TensorPlace(name, addsOne: true) }

  /// What most files call it; `member` is the number of an expert or of a head.
  public func name(layer: Int, member: Int? = nil) -> String {
    Self.name(pieces[0], layer, member)
  }

  /// All that files may call it, as above first.
  func names(layer: Int, member: Int? = nil) -> [String] {
    pieces.map { Self.name($0, layer, member) }
  }

  private static func name(_ pieces: [Substring], _ layer: Int, _ member: Int?) -> String {
    pieces.reduce(into: "") { name, piece in
      switch piece {
      case "layer": name += String(layer)
      case "expert", "head": name += String(member ?? 0)
      case _: name += piece
      }
    }
  }
}

/// One tensor of a model or of each of its layers.
public struct TensorDeclaration: Sendable, Hashable {
  public let role: TensorRole
  /// Nil: no file of that dialect has it.
  public let gguf: TensorPlace?
  public let huggingFace: TensorPlace?
  /// Absent in some models of the family: a tied head, a bias.
  public let isOptional: Bool

  public init(
    _ role: TensorRole, _ gguf: TensorPlace?, _ huggingFace: TensorPlace?, optional: Bool = false
  ) {
    self.role = role
    self.gguf = gguf
    self.huggingFace = huggingFace
    isOptional = optional
  }

  public func place(_ dialect: TensorDialect) -> TensorPlace? {
    switch dialect {
    case .gguf: gguf
    case .huggingFace: huggingFace
    }
  }

  /// Whether every layer has one.
  public var isOfLayer: Bool { (gguf ?? huggingFace)?.isOfLayer ?? false }
}

extension TensorPlace {
  /// Rows (of a vector: elements) of the stored tensor that holds all `count` of this role.
  func storedCount(_ count: Int, _ shape: Hyperparameters) -> Int {
    let attention = shape.attention
    switch fusion {
    case .none: return skips + count
    case .queriesKeysValues, .byGroup:
      return (attention.heads + 2 * attention.keyValueHeads) * attention.headDimension
    case .gateThenUp, .inputThenGate: return 2 * count
    }
  }

  /// Where the role's rows `range`, which lie within one group of heads, are among those stored.
  func stored(_ range: Range<Int>, of role: TensorRole, _ shape: Hyperparameters) -> Range<Int> {
    let dimension = shape.attention.headDimension
    let queries = shape.headsPerGroup * dimension
    let groups = shape.attention.keyValueHeads
    let part: Part? = Part(role)
    let start: Int
    switch (fusion, part) {
    case (.none, _), (_, nil): start = skips + range.lowerBound
    case (.gateThenUp, let part?):
      start = range.lowerBound + (part == .up ? shape.feedForward.width : 0)
    case (.inputThenGate, _?): start = range.lowerBound + (shape.recurrent?.channels ?? 0)
    case (.queriesKeysValues, let part?):
      let before = [Part.query: 0, .key: groups * queries, .value: groups * (queries + dimension)]
      start = range.lowerBound + (before[part] ?? 0)
    case (.byGroup, let part?):
      let (group, within) = range.lowerBound.quotientAndRemainder(
        dividingBy: part == .query ? queries : dimension)
      let before = [Part.query: 0, .key: queries, .value: queries + dimension]
      start = group * (queries + 2 * dimension) + (before[part] ?? 0) + within
    }
    return start..<start + range.count
  }

  /// What a role is of a fused tensor.
  private enum Part {
    case query
    case key
    case value
    case gate
    case up
    case recurrentGate

    init?(_ role: TensorRole) {
      switch role {
      case .query, .queryBias: self = .query
      case .key, .keyBias: self = .key
      case .value, .valueBias: self = .value
      case .gate, .gateBias: self = .gate
      case .up, .upBias: self = .up
      case .recurrentGate: self = .recurrentGate
      case _: return nil
      }
    }
  }
}
