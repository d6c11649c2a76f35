// A small language for what one peer believes: "B alive, C suspect@2 by D". Letters are peers.
import ShoalProtocol

extension PeerID {
  /// `A` is peer 0, which is the one that the stories are about.
  init(letter: Character) {
    self = .numbered(Int(letter.asciiValue!) - Int(Character("A").asciiValue!))
  }
}

struct MembershipStory {
  static let letters: [Character] = ["A", "B", "C", "D", "E"]
  var core: MembershipCore
  var random = SeededGenerator(1)
  var now = Moment.milliseconds(0)

  /// Peer A with everybody else of the first letters alive. It probes nobody and gossips about
  /// nothing by itself, so that only what it hears counts.
  init(peers: Int, verify: @escaping RecordVerification = TestSignature.verify) {
    var configuration = MembershipConfiguration()
    configuration.gossipInterval = .seconds(3_600)
    configuration.probeInterval = .seconds(36_000)
    configuration.suspicionFactor = 0
    configuration.lookers = 0
    core = MembershipCore(peer: .numbered(0), configuration: configuration, verify: verify)
    _ = hear(.localRecord(TestSignature.sign(.plain(0))))
    for peer in 1..<peers {
      let record = TestSignature.sign(.plain(peer))
      _ = hear(.received(.records([record]), from: .numbered(peer), at: .numbered(peer)))
    }
  }

  mutating func hear(_ event: MembershipEvent) -> [MembershipEffect] {
    core.handle(event, at: now, using: &random)
  }

  /// Hears claims, as written, from `sender`.
  mutating func hear(_ claims: String, from sender: Character = "E") -> [MembershipEffect] {
    let sender = PeerID(letter: sender)
    let updates = claims.split(separator: ", ").map { Self.update(String($0)) }
    return hear(.received(.updates(updates), from: sender, at: .numbered(4)))
  }

  /// `B suspect@2 by D`: peer, claim, denials (0 where not said), observer (D where not said).
  static func update(_ text: String) -> MemberUpdate {
    let words = text.split(separator: " ")
    let parts = words[1].split(separator: "@")
    let denials = parts.count > 1 ? UInt16(parts[1])! : 0
    let observer = PeerID(letter: words.count > 3 ? words[3].first! : "D")
    let claim: MemberClaim =
      switch parts[0] {
      case "alive": .alive
      case "suspect": .suspect(observer: observer)
      case "dead": .dead
      case "left": .left
      case let other: preconditionFailure("no claim: \(other)")
      }
    return MemberUpdate(
      PeerID(letter: words[0].first!), Incarnation(version: 1, denials: denials), claim)
  }

  /// What A believes of `letter`, in the same language.
  func belief(about letter: Character) -> String {
    guard let member = core.table[PeerID(letter: letter)] else { return "\(letter) unknown" }
    let denials = member.incarnation.denials
    return "\(letter) \(member.state)" + (denials > 0 ? "@\(denials)" : "")
  }
}
