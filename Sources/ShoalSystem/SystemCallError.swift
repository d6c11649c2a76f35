// What the operating system answered when it refused.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A call that failed, on what, and its `errno`.
public struct SystemCallError: Error, Hashable, Sendable, CustomStringConvertible {
  /// As its manual page is named, such as `mmap`.
  public let call: String
  /// A path or an address; empty where there is none.
  public let subject: String
  public let code: Int32

  public init(call: String, subject: String, code: Int32) {
    self.call = call
    self.subject = subject
    self.code = code
  }

  /// Takes `errno` as the call that just failed left it.
  static func last(_ call: String, _ subject: String) -> SystemCallError {
    SystemCallError(call: call, subject: subject, code: errno)
  }

  /// The system's own sentence for `code`.
  public static func reason(_ code: Int32) -> String {
    guard let text = unsafe strerror(code) else { return "error \(code)" }
    return unsafe String(cString: text)
  }

  public var description: String {
    "\(call)\(subject.isEmpty ? "" : " \(subject)"): \(SystemCallError.reason(code)) (\(code))"
  }
}
