// Why a download ended without its file: which URL, and the numbers.

public import ShoalProtocol

public enum DownloadError: Error, Hashable, Sendable {
  /// Neither http nor https, or a redirect from https to http.
  case badAddress(String)
  case status(Int, url: String)
  /// 401 or 403; `hadToken` says whether one was sent.
  case refused(Int, url: String, hadToken: Bool)
  case tooManyRedirects(Int, url: String)
  /// The server states another size than was promised, or sends more than it states.
  case size(expected: UInt64, found: UInt64, url: String)
  /// The server states, or sends, more than this file may have.
  case tooLarge(limit: UInt64, found: UInt64, url: String)
  case checksum(expected: Bytes32, found: Bytes32, url: String)
  case gaveUp(attempts: Int, last: String, url: String)
  /// The answer to a question is too large or no JSON of the expected form.
  case answer(String, url: String)
}

extension DownloadError: CustomStringConvertible {
  /// One line for a person.
  public var description: String {
    switch self {
    case .badAddress(let text): "\(text) is no address that is downloaded from"
    case .status(let status, let url): "\(url): the server answered \(status)"
    case .refused(let status, let url, let hadToken):
      "\(url): the server answered \(status)"
        + (hadToken
          ? "; the token in HF_TOKEN does not open it"
          : "; if the model is gated or private, set HF_TOKEN")
    case .tooManyRedirects(let count, let url): "\(url): redirected more than \(count) times"
    case .size(let expected, let found, let url):
      "\(url): should have \(expected) bytes, the server says or sends \(found)"
    case .tooLarge(let limit, let found, let url):
      "\(url): has \(found) bytes or more, at most \(limit) are read"
    case .checksum(let expected, let found, let url):
      "\(url): should have the SHA-256 \(expected.hex), has \(found.hex)"
    case .gaveUp(let attempts, let last, let url):
      "\(url): gave up after \(attempts) attempts without progress; the last: \(last)"
    case .answer(let reason, let url): "\(url): \(reason)"
    }
  }
}
