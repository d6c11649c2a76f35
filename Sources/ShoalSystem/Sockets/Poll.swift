// Waiting for sockets, by poll(2): the same on Linux and on macOS, and few enough to need no more.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What to wait for, or what came.
struct PollEvents: OptionSet {
  let rawValue: Int16
  static let readable = PollEvents(rawValue: Int16(POLLIN))
  static let writable = PollEvents(rawValue: Int16(POLLOUT))
  /// Ended or failed: the next call on the socket says how.
  static let ended = PollEvents(rawValue: Int16(POLLHUP) | Int16(POLLERR) | Int16(POLLNVAL))
}

enum Poll {
  /// Waits until one of `descriptors` is ready or `nanoseconds` have passed (nil: no limit).
  /// The results stand in `revents`. Returns false where nothing came; it may be early.
  static func wait(_ descriptors: inout [pollfd], nanoseconds: Int64?) -> Bool {
    unsafe poll(&descriptors, nfds_t(descriptors.count), milliseconds(nanoseconds)) > 0
  }

  /// The same for one descriptor, without an array.
  static func wait(_ descriptor: Int32, _ events: PollEvents, nanoseconds: Int64?) -> PollEvents {
    var one = pollfd(fd: descriptor, events: events.rawValue, revents: 0)
    guard unsafe poll(&one, 1, milliseconds(nanoseconds)) > 0 else { return [] }
    return PollEvents(rawValue: one.revents)
  }

  /// Rounded up: a wait that ends early would be made again at once.
  private static func milliseconds(_ nanoseconds: Int64?) -> Int32 {
    guard let nanoseconds else { return -1 }
    return Int32(clamping: (max(0, nanoseconds) + 999_999) / 1_000_000)
  }
}

/// A pipe that wakes a thread out of `Poll.wait`.
final class WakePipe: Sendable {
  let readEnd: Int32
  private let writeEnd: Int32

  init() throws(SystemCallError) {
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe(&ends) == 0 else { throw .last("pipe", "") }
    (readEnd, writeEnd) = (ends[0], ends[1])
    for end in ends {
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
    }
  }

  deinit {
    close(readEnd)
    close(writeEnd)
  }

  /// A full pipe wakes as well as one more byte would.
  func wake() {
    var byte: UInt8 = 1
    _ = unsafe write(writeEnd, &byte, 1)
  }

  func drain() {
    var bytes: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    while unsafe read(readEnd, &bytes, 32) == 32 {}
  }
}
