// The flags that say how to generate: shared by every command that does.

import ArgumentParser
import ShoalInference
import ShoalNode

struct GenerationFlags: ParsableArguments {
  @Option(name: .customShort("n"), help: "Tokens to generate, at most.") var count: Int?
  @Option(help: "0 takes the best token.") var temperature: Float = 0.8
  @Option(help: "How many of the best tokens take part; 0: all that are gathered.") var topK = 40
  @Option(help: "The share of probability that takes part.") var topP: Float = 1
  @Option(help: "The least probability, as a share of the best token's.") var minP: Float = 0
  @Option(help: "The same seed gives the same text.") var seed: UInt64 = 0
  @Option(help: "A text that ends the generation; may be given again.") var stop: [String] = []

  func options(defaultCount: Int = 128) throws -> GenerationOptions {
    let count = count ?? defaultCount
    guard count >= 0 else { throw ValidationError("-n must not be negative") }
    var sampling = SamplingOptions()
    sampling.temperature = temperature
    sampling.topK = topK
    sampling.topP = topP
    sampling.minP = minP
    sampling.seed = seed
    try sampling.validate()
    return GenerationOptions(maximumTokens: count, sampling: sampling, stop: stop)
  }
}
