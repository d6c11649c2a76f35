// What requests may ask for: the bounds, and the errors that name them.

import ShoalInference
import ShoalProtocol

enum RequestChecks {
  /// Of a request's body: a prompt of 256 k tokens as text fits.
  static let bodyBytes = 1 << 20
  /// More than the context of any model seen.
  static let maximumTokens = 1 << 20
  /// Stop strings are compared at each character of the text.
  static let stops = 16
  static let stopBytes = 256

  /// Of one prompt or several; each is a generation.
  static let choices = 128
  /// What OpenAI's reference states.
  static let topLogprobs = 20

  static func range<Value: Comparable>(
    _ field: String, _ value: Value, _ allowed: ClosedRange<Value>
  ) throws(RequestError) {
    guard allowed.contains(value) else {
      throw .outOfRange(
        field: field, value: "\(value)",
        allowed: "\(allowed.lowerBound) to \(allowed.upperBound)")
    }
  }

  static func stops(_ strings: [String]) throws(RequestError) {
    guard strings.count <= stops else {
      throw .outOfRange(
        field: "stop", value: "\(strings.count) strings", allowed: "at most \(stops)")
    }
    for string in strings where string.isEmpty || string.utf8.count > stopBytes {
      throw .outOfRange(
        field: "stop", value: "\(string.utf8.count) bytes long", allowed: "1 to \(stopBytes)")
    }
  }

  static func sampling(_ options: SamplingOptions) throws(RequestError) {
    do {
      try options.validate()
    } catch {
      switch error {
      case .optionOutOfRange(let name, let value):
        throw .outOfRange(field: name, value: "\(value)", allowed: "in its range")
      case .noCandidate:
        throw .outOfRange(field: "top_k", value: "\(options.topK)", allowed: "0 or more")
      }
    }
  }

  static func objective(_ name: String?) throws(RequestError) -> PlanObjective {
    guard let name else { return .latency }
    guard let objective = PlanObjective.allCases.first(where: { $0.name == name }) else {
      throw .notOneOf(
        field: "objective", value: name, allowed: PlanObjective.allCases.map(\.name))
    }
    return objective
  }
}
