// Plans that hold atoms lower on devices without room, and the models that are made of them.

import Foundation
import ShoalInference
import ShoalNode
import ShoalProtocol
import ShoalSystem
import Testing

@Suite struct PrecisionPlanTests {
  private static func plan(
    _ ids: [String], objective: PlanObjective, context: Int = 2_048
  ) throws -> (plan: DevicePlan, devices: [DeviceProfile]) {
    let outline = try ModelOutline(.directory(HeaderPlanTests.llama70B))
    let devices = try HeaderPlanTests.devices(ids)
    let plan = try DevicePlan(
      shape: ModelShape(outline), over: devices, objective: objective, context: context,
      lower: try ModelShape.lower(outline))
    return (plan, devices)
  }

  /// Every head, column and row once in each stage, and nobody over 80 % of its memory.
  private static func check(_ plan: DevicePlan, _ devices: [DeviceProfile]) throws {
    let members = plan.report.members
    let stages = plan.report.plan.stages.count
    #expect(members.reduce(0) { $0 + $1.headsPerLayer } == 64 * stages)
    #expect(members.reduce(0) { $0 + $1.feedForwardColumns } == 28_672 * stages)
    // The embedding in the first stage, the head in the last.
    #expect(members.reduce(0) { $0 + $1.vocabularyRows } == 128_256 * min(2, stages))
    for member in members {
      let name = try #require(plan.names[member.peer])
      let device = try #require(devices.first { name.hasPrefix($0.id) })
      #expect(member.bytes.bytes <= device.usableMemory.bytes / 10 * 8, "\(name)")
    }
  }

  /// A group of 8 heads weighs 3.0 GB in bf16 over 80 layers, 1.6 GB in INT8, 0.86 GB in INT4; the
  /// phone may fill 2.7 GB, the budget phone 0.96 GB. The desktop's 17.6 GB are an eighth of the
  /// model in bf16, so that it has 8 of 64 heads; what it cannot hold, the large machine does.
  @Test func `phones hold the heads of a 70B in INT8 and INT4, a desktop holds its own as stored`()
    throws
  {
    let (plan, devices) = try Self.plan(
      ["rtx4090-desktop", "iphone-15-pro", "budget-android", "mac-studio-m3-ultra"],
      objective: .spread)
    try Self.check(plan, devices)
    let members = Dictionary(
      uniqueKeysWithValues: plan.report.members.map { (plan.names[$0.peer] ?? "", $0) })
    #expect(members["rtx4090-desktop"]?.precision == .f16)
    #expect(members["rtx4090-desktop"]?.headsPerLayer == 8)
    #expect(members["mac-studio-m3-ultra"]?.precision == .f16)
    #expect(members["iphone-15-pro"]?.precision == .q8_0)
    #expect(members["iphone-15-pro"]?.headsPerLayer == 8)
    #expect(members["budget-android"]?.precision == .q4_0)
    #expect(members["budget-android"]?.headsPerLayer == 8)
    #expect(members["mac-studio-m3-ultra"]?.headsPerLayer == 40)
  }

  @Test func `a 70B that fits nowhere as stored falls device by device, the smallest first`() throws
  {
    let (plan, devices) = try Self.plan(
      Array(repeating: "rtx4090-desktop", count: 6) + ["iphone-15-pro", "budget-android"],
      objective: .throughput)
    try Self.check(plan, devices)
    let members = plan.report.members
    let order: [AtomPrecision] = [.f16, .q8_0, .q4_0]
    let level = { (member: PlanMember) in order.firstIndex(of: member.precision) ?? 3 }
    #expect(Set(members.map(level)).count > 1 || members.allSatisfy { level($0) > 0 })
    let memory = { (member: PlanMember) throws -> UInt64 in
      let name = try #require(plan.names[member.peer])
      return try #require(devices.first { name.hasPrefix($0.id) }).usableMemory.bytes
    }
    for one in members {
      for other in members {
        let isSmaller = try memory(one) < memory(other)
        if isSmaller { #expect(level(one) >= level(other)) }
      }
    }
  }

  @Test func `what fits as stored is held as stored, and formats are part of a plan's name`()
    throws
  {
    let (plan, _) = try Self.plan(
      Array(repeating: "rtx4090-desktop", count: 10), objective: .throughput)
    #expect(plan.report.members.allSatisfy { $0.precision == .f16 })
    let stages = plan.report.plan.stages.map { stage in
      PlanStage(
        layers: stage.layers,
        ranks: stage.ranks.map {
          PlanRank(
            peer: $0.peer, precision: .q8_0, slots: $0.slots, residentBytes: $0.residentBytes)
        })
    }
    let whole = plan.report.plan
    let lower = ShardPlan(
      plannerVersion: whole.plannerVersion, model: whole.model, objective: whole.objective,
      precision: whole.precision, contextTokens: whole.contextTokens,
      slotCounts: whole.slotCounts, stages: stages)
    #expect(lower.canonicalBytes != whole.canonicalBytes)
    #expect(try ShardPlan(decoding: lower.canonicalBytes) == lower)
  }

  /// Half the slots in one format, half in another: one model, the same bits however it is dealt.
  @Test(arguments: [WeightFormat.f32, .f16])
  func `a model of several formats has one digest by one rank and by three`(
    _ stored: WeightFormat
  ) async throws {
    var llama = TinyLlama.smallest
    (llama.format, llama.downFormat) = (stored, stored)
    llama.feedForward = 96
    let files = ModelFiles.gguf(
      MemoryByteSource(name: "mixed.gguf", bytes: try llama.file().bytes))
    let base = try Engine(files)
    let cut = base.manifest.cut
    let shares = RankShare.split(cut, weights: [2, 1, 1])
    var map = PrecisionMap()
    map.lower(shares[1].keys(cut), to: .q8_0)
    map.lower(shares[2].keys(cut), to: .q4_0)
    let mixed = try Engine(files, precision: map)
    #expect(mixed.model != base.model)
    #expect(mixed.manifest.byteCount < base.manifest.byteCount)
    // Atoms that keep their format keep their name.
    let kept = zip(base.manifest.atoms, mixed.manifest.atoms).filter { $0.blob == $1.blob }
    #expect(kept.contains { $0.0.key == .common })
    #expect(kept.count < base.manifest.atoms.count)
    #expect(try Engine(files, precision: map).model == mixed.model)
    let prompt: [UInt32] = [1, 5, 9, 30, 2, 7]
    let alone = try await mixed.generate(prompt, count: 12)
    for weights in [[2, 1, 1], [1, 3], [5, 2, 1, 1]] {
      let dealt = try await mixed.generate(prompt, count: 12, Dealing(weights: weights))
      #expect(dealt.digest == alone.digest, "\(weights)")
    }
    #expect(try await base.generate(prompt, count: 12).digest != alone.digest)
  }

  /// Lowering at import is what quantising the file before would have been.
  @Test func `a whole model in INT8 computes what a file quantised to it computes`() async throws {
    var llama = TinyLlama.smallest
    (llama.format, llama.downFormat, llama.feedForward) = (.f32, .f32, 96)
    let files = ModelFiles.gguf(
      MemoryByteSource(name: "f32.gguf", bytes: try llama.file().bytes))
    let base = try Engine(files)
    var map = PrecisionMap()
    map.lower(base.manifest.cut.keys, to: .q8_0)
    let lowered = try Engine(files, precision: map)
    for atom in lowered.manifest.atoms where atom.key != .common {
      let original = try #require(base.manifest.atoms.first { $0.key == atom.key })
      #expect(atom.byteCount < original.byteCount / 2, "\(atom.key)")
    }
    let tokens = try await lowered.generate([1, 5, 9], count: 4, logits: true)
    let expected = try await base.generate([1, 5, 9], count: 4, logits: true)
    let distance = LogitDistance(tokens.logits[0], from: expected.logits[0])
    #expect(distance.typical < 0.1, "\(distance)")
    #expect(distance.typical > 0)
  }
}
