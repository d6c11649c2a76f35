// Scaled rotary positions as `config.json` states them, in both dialects, against a plain Llama in
// f64 that is written here a second time.

import Foundation
import ShoalInference
import ShoalNode
import ShoalProtocol
import Testing

/// A `rope_scaling`, and what it makes of a frequency and of the amplitude.
struct ScalingCase: Sendable, CustomTestStringConvertible {
  let testDescription: String
  /// Members of the object.
  let json: String
  var amplitude = 1.0
  /// Frequency of pair i of 12, from theta = 10,000 and 24 elements.
  let frequency: @Sendable (Int) -> Double

  static func plain(_ pair: Int, theta: Double = 10_000) -> Double {
    pow(theta, -Double(2 * pair) / 24)
  }

  /// The model's context is 128, the text has 41 tokens.
  static let all: [ScalingCase] = [
    ScalingCase(testDescription: "none", json: "\"rope_type\": \"default\"") { plain($0) },
    ScalingCase(testDescription: "linear", json: "\"rope_type\": \"linear\", \"factor\": 4.0") {
      plain($0) / 4
    },
    ScalingCase(
      testDescription: "dynamic, within", json: "\"rope_type\": \"dynamic\", \"factor\": 2.0"
    ) { plain($0) },
    ScalingCase(
      testDescription: "dynamic, beyond",
      json: "\"rope_type\": \"dynamic\", \"factor\": 2.0, \"original_max_position_embeddings\": 16"
    ) { plain($0, theta: 10_000 * pow(2.0 * 41 / 16 - 1, 24.0 / 22)) },
    ScalingCase(
      testDescription: "llama3",
      json: "\"rope_type\": \"llama3\", \"factor\": 8.0, \"low_freq_factor\": 1.0,"
        + "\"high_freq_factor\": 4.0, \"original_max_position_embeddings\": 32"
    ) { pair in
      let (frequency, turns) = (plain(pair), 32 * plain(pair) / (2 * .pi))
      let blend = min(1, max(0, (turns - 1) / 3))
      return (1 - blend) * frequency / 8 + blend * frequency
    },
    ScalingCase(
      testDescription: "yarn",
      json: "\"rope_type\": \"yarn\", \"factor\": 4.0, \"original_max_position_embeddings\": 64,"
        + "\"beta_fast\": 8.0, \"beta_slow\": 2.0",
      amplitude: 0.1 * log(4) + 1
    ) { pair in
      let place = { (turns: Double) in 24 * log(64 / (turns * 2 * .pi)) / (2 * log(10_000)) }
      let (low, high) = (max(0, place(8).rounded(.down)), place(2).rounded(.up))
      let ramp = min(1, max(0, (Double(pair) - low) / (high - low)))
      return plain(pair) / 4 * ramp + plain(pair) * (1 - ramp)
    },
    ScalingCase(
      testDescription: "longrope, beyond",
      json: factors + ", \"original_max_position_embeddings\": 32",
      amplitude: (1 + log(4) / log(32)).squareRoot()
    ) { plain($0) / (2 + Double($0) / 2) },
    ScalingCase(
      testDescription: "longrope, within",
      json: factors + ", \"original_max_position_embeddings\": 64",
      amplitude: (1 + log(2) / log(64)).squareRoot()
    ) { plain($0) / (1 + Double($0) / 4) },
  ]

  private static let factors =
    "\"rope_type\": \"longrope\", \"short_factor\": \((0..<12).map { 1 + Double($0) / 4 }),"
    + "\"long_factor\": \((0..<12).map { 2 + Double($0) / 2 })"
}

@Suite struct ScaledRotaryTests {
  @Test(arguments: ScalingCase.all)
  func `logits are those of a plain Llama in f64`(_ scaling: ScalingCase) async throws {
    var model = try HubModel(family: "llama")
    model.config["partial_rotary_factor"] = "1.0"
    model.config["sliding_window"] = "null"
    let prompt = (0..<40).map { UInt32($0 * 37 % 290 + 5) }
    let expected = PlainLlama(model).logits(
      prompt, frequencies: (0..<12).map(scaling.frequency), amplitude: scaling.amplitude)
    for key in ["rope_scaling", "rope_parameters"] {
      model.config["rope_scaling"] = "null"
      model.config[key] = "{\(scaling.json)}"
      let found = try await Engine(.directory(model.directory)).generate(
        prompt, count: 1, logits: true)
      let distance = LogitDistance(found.logits[0], from: expected)
      #expect(distance.largest < 1e-4, "\(key): \(distance)")
    }
  }
}

/// 6 heads of 24 in 2 groups, four layers, gated SiLU: `HubModel` of the family "llama".
private struct PlainLlama {
  private var weights: [String: [Double]] = [:]
  private let hidden = 144

  init(_ model: HubModel) {
    for tensor in model.tensors {
      weights[tensor.name] = stride(from: 0, to: tensor.bytes.count, by: 4).map { at in
        Double(
          Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(tensor.bytes[at + $1]) << (8 * $1) }))
      }
    }
  }

  private func weight(_ name: String) -> [Double] { weights[name + ".weight"] ?? [] }

  /// weight * x + bias.
  private func product(_ name: String, _ x: [Double]) -> [Double] {
    let (weight, bias) = (weight(name), weights[name + ".bias"])
    return (0..<weight.count / x.count).map { row -> Double in
      var sum = bias?[row] ?? 0
      for (index, value) in x.enumerated() { sum += weight[row * x.count + index] * value }
      return sum
    }
  }

  private func norm(_ name: String, _ x: [Double]) -> [Double] {
    let mean = x.reduce(0) { $0 + $1 * $1 } / Double(x.count)
    let inverse = 1 / (mean + 1e-5).squareRoot()
    return zip(x, weight(name)).map { $0 * inverse * $1 }
  }

  private func turned(
    _ head: [Double], _ position: Int, _ frequencies: [Double], _ amplitude: Double
  ) -> [Double] {
    var head = head
    for (pair, frequency) in frequencies.enumerated() {
      let angle = Double(position) * frequency
      let (c, s) = (cos(angle) * amplitude, sin(angle) * amplitude)
      let (first, second) = (head[pair], head[pair + 12])
      head[pair] = first * c - second * s
      head[pair + 12] = second * c + first * s
    }
    return head
  }

  func logits(_ tokens: [UInt32], frequencies: [Double], amplitude: Double) -> [Float] {
    let table = weight("model.embed_tokens")
    var rows = tokens.map { Array(table[Int($0) * hidden..<(Int($0) + 1) * hidden]) }
    for layer in 0..<4 {
      let (attention, mlp) = ("model.layers.\(layer).self_attn", "model.layers.\(layer).mlp")
      let inputs = rows.map { norm("model.layers.\(layer).input_layernorm", $0) }
      let heads = { (name: String, isTurned: Bool) -> [[[Double]]] in
        inputs.enumerated().map { position, input -> [[Double]] in
          let all = product("\(attention).\(name)", input)
          return stride(from: 0, to: all.count, by: 24).map { start -> [Double] in
            let head = Array(all[start..<start + 24])
            return isTurned ? turned(head, position, frequencies, amplitude) : head
          }
        }
      }
      let (queries, keys) = (heads("q_proj", true), heads("k_proj", true))
      let values = heads("v_proj", false)
      for position in rows.indices {
        let mixed = (0..<6).flatMap { head -> [Double] in
          attend(
            queries[position][head], keys[...position].map { $0[head / 3] },
            values[...position].map { $0[head / 3] })
        }
        rows[position] = zip(rows[position], product("\(attention).o_proj", mixed)).map { $0 + $1 }
        let input = norm("model.layers.\(layer).post_attention_layernorm", rows[position])
        let gated = zip(product("\(mlp).gate_proj", input), product("\(mlp).up_proj", input))
          .map { $0 / (1 + exp(-$0)) * $1 }
        rows[position] = zip(rows[position], product("\(mlp).down_proj", gated)).map { $0 + $1 }
      }
    }
    return product("lm_head", norm("model.norm", rows[rows.count - 1])).map { Float($0) }
  }

  private func attend(_ query: [Double], _ keys: [[Double]], _ values: [[Double]]) -> [Double] {
    let scale = 1 / 24.0.squareRoot()
    let scores = keys.map { key -> Double in
      var sum = 0.0
      for (left, right) in zip(query, key) { sum += left * right }
      return sum * scale
    }
    let largest = scores.max() ?? 0
    let weights = scores.map { exp($0 - largest) }
    let total = weights.reduce(0, +)
    return (0..<24).map { index -> Double in
      var sum = 0.0
      for (weight, value) in zip(weights, values) { sum += weight * value[index] }
      return sum / total
    }
  }
}
