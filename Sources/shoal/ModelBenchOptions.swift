// `shoal bench MODEL`: which tests are run, and how they are shown.

import ArgumentParser
import Foundation
import ShoalInference
import ShoalLedger
import ShoalPeer
import ShoalProtocol
import ShoalSystem

struct ModelBenchOptions: ParsableArguments {
  @Argument(help: "A name in the store, or a GGUF file or directory.") var model: String?
  @Option(help: "Threads (default: one for each core).") var threads: Int?
  @Option(name: [.customShort("p"), .customLong("prompt")], help: "Tokens of the prompt; 0: none.")
  var prompt = 512
  @Option(name: [.customShort("n"), .customLong("generate")], help: "Single tokens; 0: none.")
  var generate = 64
  @Option(
    name: [.customShort("d"), .customLong("depth")],
    help: "Tokens that come before; several may be given.")
  var depth: [Int] = [0]
  @Option(name: [.customShort("r"), .customLong("repetitions")]) var repetitions = 5
  @Option(name: [.customShort("b"), .customLong("batch")], help: "Tokens of one prompt step.")
  var batch = 192
  @Option(help: "Kernels: avx512, avx2, neon or reference (default: the fastest).")
  var kernel: String?
  @Flag(help: "Drop the model from the system's file cache before it is loaded.") var cold = false

  func validate() throws {
    guard prompt >= 0, generate >= 0, prompt + generate > 0 else {
      throw ValidationError("one of -p and -n is at least 1")
    }
    guard repetitions > 0, batch > 0, (threads ?? 1) > 0, depth.allSatisfy({ $0 >= 0 }) else {
      throw ValidationError("-r, -b and --threads are at least 1, -d is at least 0")
    }
  }

  func run(_ store: LocalStore, json: Bool) throws {
    guard let model else { return }
    let bar = ProgressBar("importing")
    let entry = try store.resolve(model) { bar.show($0, $1) }
    bar.finish()
    let threads = threads ?? DeviceProbe.facts().cores
    let order = ModelBenchOrder(
      threads: threads, kernel: try KernelPath.named(kernel), batch: batch,
      repetitions: repetitions,
      longest: (depth.max() ?? 0) + max(prompt, generate))
    let bench = try ModelBench(store, entry.model, order: order, dropsCache: cold)
    let readRate = try MemoryProbe.readBytesPerSecond(threads: threads, kernels: Kernels())
    var results: [ModelBenchResult] = []
    for depth in depth.sorted() {
      if prompt > 0 { results.append(try bench.prompt(prompt, depth: depth)) }
      if generate > 0 { results.append(try bench.generate(generate, depth: depth)) }
    }
    let facts = ModelBenchFacts(
      model: entry.name, manifest: entry.model.raw.hex, kernel: order.kernel.rawValue,
      threads: threads, modelBytes: bench.modelBytes, loadSeconds: bench.loadSeconds,
      isCold: cold, residentBytes: DeviceProbe.residentBytes(),
      readBytesPerSecond: readRate, tests: results)
    if json { return try JSONOutput.print(facts) }
    for line in facts.table { print(line) }
  }
}

/// What `bench MODEL --json` prints.
struct ModelBenchFacts: Encodable {
  let model: String
  let manifest: String
  let kernel: String
  let threads: Int
  /// Bytes of the atoms.
  let modelBytes: UInt64
  /// From the store to a model that is ready: hashes checked, files mapped.
  let loadSeconds: Double
  let isCold: Bool
  /// Of this process after the tests, mapped weights included; nil where the system does not say.
  let residentBytes: UInt64?
  /// What the same threads read from memory when they do nothing else.
  let readBytesPerSecond: UInt64
  let tests: [ModelBenchResult]

  var table: [String] {
    let resident = residentBytes.map { ", resident \(ByteCount($0))" } ?? ""
    var lines = [
      "\(model): \(ByteCount(modelBytes)), loaded \(isCold ? "cold" : "warm") in "
        + String(format: "%.2f s", loadSeconds) + resident,
      "\(kernel), \(threads) threads; memory is read at "
        + String(format: "%.1f GB/s", Double(readBytesPerSecond) / 1e9),
      "test             tokens/s   least    most    GB/s  of memory    GOP/s",
    ]
    for test in tests {
      let rate = Double(test.bytesPerSecond)
      lines.append(
        test.name.padding(toLength: 14, withPad: " ", startingAt: 0)
          + String(
            format: " %10.2f %7.2f %7.2f %7.1f %8.0f %% %8.1f", test.tokensPerSecond, test.least,
            test.most, rate / 1e9, 100 * rate / Double(max(readBytesPerSecond, 1)),
            Double(test.operationsPerSecond) / 1e9))
    }
    return lines
  }
}
