// The safetensors of a directory as one set of tensors, in one file or in shards.

internal import ShoalProtocol

/// Tensors by name over one or more files.
public struct SafetensorsCheckpoint: Sendable {
  public let name: String
  public let files: [SafetensorsFile]
  /// Sorted.
  public let tensorNames: [String]
  private let places: [String: Place]

  private struct Place {
    let file: Int
    let tensor: SafetensorsTensor
  }

  static let single = "model.safetensors"
  static let index = "model.safetensors.index.json"

  /// Reads all headers. Where there is one file and an index, the file counts, as for
  /// transformers. Tensors of a shard that the index does not name are no part of the model.
  public init(_ directory: any ModelDirectory) throws {
    name = directory.name
    var places: [String: Place] = [:]
    if let source = try directory.file(Self.single) {
      let file = try SafetensorsFile(source)
      files = [file]
      for tensor in file.tensors { places[tensor.name] = Place(file: 0, tensor: tensor) }
    } else if let index = try directory.json(Self.index, limit: Limits.checkpointIndexBytes) {
      let map: [(tensor: String, shard: String)]
      do throws(JSONError) { map = try Self.weightMap(index) } catch {
        throw ModelDirectoryError.json(Self.index, directory: directory.name, error)
      }
      let shards = Set(map.map(\.shard)).sorted()
      files = try Self.open(shards, in: directory)
      places = try Self.find(map, in: shards, files, indexName: "\(directory.name)/\(Self.index)")
    } else {
      throw try Self.absence(directory)
    }
    self.places = places
    tensorNames = places.keys.sorted()
  }

  private static func weightMap(
    _ index: JSONNode
  ) throws(JSONError) -> [(tensor: String, shard: String)] {
    var map: [(String, String)] = []
    for (name, shard) in try index.require("weight_map").members() {
      map.append((name, try shard.string()))
    }
    return map
  }

  private static func open(
    _ shards: [String], in directory: any ModelDirectory
  ) throws -> [SafetensorsFile] {
    let index = "\(directory.name)/\(index)"
    guard shards.count <= Limits.checkpointShards else {
      throw SafetensorsError(
        file: index, reason: .tooMany(tensors: shards.count, limit: Limits.checkpointShards))
    }
    return try shards.map { shard in
      guard let source = try directory.file(shard) else {
        throw SafetensorsError(file: index, reason: .missingShard(shard))
      }
      return try SafetensorsFile(source)
    }
  }

  private static func find(
    _ map: [(tensor: String, shard: String)], in shards: [String], _ files: [SafetensorsFile],
    indexName: String
  ) throws(SafetensorsError) -> [String: Place] {
    var held: [String: [String: Place]] = [:]
    for (number, file) in files.enumerated() {
      for tensor in file.tensors {
        held[tensor.name, default: [:]][shards[number]] = Place(file: number, tensor: tensor)
      }
    }
    var places: [String: Place] = [:]
    for (tensor, shard) in map {
      guard let place = held[tensor]?[shard] else {
        throw SafetensorsError(
          file: indexName, tensor: tensor,
          reason: .notInShard(shard, foundIn: held[tensor]?.keys.min()))
      }
      places[tensor] = place
    }
    return places
  }

  /// What is wrong with a directory that has no safetensors.
  private static func absence(_ directory: any ModelDirectory) throws -> ModelDirectoryError {
    let pickles = [".bin", ".pt", ".pth", ".ckpt"]
    let pickle = try directory.fileNames().first { name in
      pickles.contains { name.hasSuffix($0) }
    }
    if let pickle { return .onlyPickles(pickle, directory: directory.name) }
    return .missing(single, directory: directory.name)
  }

  public func stored(_ name: String) -> SafetensorsTensor? { places[name]?.tensor }
}

extension SafetensorsCheckpoint: WeightSource {
  public var dialect: TensorDialect { .huggingFace }

  public func tensor(_ name: String) throws -> WeightTensor? {
    guard let stored = stored(name) else { return nil }
    guard let format = stored.dtype.format else {
      throw ModelError.unsupportedFormat(tensor: name, format: stored.dtype.rawValue)
    }
    return try WeightTensor(
      name: name, rows: stored.rows, columns: stored.columns, format: format)
  }

  public func withRows<Result>(
    _ rows: Range<Int>, of tensor: WeightTensor,
    _ body: (UnsafeRawBufferPointer) throws -> Result
  ) throws -> Result {
    guard let place = places[tensor.name] else { throw ModelError.missingTensor(tensor.name) }
    return try unsafe files[place.file].withRows(rows, of: place.tensor, body)
  }
}
