// What of which stored tensor goes into which atom: the declaration's split, applied.

/// A tensor of an atom, and the rows and columns of the stored tensor that it is made of.
struct AtomPart {
  let tensor: AtomTensor
  let place: TensorPlace
  /// The stored tensor.
  let source: WeightTensor
  /// Outputs; of a vector: elements.
  let rows: Range<Int>
  /// Inputs; of a vector: 0..<1.
  let columns: Range<Int>
}

/// Finds the parts of each atom of one model.
struct AtomParts {
  let declaration: ModelDeclaration
  let source: any WeightSource
  let cut: AtomCut

  private var shape: Hyperparameters { declaration.shape }

  /// The parts of one atom, in the order of the declarations.
  func parts(of key: AtomKey) throws -> [AtomPart] {
    switch key {
    case .common:
      return try declaration.model.flatMap { try whole($0, layer: 0) }
        + (0..<shape.layers).flatMap { layer in
          try declaration.layer.flatMap { try whole($0, layer: layer) }
        }
    case .embedding(let block):
      return try vocabulary(.embedding, rows: cut.vocabularyRows(block))
    case .output(let block):
      let head = try vocabulary(.output, rows: cut.vocabularyRows(block))
      // A tied model's head is its embedding: the same bytes, so the same blob.
      return head.isEmpty ? try vocabulary(.embedding, rows: cut.vocabularyRows(block)) : head
    case .keyValue(let layer, let group):
      return try declaration.layer.flatMap { try keyValue($0, layer: layer, group: group) }
    case .query(let layer, let unit):
      let heads = cut.queryUnit(unit).heads
      return try declaration.layer.flatMap { try queries($0, layer: layer, heads: heads) }
    case .feedForward(let layer, let block):
      let block = cut.feedForwardBlock(block)
      return try declaration.layer.flatMap { try units($0, layer: layer, block: block) }
    case .recurrent(let layer, let block):
      let some = cut.channelBlock(block)
      return try declaration.layer.flatMap { try channels($0, layer: layer, some) }
    }
  }

  // MARK: Splits

  private func whole(_ declared: TensorDeclaration, layer: Int) throws -> [AtomPart] {
    let geometry = declared.role.geometry(shape)
    switch geometry.split {
    case .wholeVector:
      if shape.hasNormOfEachHead(declared.role) { return try headNorms(declared, layer: layer) }
      return try vector(declared, layer, index: layer, 0..<geometry.columns)
    case .wholeMatrix:
      return try matrix(
        declared, layer, index: layer, rows: 0..<geometry.rows, columns: 0..<geometry.columns)
    case _: return []
    }
  }

  /// A vector for each head, whether the file has one for each or one for all.
  private func headNorms(_ declared: TensorDeclaration, layer: Int) throws -> [AtomPart] {
    let dimension = shape.attention.headDimension
    let heads = declared.role.geometry(shape).columns / dimension
    return try (0..<heads).flatMap { head in
      let start = declared.place(source.dialect)?.isPerHead == true ? 0 : head * dimension
      return try vector(
        declared, layer, member: head, index: layer * heads + head, start..<start + dimension)
    }
  }

  /// Embedding rows and output rows are stored under one role, so that the atoms of a tied model
  /// are one blob.
  private func vocabulary(_ role: TensorRole, rows: Range<Int>) throws -> [AtomPart] {
    try declaration.model.filter { $0.role == role }.flatMap {
      try matrix($0, 0, as: .embedding, rows: rows, columns: 0..<shape.hidden)
    }
  }

  private func keyValue(
    _ declared: TensorDeclaration, layer: Int, group: Int
  ) throws -> [AtomPart] {
    let geometry = declared.role.geometry(shape)
    let range = wide(group..<group + 1)
    switch geometry.split {
    case .keyValueHeadRows:
      return try matrix(declared, layer, rows: range, columns: 0..<geometry.columns)
    case .keyValueHeadElements: return try vector(declared, layer, range)
    case _: return []
    }
  }

  private func queries(
    _ declared: TensorDeclaration, layer: Int, heads: Range<Int>
  ) throws -> [AtomPart] {
    let geometry = declared.role.geometry(shape)
    switch geometry.split {
    case .queryHeadRows:
      return try matrix(declared, layer, rows: wide(heads), columns: 0..<geometry.columns)
    case .queryHeadElements: return try vector(declared, layer, wide(heads))
    case .queryHeadColumns:
      return try heads.flatMap { head in
        try matrix(
          declared, layer, index: head, rows: 0..<geometry.rows, columns: wide(head..<head + 1))
      }
    case _: return []
    }
  }

  private func units(
    _ declared: TensorDeclaration, layer: Int, block: FeedForwardBlock
  ) throws -> [AtomPart] {
    let geometry = declared.role.geometry(shape)
    switch (geometry.split, block.expert) {
    case (.feedForwardRows, nil):
      return try matrix(declared, layer, rows: block.columns, columns: 0..<geometry.columns)
    case (.feedForwardElements, nil): return try vector(declared, layer, block.columns)
    case (.feedForwardColumns, nil):
      return try matrix(declared, layer, rows: 0..<geometry.rows, columns: block.columns)
    case (.expertRows, let expert?):
      let width = shape.feedForward.experts?.width ?? 0
      return try matrix(
        declared, layer, expert: expert, of: width, rows: block.columns,
        columns: 0..<geometry.columns)
    case (.expertColumns, let expert?):
      return try matrix(
        declared, layer, expert: expert, of: shape.hidden, rows: 0..<shape.hidden,
        columns: block.columns)
    case _: return []
    }
  }

  private func channels(
    _ declared: TensorDeclaration, layer: Int, _ some: Range<Int>
  ) throws -> [AtomPart] {
    let geometry = declared.role.geometry(shape)
    switch geometry.split {
    case .channelRows:
      return try matrix(declared, layer, rows: some, columns: 0..<geometry.columns)
    case .channelColumns:
      return try matrix(declared, layer, rows: 0..<geometry.rows, columns: some)
    case .channelElements: return try vector(declared, layer, some)
    case .channelTable:
      let width = geometry.columns
      return try vector(declared, layer, some.lowerBound * width..<some.upperBound * width)
    case _: return []
    }
  }

  private func wide(_ heads: Range<Int>) -> Range<Int> {
    let dimension = shape.attention.headDimension
    return heads.lowerBound * dimension..<heads.upperBound * dimension
  }

  // MARK: Parts

  /// Nothing where an optional tensor is absent.
  private func matrix(
    _ declared: TensorDeclaration, _ layer: Int, as role: TensorRole? = nil, index: Int = 0,
    expert: Int? = nil, of expertRows: Int = 0, rows: Range<Int>, columns: Range<Int>
  ) throws -> [AtomPart] {
    guard let (place, stored) = try find(declared, layer: layer, member: expert) else { return [] }
    let offset = place.isPerExpert ? 0 : (expert ?? 0) * expertRows
    let shifted = rows.lowerBound + offset..<rows.upperBound + offset
    return [
      AtomPart(
        tensor: AtomTensor(
          role: role ?? declared.role, index: index, layout: .packed, format: stored.format,
          rows: rows.count, firstColumn: columns.lowerBound, columns: columns.count),
        place: place, source: stored, rows: place.stored(shifted, of: declared.role, shape),
        columns: columns)
    ]
  }

  private func vector(
    _ declared: TensorDeclaration, _ layer: Int, member: Int? = nil, index: Int = 0,
    _ elements: Range<Int>
  ) throws -> [AtomPart] {
    guard let (place, stored) = try find(declared, layer: layer, member: member) else { return [] }
    return [
      AtomPart(
        tensor: AtomTensor(
          role: declared.role, index: index, layout: .vector, format: .f32, rows: 1,
          firstColumn: 0, columns: elements.count),
        place: place, source: stored, rows: place.stored(elements, of: declared.role, shape),
        columns: 0..<1)
    ]
  }

  /// The stored tensor of a declaration, of one of its experts or heads where each has its own;
  /// nil where it is optional and absent.
  func find(
    _ declared: TensorDeclaration, layer: Int, member: Int? = nil
  ) throws -> (TensorPlace, WeightTensor)? {
    guard let place = declared.place(source.dialect) else { return nil }
    for name in place.names(layer: layer, member: member) {
      for candidate in declaration.spellings(name) {
        if let tensor = try source.tensor(candidate) { return (place, tensor) }
      }
    }
    if declared.isOptional { return nil }
    throw ModelError.missingTensor(place.name(layer: layer, member: member))
  }
}
