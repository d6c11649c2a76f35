// Why a model was refused: which key, tensor or atom, and the numbers.

public import ShoalProtocol

/// Why a model was refused. Each case names the key or tensor and carries the numbers.
public enum ModelError: Error, Sendable, Hashable {
  case unknownArchitecture(String, known: [String])
  case missing(key: String)
  case outOfRange(key: String, value: Int, allowed: ClosedRange<Int>)
  case indivisible(key: String, value: Int, by: String, divisor: Int)
  /// A number that must be finite and positive.
  case notFinite(key: String)
  case wrongCount(key: String, expected: Int, found: Int)
  case missingTensor(String)
  case wrongShape(tensor: String, expected: [Int], found: [Int])
  case unsupportedFormat(tensor: String, format: String)
  case damagedAtom(BlobID, reason: String)
  case damagedManifest(WireError)
  /// A manifest that another version of Shoal wrote.
  case otherVersion(found: Int, known: Int)
  case unsupportedFeature(String)
}

extension ModelError: CustomStringConvertible {
  /// One line for a person.
  public var description: String {
    switch self {
    case .unknownArchitecture(let name, let known):
      "the architecture \(name) is not known; known are \(known.joined(separator: ", "))"
    case .missing(let key): "\(key) is missing"
    case .outOfRange(let key, let value, let allowed):
      "\(key) is \(value); \(allowed.lowerBound) to \(allowed.upperBound) are read"
    case .indivisible(let key, let value, let by, let divisor):
      "\(key) (\(value)) is no multiple of \(by) (\(divisor))"
    case .notFinite(let key): "\(key) is not a positive, finite number"
    case .wrongCount(let key, let expected, let found):
      "\(key) have \(found) entries, not \(expected)"
    case .missingTensor(let name): "the tensor \(name) is missing"
    case .wrongShape(let tensor, let expected, let found):
      "the tensor \(tensor) has the shape \(found), not \(expected)"
    case .unsupportedFormat(let tensor, let format):
      "the tensor \(tensor) is stored as \(format); known are \(WeightFormat.names)"
    case .damagedAtom(let blob, let reason): "the atom \(blob) is damaged: \(reason)"
    case .damagedManifest(let error): "the manifest is damaged: \(error)"
    case .otherVersion(let found, let known):
      "the model was imported by another version of Shoal (manifest version \(found), this one"
        + " reads \(known)): import it again"
    case .unsupportedFeature(let feature): "\(feature): this model needs what is not computed yet"
    }
  }
}
