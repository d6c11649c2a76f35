// The seam to threads of one's own: the data path blocks, and must never block the shared pool.

public import ShoalInference
public import ShoalProtocol

/// Counts signals; a waiting thread takes one. A semaphore in production.
public protocol ThreadGate: Sendable {
  func signal()
  /// Blocks until a signal comes. False at `deadline`.
  func wait(until deadline: Moment?) -> Bool
}

/// A thread that an actor can live on.
public protocol ActorThread: SerialExecutor, TaskExecutor {
  /// Ends the thread once its queue is empty. Nothing may be enqueued afterwards.
  func stop()
}

/// Makes threads and what they need.
public protocol ThreadSource: Sendable {
  func thread(name: String) -> any ActorThread
  func gate() -> any ThreadGate
  /// Blocks the calling thread until `deadline`.
  func sleep(until deadline: Moment)
  /// Workers for the pieces of one step; `count` includes the caller.
  func workers(count: Int) throws -> any StoppableWorkers
}

/// Workers that can be sent home.
public protocol StoppableWorkers: Workers {
  func stop()
}
