// Bytes of a job's failure: its number, then its own fields (docs/PROTOCOL.md).

extension JobFailure {
  func write(to writer: inout ByteWriter) {
    switch self {
    case .unknownModel(let model):
      writer.tagged(1, model)
    case .planDiffers(let mine, let yours):
      writer.integer(UInt8(2))
      writer.id(mine)
      writer.id(yours)
    case .notInPlan:
      writer.integer(UInt8(3))
    case .recordRefused(let peer):
      writer.tagged(4, peer)
    case .noMemory(let needed, let available): write(5, needed, available, to: &writer)
    case .missingAtoms(let count):
      writer.tagged(6, count)
    case .damagedAtom(let blob):
      writer.tagged(7, blob)
    case .staleTerm(let mine, let yours):
      writer.integer(UInt8(8))
      writer.integer(mine.value)
      writer.integer(yours.value)
    case .peerLost(let peer):
      writer.tagged(9, peer)
    case .deadline(let peer, let milliseconds):
      writer.integer(UInt8(10))
      writer.id(peer)
      writer.integer(UInt32(milliseconds))
    case .protocolViolation(let peer, let error):
      writer.integer(UInt8(11))
      writer.id(peer)
      error.write(to: &writer)
    case .numericRange(let layer):
      writer.tagged(12, layer)
    case .contextFull(let limit):
      writer.tagged(13, limit)
    case .busy(let running, let limit):
      writer.integer(UInt8(14))
      writer.integer(UInt32(running))
      writer.integer(UInt32(limit))
    case .cancelled:
      writer.integer(UInt8(15))
    case .leaving:
      writer.integer(UInt8(16))
    case .diskFull(let peer, let needed, let available):
      writer.integer(UInt8(17))
      writer.id(peer)
      writer.integer(needed)
      writer.integer(available)
    case .diskFailed(let peer, let code):
      writer.integer(UInt8(18))
      writer.id(peer)
      writer.integer(code)
    case .holdersSilent(let atoms, let holders):
      writer.integer(UInt8(19))
      writer.integer(UInt32(atoms))
      writer.integer(UInt32(holders))
    case .modelRefused(let peer):
      writer.tagged(20, peer)
    case .unexplained(let peer):
      writer.tagged(21, peer)
    case .unpaid(let asked, let offered): write(22, asked, offered, to: &writer)
    case .creditExhausted(let owed, let limit): write(23, owed, limit, to: &writer)
    case .dishonest(let peer): writer.tagged(24, peer)
    }
  }

  private func write(_ tag: UInt8, _ one: UInt64, _ other: UInt64, to writer: inout ByteWriter) {
    writer.integer(tag)
    writer.integer(one)
    writer.integer(other)
  }

  init(from reader: inout ByteReader) throws(WireError) {
    let tag = try reader.integer(UInt8.self)
    switch tag {
    case 1: self = .unknownModel(try reader.id())
    case 2: self = .planDiffers(mine: try reader.id(), yours: try reader.id())
    case 3: self = .notInPlan
    case 4: self = .recordRefused(try reader.id())
    case 5: self = .noMemory(needed: try reader.integer(), available: try reader.integer())
    case 6: self = .missingAtoms(count: Int(try reader.integer(UInt32.self)))
    case 7: self = .damagedAtom(try reader.id())
    case 8: self = .staleTerm(mine: Term(try reader.integer()), yours: Term(try reader.integer()))
    case 9: self = .peerLost(try reader.id())
    case 10:
      self = .deadline(try reader.id(), milliseconds: Int(try reader.integer(UInt32.self)))
    case 11: self = .protocolViolation(try reader.id(), try WireError(from: &reader))
    case 12: self = .numericRange(layer: Int(try reader.integer(UInt32.self)))
    case 13: self = .contextFull(limit: Int(try reader.integer(UInt32.self)))
    case 14:
      self = .busy(
        running: Int(try reader.integer(UInt32.self)), limit: Int(try reader.integer(UInt32.self)))
    case 15: self = .cancelled
    case 16: self = .leaving
    case 17:
      self = .diskFull(
        try reader.id(), needed: try reader.integer(), available: try reader.integer())
    case 18: self = .diskFailed(try reader.id(), code: try reader.integer())
    case 19:
      self = .holdersSilent(
        atoms: Int(try reader.integer(UInt32.self)), holders: Int(try reader.integer(UInt32.self)))
    case 20: self = .modelRefused(try reader.id())
    case 21: self = .unexplained(try reader.id())
    case 22: self = .unpaid(asked: try reader.integer(), offered: try reader.integer())
    case 23: self = .creditExhausted(owed: try reader.integer(), limit: try reader.integer())
    case 24: self = .dishonest(try reader.id())
    case _: throw .unknown(field: "failure", value: UInt64(tag))
    }
  }
}

extension ByteWriter {
  fileprivate mutating func tagged(_ tag: UInt8, _ id: some Identifier) {
    integer(tag)
    self.id(id)
  }

  fileprivate mutating func tagged(_ tag: UInt8, _ count: Int) {
    integer(tag)
    integer(UInt32(count))
  }
}

extension WireError {
  /// Names of fields are this program's own; what comes is a stranger's, and kept short.
  private static let fieldBytes = 64

  func write(to writer: inout ByteWriter) {
    func named(_ tag: UInt8, _ field: String, _ numbers: [UInt64]) {
      writer.integer(tag)
      for number in numbers { writer.integer(number) }
      writer.blob(field.utf8.prefix(Self.fieldBytes))
    }
    switch self {
    case .truncated(let need, let have):
      named(1, "", [UInt64(clamping: need), UInt64(clamping: have)])
    case .trailing(let bytes): named(2, "", [UInt64(clamping: bytes)])
    case .tooLong(let field, let limit, let announced):
      named(3, field, [UInt64(clamping: limit), UInt64(clamping: announced)])
    case .unknown(let field, let value): named(4, field, [value])
    case .notUTF8(let field): named(5, field, [])
    case .invalid(let field): named(6, field, [])
    }
  }

  init(from reader: inout ByteReader) throws(WireError) {
    // One failure has one spelling: what no writer writes is refused, not taken for something else.
    func number() throws(WireError) -> Int {
      guard let number = Int(exactly: try reader.integer(UInt64.self)) else {
        throw .invalid(field: "number")
      }
      return number
    }
    func noField() throws(WireError) {
      guard try field().isEmpty else { throw .invalid(field: "field") }
    }
    func field() throws(WireError) -> String {
      try reader.string("field", limit: Self.fieldBytes)
    }
    let tag = try reader.integer(UInt8.self)
    switch tag {
    case 1:
      let (need, have) = (try number(), try number())
      try noField()
      self = .truncated(need: need, have: have)
    case 2:
      let bytes = try number()
      try noField()
      self = .trailing(bytes: bytes)
    case 3:
      let (limit, announced) = (try number(), try number())
      self = .tooLong(field: try field(), limit: limit, announced: announced)
    case 4:
      let value = try reader.integer(UInt64.self)
      self = .unknown(field: try field(), value: value)
    case 5: self = .notUTF8(field: try field())
    case 6: self = .invalid(field: try field())
    case _: throw .unknown(field: "wire error", value: UInt64(tag))
    }
  }
}
