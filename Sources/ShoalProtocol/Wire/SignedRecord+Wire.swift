// A signed record inside a longer message: author, signature, body.

extension SignedRecord {
  func write(to writer: inout ByteWriter) {
    writer.id(author)
    writer.raw(signature)
    writer.blob(body)
  }

  init(from reader: inout ByteReader) throws(WireError) {
    let author = try reader.id(PeerID.self)
    let signature = Array(try reader.take(Self.signatureBytes))
    let body = try reader.blob("record", limit: Limits.recordBytes)
    guard let record = SignedRecord(body: body, author: author, signature: signature) else {
      throw .invalid(field: "record")
    }
    self = record
  }
}
