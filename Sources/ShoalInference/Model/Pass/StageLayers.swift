// Something for each layer of a pipeline stage, found by the layer's number in the model.

/// Indices are layer numbers, from the stage's first layer on.
struct StageLayers<Element>: RandomAccessCollection {
  let startIndex: Int
  private let elements: [Element]

  init(from first: Int, _ elements: [Element]) {
    startIndex = first
    self.elements = elements
  }

  var endIndex: Int { startIndex + elements.count }
  subscript(layer: Int) -> Element { elements[layer - startIndex] }
}

extension StageLayers: Sendable where Element: Sendable {}
