// Which models' sequences may begin with what others have computed.

public import ShoalInference
public import ShoalProtocol

extension PrefixSharing {
  /// What the past of a sequence is in models of a shape.
  public init(_ shape: Hyperparameters) {
    self =
      if shape.recurrent != nil {
        .never
      } else if shape.attention.rotaries.contains(where: \.scaling.dependsOnContext) {
        .inEqualContexts
      } else {
        .always
      }
  }
}
