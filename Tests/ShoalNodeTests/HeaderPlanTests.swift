// Plans from a header alone, over the devices of Peers/.

import Foundation
import ShoalInference
import ShoalNode
import ShoalProtocol
import ShoalSystem
import Testing

@Suite struct HeaderPlanTests {
  /// Llama 3 70B as its configuration states it, without a byte of weights.
  static let llama70B = MemoryDirectory(files: [
    "config.json": Array(
      """
      {"model_type": "llama", "hidden_size": 8192, "intermediate_size": 28672,
       "num_hidden_layers": 80, "num_attention_heads": 64, "num_key_value_heads": 8,
       "vocab_size": 128256, "max_position_embeddings": 8192, "rms_norm_eps": 1e-05,
       "rope_theta": 500000.0, "tie_word_embeddings": false, "torch_dtype": "bfloat16"}
      """.utf8)
  ])

  static func devices(_ ids: [String]) throws -> [DeviceProfile] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../Peers").standardizedFileURL.path
    return try ids.map { try DeviceProfile(file: "\(folder)/\($0).toml") }
  }

  @Test func `a header says what a 70B weighs, atom by atom`() throws {
    let outline = try ModelOutline(.directory(Self.llama70B))
    #expect(outline.architecture == "llama")
    #expect(outline.format == .bf16 && !outline.isTied)
    // 70.55 G parameters of two bytes; atoms are padded by less than a hundredth.
    let bytes = outline.sizes.reduce(0) { $0 + $1.byteCount }
    #expect((141_000_000_000...142_500_000_000).contains(bytes))
    // Per layer 8 groups, 8 units of 8 heads, 112 blocks of 256 columns; 501 blocks of vocabulary.
    #expect(outline.sizes.count == 1 + 80 * (8 + 8 + 112) + 2 * 501)
  }

  @Test func `a header's sizes are those of the imported model`() throws {
    for family in ["llama", "phi3", "qwen2_moe", "gpt2"] {
      let model = try HubModel(family: family)
      let manifest = try Engine(.directory(model.directory)).manifest
      let outline = try ModelOutline(.directory(model.directory))
      #expect(outline.shape == manifest.shape)
      #expect(outline.sizes.map(\.key) == manifest.atoms.map(\.key))
      #expect(outline.sizes.map(\.byteCount) == manifest.atoms.map(\.byteCount), "\(family)")
    }
    let file = try TinyLlama.smallest.file().bytes
    let manifest = try Engine(file).manifest
    // The header alone: what follows it has not been downloaded.
    let weights = try GGUFFile(MemoryByteSource(name: "whole", bytes: file)).weightsStart
    let header = MemoryByteSource(name: "header", bytes: Array(file.prefix(Int(weights))))
    let outline = try ModelOutline(.gguf(header))
    #expect(outline.sizes.map(\.byteCount) == manifest.atoms.map(\.byteCount))
  }

  /// What is no whole blocks of a format is reckoned as it is stored.
  @Test func `a header's sizes in lower formats are those of the derived model`() throws {
    var llama = TinyLlama.smallest
    (llama.format, llama.downFormat, llama.feedForward) = (.f32, .f32, 96)
    var models = [
      ModelFiles.gguf(MemoryByteSource(name: "f32.gguf", bytes: try llama.file().bytes))
    ]
    for family in ["phi3", "qwen2_moe", "gpt2"] {
      models.append(.directory(try HubModel(family: family).directory))
    }
    for files in models {
      let outline = try ModelOutline(files)
      for (format, sizes) in try outline.lowerSizes() {
        var map = PrecisionMap()
        map.lower(AtomCut(outline.shape).keys, to: format)
        let manifest = try Engine(files, precision: map).manifest
        #expect(sizes.map(\.key) == manifest.atoms.map(\.key))
        #expect(
          sizes.map(\.byteCount) == manifest.atoms.map(\.byteCount), "\(files.name) \(format)")
      }
    }
  }

  /// A 70B in bf16 is 141 GB: a key-value group with its 8 heads alone weighs 3.0 GB over all
  /// layers, and a 4090 offers 17.6 GB.
  @Test func `a 70B in bf16 over a desktop and two phones is refused with what each has`() throws {
    let outline = try ModelOutline(.directory(Self.llama70B))
    let devices = try Self.devices(["rtx4090-desktop", "iphone-15-pro", "budget-android"])
    let error = #expect(throws: PlanError.self) {
      try DevicePlan(
        shape: ModelShape(outline), over: devices, objective: .spread, context: 2_048)
    }
    guard case .doesNotFit(let needed, let available)? = error else {
      Issue.record("unexpected \(String(describing: error))")
      return
    }
    #expect(needed > .gibibytes(131))
    // 80 % of what each offers.
    #expect(
      available.map(\.available.bytes).sorted() == [960_000_000, 2_720_000_000, 17_600_000_000])
  }

  @Test func `with as many desktops as it takes every device has its part, within its memory`()
    throws
  {
    let outline = try ModelOutline(.directory(Self.llama70B))
    let devices = try Self.devices(
      Array(repeating: "rtx4090-desktop", count: 9) + [
        "iphone-15-pro", "budget-android", "macbook-air-m2",
      ])
    let plan = try DevicePlan(
      shape: ModelShape(outline), over: devices, objective: .spread, context: 2_048)
    let members = plan.report.members
    #expect(members.reduce(0) { $0 + $1.headsPerLayer } == 64)
    #expect(members.reduce(0) { $0 + $1.feedForwardColumns } == 28_672)
    #expect(members.reduce(0) { $0 + $1.vocabularyRows } == 128_256)
    for member in members {
      let name = try #require(plan.names[member.peer])
      let device = try #require(devices.first { name.hasPrefix($0.id) })
      #expect(member.bytes.bytes <= device.usableMemory.bytes / 10 * 8, "\(name)")
    }
  }
}
