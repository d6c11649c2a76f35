// What an import checks before it writes anything: every declared tensor is there, in the right
// shape and in a format that kernels know, and no other tensor is.

extension ModelImporter {
  static func check(_ parts: AtomParts) throws {
    var known: Set<String> = []
    let declaration = parts.declaration
    for declared in declaration.model { try check(declared, layer: 0, parts, &known) }
    for layer in 0..<declaration.shape.layers {
      for declared in declaration.layer { try check(declared, layer: layer, parts, &known) }
    }
    if let stranger = parts.source.tensorNames.first(where: {
      !known.contains($0) && !declaration.ignores($0)
    }) {
      throw ModelError.unsupportedFeature("tensor \(stranger)")
    }
  }

  private static func check(
    _ declared: TensorDeclaration, layer: Int, _ parts: AtomParts, _ known: inout Set<String>
  ) throws {
    guard let place = declared.place(parts.source.dialect) else { return }
    let shape = parts.declaration.shape
    for member in 0..<place.memberCount(declared.role, shape) {
      guard let (_, found) = try parts.find(declared, layer: layer, member: member) else { return }
      known.insert(found.name)
      let expected = place.storedShape(declared.role, parts.declaration.shape)
      guard found.rows == expected.rows, found.columns == expected.columns else {
        throw ModelError.wrongShape(
          tensor: found.name, expected: [expected.rows, expected.columns],
          found: [found.rows, found.columns])
      }
    }
  }
}

extension TensorPlace {
  /// Tensors of a role in each layer of a file: several where each expert or head has its own.
  func memberCount(_ role: TensorRole, _ shape: Hyperparameters) -> Int {
    if isPerExpert { return shape.feedForward.experts?.count ?? 0 }
    guard isPerHead else { return 1 }
    return role.geometry(shape).columns / shape.attention.headDimension
  }

  /// Rows and columns of the stored tensor.
  package func storedShape(
    _ role: TensorRole, _ shape: Hyperparameters
  ) -> (rows: Int, columns: Int) {
    let geometry = role.geometry(shape)
    switch geometry.split {
    case .wholeVector:
      guard shape.hasNormOfEachHead(role) else { return (1, geometry.columns) }
      let dimension = shape.attention.headDimension
      return (isPerHead ? 1 : geometry.columns / dimension, dimension)
    case .queryHeadElements, .keyValueHeadElements, .feedForwardElements, .channelElements:
      return (1, storedCount(geometry.columns, shape))
    case .wholeMatrix, .vocabularyRows, .queryHeadRows, .keyValueHeadRows, .queryHeadColumns,
      .feedForwardRows, .feedForwardColumns, .channelRows, .channelColumns, .channelTable:
      let rows = storedCount(geometry.rows, shape)
      return isTransposed ? (geometry.columns, rows) : (rows, geometry.columns)
    case .expertRows, .expertColumns:
      let experts = isPerExpert ? shape.feedForward.experts?.count ?? 1 : 1
      return (geometry.rows / max(1, experts), geometry.columns)
    }
  }
}
