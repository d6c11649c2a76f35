// From what a client asks to what ranks are told; the same checks alone and over the mesh.

public import ShoalInference
public import ShoalProtocol

extension GenerationOrder {
  /// Tokens of one step through a prompt: twice the block that the matrix loops take at once
  /// (CKernels, `TOKEN_BLOCK`). Buffers hold that many rows, and each step exchanges its sums.
  package static let promptBatch = 192

  /// Refuses a prompt that the model cannot take.
  public init(
    prompt: [UInt32], options: GenerationOptions, manifest: ModelManifest
  ) throws(NodeError) {
    let shape = manifest.shape
    try manifest.checkGenerates()
    guard !prompt.isEmpty else { throw .emptyPrompt }
    if let bad = prompt.first(where: { $0 >= shape.vocabulary }) {
      throw .tokenOutOfRange(bad, vocabulary: shape.vocabulary)
    }
    guard prompt.count < shape.context else {
      throw .promptTooLong(tokens: prompt.count, context: shape.context)
    }
    guard !options.mustFit || prompt.count + options.maximumTokens <= shape.context else {
      throw .answerTooLong(
        prompt: prompt.count, answer: options.maximumTokens, context: shape.context)
    }
    self.init(
      prompt: prompt, maximumTokens: options.maximumTokens,
      context: min(shape.context, prompt.count + options.maximumTokens),
      batch: options.prefillsByStep ? 1 : min(Self.promptBatch, prompt.count),
      slices: options.needsSlices, candidates: options.candidatesNeeded)
  }
}

extension ModelManifest {
  /// Refuses to generate with a model that has no logits.
  public func checkGenerates() throws(NodeError) {
    guard shape.head.hasLogits else { throw .makesNoText(architecture) }
  }
}
