// The diagram of docs/ARCHITECTURE.md as a table: which room may import which.

extension TidyRule {
  /// What each module of ours may import of ours, all that is below it.
  static let diagram: [String: Set<String>] = {
    let core: Set<String> = ["ShoalProtocol", "ShoalInference", "ShoalSecurity", "ShoalLedger"]
    let node = core.union(["ShoalNode"])
    return [
      "CKernels": [], "CPlatform": [], "CSecp256k1": [], "CSodium": [],
      "ShoalProtocol": [],
      "ShoalInference": ["ShoalProtocol", "CKernels"],
      "ShoalSecurity": ["ShoalProtocol", "CSodium"],
      "ShoalLedger": ["ShoalProtocol"],
      "ShoalEthereum": ["ShoalProtocol", "ShoalSecurity", "ShoalLedger", "CSecp256k1"],
      "ShoalNode": core,
      "ShoalSystem": node.union(["CPlatform"]),
      "ShoalGateway": node,
      "ShoalSimulation": node,
      "ShoalPeer": node.union(["ShoalSystem"]),
      "shoal": node.union([
        "ShoalSystem", "ShoalPeer", "ShoalGateway", "ShoalSimulation", "ShoalEthereum",
      ]),
    ]
  }()

  /// The rooms that open nothing: they decide, or compute, or perform effects over seams.
  static let pure: Set<String> = [
    "ShoalProtocol", "ShoalInference", "ShoalSecurity", "ShoalLedger", "ShoalNode",
  ]
  static let operatingSystem: Set<String> = [
    "Foundation", "FoundationNetworking", "Dispatch", "Glibc", "Musl", "Darwin",
  ]

  static let importsRunDownward = TidyRule("imports run downward only") { file in
    guard file.isSwift else { return [] }
    guard let allowed = diagram[file.module] else {
      return [Violation(path: file.path, line: 1, message: "\(file.module) is not in the diagram")]
    }
    return file.code.enumerated().compactMap { number, line in
      guard let module = importedModule(line) else { return nil }
      let isUpward = diagram[module] != nil && !allowed.contains(module)
      let isOutside = pure.contains(file.module) && operatingSystem.contains(module)
      guard isUpward || isOutside else { return nil }
      return Violation(
        path: file.path, line: number + 1, message: "\(file.module) imports \(module)")
    }
  }

  /// The module of an import line; nil for any other line.
  private static func importedModule(_ line: String) -> String? {
    var words = line.split(separator: " ")
    let modifiers: Set<Substring> = ["public", "package", "internal", "private", "fileprivate"]
    while let first = words.first, modifiers.contains(first) || first.hasPrefix("@") {
      words.removeFirst()
    }
    guard words.first == "import", words.count > 1 else { return nil }
    let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "func", "var", "let"]
    let name = kinds.contains(words[1]) && words.count > 2 ? words[2] : words[1]
    return name.split(separator: ".").first.map(String.init)
  }
}
