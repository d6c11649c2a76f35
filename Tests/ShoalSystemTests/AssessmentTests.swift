// A device looks at itself: every figure is there, in time, and the profile says the same.

import Foundation
import ShoalInference
import ShoalProtocol
import ShoalSystem
import Testing

@Suite(.timeLimit(.minutes(10))) struct AssessmentTests {
  @Test("an assessment measures every format, batches, disk and loopback, and leaves no file")
  func full() async throws {
    let folder = try TemporaryFolder()
    let assessment = try await Assessment.measure(
      in: folder.path, budget: .milliseconds(240), threads: 2)
    for precision in AtomPrecision.allCases {
      // Slower than the slowest reference loop, or faster than any memory: not measured at all.
      let rate = assessment.decodeBytesPerSecond[precision]
      #expect((1_000_000...10_000_000_000_000).contains(rate), "\(precision.name): \(rate)")
    }
    #expect(assessment.prefillOperationsPerSecond > 1_000_000)
    let disk = try #require(assessment.disk)
    #expect(disk.writeBytesPerSecond > 0 && disk.readBytesPerSecond > 0)
    let loopback = try #require(assessment.loopback)
    #expect(loopback.bytesPerSecond > 1_000_000)
    #expect(loopback.roundTrip > .zero && loopback.roundTrip < .seconds(1))
    #expect(assessment.freeDisk > .zero)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
  }

  @Test("a quick assessment looks at kernels only")
  func quick() async throws {
    let folder = try TemporaryFolder()
    let assessment = try await Assessment.measure(
      in: folder.path, budget: .milliseconds(300), depth: .quick)
    #expect(assessment.disk == nil && assessment.loopback == nil)
    #expect(assessment.threads == DeviceProbe.facts().cores)
    #expect(AtomPrecision.allCases.allSatisfy { assessment.decodeBytesPerSecond[$0] > 0 })
  }

  @Test("a folder that is not there is named, not measured")
  func noFolder() async {
    await #expect(throws: SystemCallError.self) {
      _ = try await Assessment.measure(in: "/none", budget: .milliseconds(60))
    }
  }

  @Test("the profile is what was measured, half of free memory where nothing is told")
  func profile() async throws {
    let folder = try TemporaryFolder()
    let assessment = try await Assessment.measure(
      in: folder.path, budget: .milliseconds(300), depth: .quick)
    let profile = assessment.profile()
    #expect(profile.decodeBytesPerSecond == assessment.decodeBytesPerSecond)
    #expect(profile.usableMemory.bytes == assessment.facts.availableMemory.bytes / 2)
    let told = ByteCount.mebibytes(64)
    #expect(assessment.profile(usableMemory: told).usableMemory == told)
    let toldTooMuch = ByteCount(UInt64.max)
    #expect(assessment.profile(usableMemory: toldTooMuch).usableMemory == assessment.facts.memory)
  }

  @Test("a data directory without a profile measures once and keeps it")
  func stored() async throws {
    let folder = try TemporaryFolder()
    let documents = try DirectoryDocuments(path: folder.path)
    var measurements = 0
    let first = try await Assessment.storedProfile(in: documents) { measurements += 1 }
    let second = try await Assessment.storedProfile(in: documents) { measurements += 1 }
    #expect(measurements == 1)
    #expect(first == second)
    let text = try String(contentsOfFile: "\(folder.path)/profile.toml", encoding: .utf8)
    #expect(text.contains("measured by shoal assess"))
  }
}

@Suite struct NetworkFactsTests {
  @Test("the interface of the default route is the one that leads outside")
  func route() {
    let header = "Iface\tDestination\tGateway \tFlags\n"
    let local = "docker0\t000011AC\t00000000\t0001\n"
    #expect(NetworkFacts.defaultInterface(header + local) == nil)
    let outside = "wlan0\t00000000\t0100A8C0\t0003\n"
    #expect(NetworkFacts.defaultInterface(header + local + outside) == "wlan0")
    #expect(NetworkFacts.defaultInterface("") == nil)
  }

  @Test(
    "a rate becomes what TCP carries of it; what is no rate is none",
    arguments: [("1000\n", 117_685_305), ("100", 11_768_530), ("-1\n", nil), ("", nil), ("x", nil)]
      as [(String, UInt64?)])
  func payload(megabits: String, bytes: UInt64?) {
    #expect(NetworkFacts.payload(megabits: megabits) == bytes)
  }
}
