// `shoal net invite`: a signed, expiring text that lets somebody else in.

import ArgumentParser
import ShoalNode
import ShoalPeer
import ShoalSecurity
import ShoalSystem

struct NetInviteCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "invite", abstract: "Prints an invite, signed by this data directory's identity.",
    discussion: """
      An invite to a private network carries its key: whoever reads the text can join, and still \
      holds the key when the invite has expired. Pass it on as you would a password. With --qr a \
      camera reads it off the screen.
      """)

  @OptionGroup var network: NetworkArgument
  @Option(help: "How long it is good for: 30m, 12h, 7d or 2w.") var expires = InviteSpan.week
  @Option(help: "How many peers may use it.") var uses: UInt16 = 1
  @Flag(help: "Draw it as a QR code too.") var qr = false
  @Flag(help: "Print facts as JSON.") var json = false
  @OptionGroup var data: DataDirectory

  func validate() throws {
    guard uses > 0 else { throw ValidationError("--uses is at least 1") }
    guard !(qr && json) else { throw ValidationError("--qr is for eyes, --json for programs") }
  }

  func run() throws {
    let descriptor = try network.source(data).network
    var generator = RandomSourceGenerator(Entropy())
    let invite = Invite(
      to: descriptor, by: try data.open().identity,
      expiresAt: UnixTime(seconds: UnixTime.now().seconds + expires.seconds), useLimit: uses,
      using: &generator)
    if json {
      try JSONOutput.print(
        InviteOutput(
          text: invite.text, network: NetworkFactsOutput(.invite(invite), withKey: false)))
    } else {
      if qr { try draw(invite) }
      print(invite.text)
    }
  }

  private func draw(_ invite: Invite) throws {
    let code: QRCode
    do throws(QRCodeError) {
      code = try QRCode(invite.text)
    } catch {
      throw UserError("the invite is too long for a QR code: name fewer bootstrap addresses")
    }
    let drawing = code.drawing(colours: Terminal.drawsOutput)
    let width = code.size + 8
    if Terminal.drawsOutput, TerminalSize.current().columns < width {
      Terminal.printError(
        "the code is \(width) columns wide: make the terminal wider, or its type smaller")
    }
    Terminal.write(drawing)
  }

  private struct InviteOutput: Encodable {
    let text: String
    let network: NetworkFactsOutput
  }
}

/// A length of time as people write it.
struct InviteSpan: ExpressibleByArgument {
  let seconds: UInt64

  static let week = InviteSpan(seconds: 604_800)
  private static let units: [Character: UInt64] = [
    "m": 60, "h": 3_600, "d": 86_400, "w": 604_800,
  ]

  private init(seconds: UInt64) { self.seconds = seconds }

  /// A positive number and a unit; at most ten years.
  init?(argument: String) {
    guard let unit = argument.last.flatMap({ Self.units[$0] }),
      let count = UInt64(argument.dropLast()), count > 0,
      case let (seconds, overflow) = count.multipliedReportingOverflow(by: unit), !overflow,
      seconds <= 10 * 366 * 86_400
    else { return nil }
    self.seconds = seconds
  }

  var defaultValueDescription: String { "\(seconds / 86_400)d" }
}
