// How tokens are chosen and shown, as bytes: part of the record that a job is continued from.

internal import ShoalInference
internal import ShoalProtocol

extension GenerationOptions {
  private static let wireFormat: UInt8 = 2

  var bytes: [UInt8] {
    var writer = ByteWriter()
    writer.integer(Self.wireFormat)
    writer.integer(UInt32(clamping: maximumTokens))
    writer.list(stop) { $0.string($1) }
    writer.integer(UInt8((prefillsByStep ? 1 : 0) | (wantsLogits ? 2 : 0)))
    let floats = [
      sampling.temperature, sampling.topP, sampling.minP, sampling.repetitionPenalty,
      sampling.presencePenalty, sampling.frequencyPenalty,
    ]
    for value in floats { writer.integer(value.bitPattern) }
    writer.integer(UInt32(clamping: sampling.topK))
    writer.integer(sampling.seed)
    writer.integer(UInt16(clamping: topLogprobs.map { $0 + 1 } ?? 0))
    switch format {
    case .text: writer.integer(UInt8(0))
    case .json: writer.integer(UInt8(1))
    case .schema(let schema):
      writer.integer(UInt8(2))
      writer.string(schema)
    }
    writer.list(bias) { writer, one in
      writer.integer(one.token)
      writer.integer(one.amount.bitPattern)
    }
    return writer.bytes
  }

  init(bytes: [UInt8]) throws(WireError) {
    var reader = ByteReader(bytes)
    let format = try reader.integer(UInt8.self)
    guard format == Self.wireFormat else { throw .unknown(field: "options", value: UInt64(format)) }
    let maximum = Int(try reader.integer(UInt32.self))
    let stop = try reader.list("stop", limit: 256) { reader throws(WireError) in
      try reader.string("stop", limit: 4_096)
    }
    let flags = try reader.integer(UInt8.self)
    var floats: [Float] = []
    for _ in 0..<6 { floats.append(Float(bitPattern: try reader.integer())) }
    var sampling = SamplingOptions()
    sampling.temperature = floats[0]
    sampling.topP = floats[1]
    sampling.minP = floats[2]
    sampling.repetitionPenalty = floats[3]
    sampling.presencePenalty = floats[4]
    sampling.frequencyPenalty = floats[5]
    sampling.topK = Int(try reader.integer(UInt32.self))
    sampling.seed = try reader.integer()
    do { try sampling.validate() } catch { throw .invalid(field: "sampling") }
    self.init(maximumTokens: maximum, sampling: sampling, stop: stop)
    prefillsByStep = flags & 1 != 0
    wantsLogits = flags & 2 != 0
    let top = Int(try reader.integer(UInt16.self))
    topLogprobs = top > 0 ? top - 1 : nil
    self.format = try Self.answerFormat(&reader)
    bias = try reader.list("bias", limit: Self.biasLimit) { reader throws(WireError) in
      let token = try reader.integer(UInt32.self)
      let amount = Float(bitPattern: try reader.integer(UInt32.self))
      guard amount.isFinite else { throw .invalid(field: "bias") }
      return TokenBias(token: token, amount: amount)
    }
    try reader.finish()
  }

  /// Tokens whose logits one request may change.
  public static let biasLimit = 1_024

  private static func answerFormat(
    _ reader: inout ByteReader
  ) throws(WireError) -> AnswerFormat {
    switch try reader.integer(UInt8.self) {
    case 0: return .text
    case 1: return .json
    case 2: return .schema(try reader.string("schema", limit: AnswerFormat.schemaBytes))
    case let other: throw .unknown(field: "answer format", value: UInt64(other))
    }
  }
}
