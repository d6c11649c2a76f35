// A thread to block on: synchronous work of one owner, away from the shared pool.

internal import ShoalProtocol

/// Performs closures in order on a thread of its own.
package actor ThreadRoom {
  private let thread: any ActorThread
  package nonisolated var unownedExecutor: UnownedSerialExecutor {
    unsafe thread.asUnownedSerialExecutor()
  }

  package init(_ thread: any ActorThread) { self.thread = thread }

  package func perform<Result: Sendable>(_ body: @Sendable () throws -> Result) throws -> Result {
    try body()
  }

  /// Lets the thread end after what is under way.
  package nonisolated func close() { thread.stop() }
}
