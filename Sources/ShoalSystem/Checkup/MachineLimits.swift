// Facts of the operating system that a checkup asks for.

internal import CPlatform
public import ShoalProtocol

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

public enum MachineLimits {
  /// How many files and sockets this program may have open.
  public static func openFiles() -> UInt64 { shoal_open_files() }

  /// As many files and sockets as a peer's bounds on connections add up to, twice over; where the
  /// machine allows fewer, those.
  public static func raiseOpenFiles() { _ = shoal_raise_open_files(8_192) }

  /// Addresses of this machine beyond loopback.
  public static func addresses() -> [String] {
    NetworkInterface.current().map(\.address).filter { !$0.isLoopback }.map { address in
      String(address.description.dropLast(2))
    }
  }

  /// Whether nobody listens for streams at a port of all addresses.
  public static func isFree(_ endpoint: Endpoint) -> Bool {
    do { _ = try TCPTransport(listen: endpoint) } catch {
      if case .addressInUse = error { return false }
    }
    return true
  }

  /// The nine bits of a folder's mode; nil where there is none.
  public static func mode(of path: String) -> UInt16? {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    return UInt16(status.st_mode & 0o777)
  }

  public static func mayWrite(_ path: String) -> Bool { unsafe access(path, W_OK | X_OK) == 0 }

  /// Whole days since a file was last written; nil where it is not there.
  public static func ageInDays(of path: String) -> Int? {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    #if canImport(Darwin)
      let written = status.st_mtimespec.tv_sec
    #else
      let written = status.st_mtim.tv_sec
    #endif
    let now = Int(SystemClock().unixMilliseconds() / 1_000)
    return max(0, (now - written) / 86_400)
  }
}
