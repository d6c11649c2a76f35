// Words that declarations of tensors are made of: a product with its bias, a norm with its bias.

extension [TensorDeclaration] {
  /// Whether a family's tensors of this kind have a bias.
  enum Biases {
    case none
    case always
    case sometimes
  }

  /// A family's tensors, part by part.
  static func all(_ parts: [Self]) -> Self { parts.flatMap(\.self) }

  /// A matrix, named without its ending, and its bias.
  static func product(
    _ role: TensorRole, _ gguf: String, _ huggingFace: String, biases: Biases = .none,
    fused: (gguf: TensorPlace.Fusion, huggingFace: TensorPlace.Fusion) = (.none, .none),
    transposed: Bool = false
  ) -> Self {
    let weight = Element(
      role, TensorPlace("\(gguf).weight", fusion: fused.gguf),
      TensorPlace("\(huggingFace).weight", fusion: fused.huggingFace, isTransposed: transposed))
    guard let bias = role.bias, biases != .none else { return [weight] }
    return [
      weight,
      Element(
        bias, TensorPlace("\(gguf).bias", fusion: fused.gguf),
        TensorPlace("\(huggingFace).bias", fusion: fused.huggingFace),
        optional: biases == .sometimes),
    ]
  }

  /// A norm, named without its ending. `addsOne`: checkpoints store weight - 1 (Gemma); GGUF files
  /// have it added.
  static func norm(
    _ role: TensorRole, _ gguf: String, _ huggingFace: String, bias: TensorRole? = nil,
    addsOne: Bool = false, optional: Bool = false
  ) -> Self {
    norm(
      role, [gguf], [huggingFace], bias: bias, addsOne: addsOne, optional: optional)
  }

  /// A norm that is called differently in some files: the first name that is there counts.
  static func norm(
    _ role: TensorRole, _ gguf: [String], _ huggingFace: [String], bias: TensorRole? = nil,
    addsOne: Bool = false, optional: Bool = false
  ) -> Self {
    let place = { (names: [String], ending: String, addsOne: Bool) in
      let names = names.map { $0 + ending }
      return TensorPlace(names[0], orElse: [String](names.dropFirst()), addsOne: addsOne)
    }
    let weight = Element(
      role, place(gguf, ".weight", false), place(huggingFace, ".weight", addsOne),
      optional: optional)
    guard let bias else { return [weight] }
    return [
      weight,
      Element(
        bias, place(gguf, ".bias", false), place(huggingFace, ".bias", false), optional: true),
    ]
  }

  /// The embedding, and a head that is absent where it is tied to the embedding.
  static func vocabulary(_ embedding: String, head: String = "lm_head") -> Self {
    product(.embedding, "token_embd", embedding) + [
      .init(.output, "output.weight", TensorPlace("\(head).weight"), optional: true)
    ]
  }
}

extension TensorRole {
  /// The role of the bias that is added to this product.
  fileprivate var bias: TensorRole? {
    switch self {
    case .query: .queryBias
    case .key: .keyBias
    case .value: .valueBias
    case .attentionOutput: .attentionOutputBias
    case .gate: .gateBias
    case .up: .upBias
    case .down: .downBias
    case _: nil
    }
  }
}
