// One thread of the operating system, with a name.

import CPlatform

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A running thread. Joined once by whoever started it, or left to end by itself.
struct SystemThread: @unchecked Sendable {
  private let id: pthread_t

  private final class Start {
    let name: String
    let body: @Sendable () -> Void
    init(name: String, body: @escaping @Sendable () -> Void) {
      self.name = name
      self.body = body
    }
  }

  /// Starts `body` on a new thread. The kernel shows the first 15 bytes of `name`.
  init(name: String, _ body: @escaping @Sendable () -> Void) throws(SystemCallError) {
    let start = unsafe Unmanaged.passRetained(Start(name: name, body: body))
    #if canImport(Darwin)
      var created: pthread_t?
      let code = unsafe pthread_create(
        &created, nil, { unsafe SystemThread.main($0) }, start.toOpaque())
    #else
      var created = pthread_t()
      let code = unsafe pthread_create(
        &created, nil, { unsafe $0.flatMap { unsafe SystemThread.main($0) } }, start.toOpaque())
    #endif
    guard code == 0 else {
      unsafe start.release()
      throw SystemCallError(call: "pthread_create", subject: name, code: code)
    }
    #if canImport(Darwin)
      guard let created else {
        throw SystemCallError(call: "pthread_create", subject: name, code: EAGAIN)
      }
    #endif
    id = created
  }

  private static func main(_ context: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    let start = unsafe Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
    unsafe shoal_thread_name(start.name)
    start.body()
    return nil
  }

  /// Waits for the thread to end. Once only; never from the thread itself.
  func join() { pthread_join(id, nil) }

  /// Lets the thread's memory go by itself when it ends. Instead of `join`.
  func detach() { pthread_detach(id) }

  var isCurrent: Bool { pthread_equal(id, pthread_self()) != 0 }
}
