// The canonical bytes of a record: one record, one encoding, so that a hash over it is a name.

extension CapabilityRecord {
  private static let format: UInt16 = 2

  /// Canonical bytes, at most `Limits.recordBytes`. The caller keeps the limits of the fields.
  public var bytes: [UInt8] {
    var writer = ByteWriter(reserving: 512)
    writer.integer(Self.format)
    writer.id(peer)
    writer.integer(version)
    writer.raw(handshakeKey.bytes)
    writer.list(endpoints) { $0.endpoint($1) }
    writer.string(profile)
    writer.integer(emulationFactor)
    writer.integer(services.rawValue)
    writer.string(failureDomain)
    writer.string(clique)
    writer.integer(latencyPriorMicroseconds)
    writer.integer(memory.total.bytes)
    writer.integer(memory.usable.bytes)
    write(compute, to: &writer)
    writer.integer(linkBandwidth.code)
    writer.integer(linkLatencyMicroseconds)
    writer.integer(outsideLatencyMicroseconds)
    writer.integer(outsideBandwidth.code)
    writer.integer(disk.bytes)
    writer.list(models.sorted { $0.model < $1.model }) { writer, holding in
      writer.id(holding.model)
      writer.flag(holding.isComplete)
    }
    writer.integer(UInt8(announcementCursor == nil ? 0 : 1))
    if let announcementCursor { writer.integer(announcementCursor) }
    payment?.write(to: &writer)
    return writer.bytes
  }

  private func write(_ compute: ComputeFigures, to writer: inout ByteWriter) {
    writer.integer(compute.cores)
    writer.integer(compute.kernels.rawValue)
    writer.string(compute.numerics)
    let vector = compute.matrixVector
    for figure in [vector.f32, vector.f16, vector.q8, vector.q4, compute.matrixMatrix] {
      writer.integer(figure.code)
    }
  }

  /// Reads the version alone.
  static func statedVersion(_ bytes: [UInt8]) -> UInt64? {
    var reader = ByteReader(bytes)
    guard let stated: UInt16 = try? reader.integer(), stated == format,
      (try? reader.bytes32()) != nil
    else { return nil }
    return try? reader.integer()
  }

  /// Reads canonical bytes; refuses every other encoding of the same facts.
  public init(bytes: [UInt8]) throws(WireError) {
    guard bytes.count <= Limits.recordBytes else {
      throw .tooLong(field: "record", limit: Limits.recordBytes, announced: bytes.count)
    }
    var reader = ByteReader(bytes)
    let format: UInt16 = try reader.integer()
    guard format == Self.format else {
      throw .unknown(field: "record format", value: UInt64(format))
    }
    peer = try reader.id()
    version = try reader.integer()
    guard version < Incarnation.versionBound else { throw .invalid(field: "version") }
    handshakeKey = try reader.bytes32()
    endpoints = try reader.endpoints()
    profile = try reader.string("profile", limit: 64)
    emulationFactor = try reader.integer()
    services = PeerServices(rawValue: try reader.integer())
    failureDomain = try reader.string("failure domain", limit: 64)
    clique = try reader.string("clique", limit: 32)
    latencyPriorMicroseconds = try reader.integer()
    memory = MemoryFigures(
      total: ByteCount(try reader.integer(UInt64.self)),
      usable: ByteCount(try reader.integer(UInt64.self)))
    compute = try reader.computeFigures()
    linkBandwidth = try reader.figure("link bandwidth")
    linkLatencyMicroseconds = try reader.integer()
    outsideLatencyMicroseconds = try reader.integer()
    outsideBandwidth = try reader.figure("outside bandwidth")
    disk = ByteCount(try reader.integer(UInt64.self))
    models = try reader.holdings()
    announcementCursor = try reader.flag("cursor") ? try reader.integer() : nil
    payment = try PaymentTerms.last(of: &reader)
    try reader.finish()
  }
}

extension ByteWriter {
  /// One byte of length (4 or 16), the address, the port.
  mutating func endpoint(_ endpoint: Endpoint) {
    integer(UInt8(endpoint.address.count))
    raw(endpoint.address)
    integer(endpoint.port)
  }
}

extension ByteReader {
  mutating func endpoint() throws(WireError) -> Endpoint {
    let length = Int(try integer(UInt8.self))
    guard length == 4 || length == 16 else { throw .invalid(field: "address length") }
    let address = Array(try take(length))
    let port: UInt16 = try integer()
    // An IPv4 address in IPv6 clothes has a shorter form; only that one is canonical.
    guard let endpoint = Endpoint(address: address, port: port), endpoint.address == address else {
      throw .invalid(field: "address")
    }
    return endpoint
  }

  mutating func endpoints() throws(WireError) -> [Endpoint] {
    try list("endpoints", limit: Limits.endpointsPerPeer) { (reader) throws(WireError) in
      try reader.endpoint()
    }
  }

  mutating func figure(_ field: String) throws(WireError) -> BucketedFigure {
    let code: UInt16 = try integer()
    guard let figure = BucketedFigure(code: code) else {
      throw .unknown(field: field, value: UInt64(code))
    }
    return figure
  }

  fileprivate mutating func computeFigures() throws(WireError) -> ComputeFigures {
    ComputeFigures(
      cores: try integer(), kernels: KernelClasses(rawValue: try integer()),
      numerics: try string("numerics", limit: 16),
      matrixVector: WeightThroughput(
        f32: try figure("f32"), f16: try figure("f16"), q8: try figure("q8"), q4: try figure("q4")),
      matrixMatrix: try figure("matrix-matrix"))
  }

  fileprivate mutating func holdings() throws(WireError) -> [ModelHolding] {
    let models = try list("models", limit: Limits.modelsPerRecord) { (reader) throws(WireError) in
      ModelHolding(model: try reader.id(), isComplete: try reader.flag("complete"))
    }
    guard zip(models, models.dropFirst()).allSatisfy({ $0.model < $1.model }) else {
      throw .invalid(field: "order of models")
    }
    return models
  }
}
