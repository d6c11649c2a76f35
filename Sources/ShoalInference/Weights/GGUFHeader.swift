// The order in which a GGUF header is read and what must hold between its parts.

import ShoalProtocol

extension GGUFFile {
  /// Magic, version, counts, metadata, tensor table; then padding up to the weights.
  struct Header {
    let version: UInt32
    let metadata: GGUFMetadata
    let tensors: [String: GGUFTensor]
    let tensorNames: [String]
    let alignment: UInt64
    let weightsStart: UInt64

    init(_ cursor: inout GGUFCursor, fileBytes: UInt64) throws(GGUFError) {
      version = try Header.version(&cursor)
      let tensorCount = try Header.count(
        &cursor, "tensor count", eachAtLeast: 32, limit: Limits.ggufTensors)
      let metadataCount = try Header.count(
        &cursor, "metadata count", eachAtLeast: 13, limit: Limits.ggufMetadataEntries)
      metadata = try Header.metadata(&cursor, count: metadataCount)
      alignment = try Header.alignment(metadata)

      let entries = try Header.entries(&cursor, count: tensorCount)
      let end = UInt64(cursor.position)
      weightsStart = (end + alignment - 1) / alignment * alignment
      var sound: [String: GGUFTensor] = [:]
      for (index, entry) in entries.enumerated() {
        cursor.place = .tensor(entry: index, name: entry.name)
        sound[entry.name] = try cursor.tensor(
          entry, weightsStart: weightsStart, alignment: alignment, fileBytes: fileBytes)
      }
      tensors = sound
      tensorNames = entries.map(\.name)
      try Header.refuseOverlaps(entries, tensors, &cursor)
    }
  }
}

extension GGUFFile.Header {
  /// "GGUF" as a little-endian number.
  private static let magic: UInt32 = 0x4655_4747

  private static func version(_ cursor: inout GGUFCursor) throws(GGUFError) -> UInt32 {
    let magic = try cursor.integer(UInt32.self)
    guard magic == Self.magic else { throw cursor.refusal(.notGGUF(magic: magic), at: 0) }
    let version = try cursor.integer(UInt32.self)
    if version & 0xffff == 0, version != 0 {
      throw cursor.refusal(.bigEndian(version: version.byteSwapped), at: 4)
    }
    guard version == 2 || version == 3 else { throw cursor.refusal(.version(version), at: 4) }
    return version
  }

  private static func count(
    _ cursor: inout GGUFCursor, _ field: String, eachAtLeast least: Int, limit: Int
  ) throws(GGUFError) -> Int {
    let start = cursor.position
    let count = try cursor.count(eachAtLeast: least)
    guard count <= limit else {
      throw cursor.refusal(
        .tooLong(field: field, limit: limit, announced: UInt64(count)), at: start)
    }
    return count
  }

  private static func metadata(
    _ cursor: inout GGUFCursor, count: Int
  ) throws(GGUFError) -> GGUFMetadata {
    var values: [String: GGUFValue] = [:]
    var offsets: [String: UInt64] = [:]
    for entry in 0..<count {
      cursor.place = .metadata(entry: entry, key: nil)
      let start = cursor.position
      let key = try cursor.name("key", limit: Limits.ggufKeyBytes)
      cursor.place = .metadata(entry: entry, key: key)
      guard values[key] == nil else { throw cursor.refusal(.duplicate(name: key), at: start) }
      values[key] = try cursor.value()
      offsets[key] = UInt64(start)
    }
    return GGUFMetadata(file: cursor.file, values: values, offsets: offsets)
  }

  /// 32 unless the file says otherwise.
  private static func alignment(_ metadata: GGUFMetadata) throws(GGUFError) -> UInt64 {
    let key = "general.alignment"
    let stated = try metadata.integerIfPresent(key) ?? 32
    guard stated >= 8, stated <= 1 << 30, stated & (stated - 1) == 0 else {
      throw GGUFError(
        file: metadata.file, place: .key(key), offset: metadata.offsets[key],
        reason: .alignment(UInt64(bitPattern: Int64(stated))))
    }
    return UInt64(stated)
  }

  private static func entries(
    _ cursor: inout GGUFCursor, count: Int
  ) throws(GGUFError) -> [GGUFTensorEntry] {
    var entries: [GGUFTensorEntry] = []
    var names: Set<String> = []
    for index in 0..<count {
      cursor.place = .tensor(entry: index, name: nil)
      let entry = try cursor.tensorEntry()
      guard names.insert(entry.name).inserted else {
        throw cursor.refusal(.duplicate(name: entry.name), at: entry.position)
      }
      entries.append(entry)
    }
    return entries
  }

  private static func refuseOverlaps(
    _ entries: [GGUFTensorEntry], _ tensors: [String: GGUFTensor], _ cursor: inout GGUFCursor
  ) throws(GGUFError) {
    let order = entries.indices.sorted {
      (entries[$0].relativeOffset, $0) < (entries[$1].relativeOffset, $1)
    }
    for (before, after) in zip(order, order.dropFirst()) {
      guard let first = tensors[entries[before].name], let second = tensors[entries[after].name]
      else { continue }
      guard first.range.upperBound <= second.offset else {
        cursor.place = .tensor(entry: after, name: second.name)
        throw cursor.refusal(.overlaps(tensor: first.name), at: entries[after].position)
      }
    }
  }
}
