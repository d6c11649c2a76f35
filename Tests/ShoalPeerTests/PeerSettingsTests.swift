// Where the value of a setting comes from, and what is said of one that cannot be read.

import ShoalLedger
import ShoalPeer
import ShoalProtocol
import ShoalSystem
import Testing

@Suite struct PeerSettingsTests {
  private func settings(
    flags: [PeerSetting: String] = [:], environment: [String: String] = [:], file: String = ""
  ) throws -> PeerSettings {
    try PeerSettings(
      flags: flags, environment: environment,
      file: TOMLConfiguration.parse(file, file: "config.toml"))
  }

  @Test("a flag outdoes the environment, and that the file") func order() throws {
    let file = "threads = 1\nlargest-model = \"4GiB\"\n"
    let environment = ["SHOAL_THREADS": "2", "SHOAL_LARGEST_MODEL": ""]
    let all = try settings(flags: [.threads: "3"], environment: environment, file: file)
    #expect(all[.threads]?.text == "3")
    #expect(all[.threads]?.source == .flag("--threads"))
    let two = try settings(environment: environment, file: file)
    #expect(two[.threads]?.text == "2")
    #expect(two[.threads]?.source == .variable("SHOAL_THREADS"))
    // An empty variable is none.
    #expect(two[.largestModel]?.source == .file("config.toml", key: "largest-model"))
    let one = try settings(file: file)
    #expect(one[.threads]?.text == "1")
    #expect(try PeerOptions(one).threads == 1)
    #expect(try PeerOptions(one).publishers.modelLimit == 4 << 30)
    #expect(one[.kernel] == nil)
  }

  @Test("a key that nothing reads is refused by name") func unknown() throws {
    #expect(throws: ConfigurationError.unknown(file: "config.toml", keys: ["thread"])) {
      try settings(file: "thread = 2\n")
    }
    #expect(
      throws: ConfigurationError.wrongType(
        file: "config.toml", key: "threads", expected: "a string", found: "an array")
    ) {
      try settings(flags: [.threads: "2"], file: "threads = [2]\n")
    }
  }

  @Test(
    "a value that cannot be read is refused with where it stands",
    arguments: [
      (PeerSetting.threads, "none"), (.threads, "0"), (.memory, "6 apples"), (.listen, "here"),
      (.kernel, "mmx"), (.publishers, "you"), (.largestModel, "-1"), (.relay, "perhaps"),
      (.audit, "often"), (.audit, "-1"),
    ])
  func unreadable(_ setting: PeerSetting, _ text: String) throws {
    let settings = try settings(environment: [setting.variable: text])
    let error = #expect(throws: PeerError.self) { try PeerOptions(settings) }
    guard case .setting(let source, let value, _)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(source == setting.variable)
    #expect(value == text)
  }

  @Test("sizes are binary unless their unit ends in B alone")
  func sizes() {
    #expect(ByteCount(text: "6GiB")?.bytes == 6 << 30)
    #expect(ByteCount(text: "512m")?.bytes == 512 << 20)
    #expect(ByteCount(text: "2GB")?.bytes == 2_000_000_000)
    #expect(ByteCount(text: "1000")?.bytes == 1_000)
    for text in ["", "0", "GiB", "1X", "1GiBs", "99999999999999999999", "99999999T"] {
      #expect(ByteCount(text: text) == nil, "\(text)")
    }
  }
}
