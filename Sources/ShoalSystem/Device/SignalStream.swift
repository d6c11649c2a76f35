// SIGINT and SIGTERM as something to wait for.

import Dispatch

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What a person or a supervisor asks of the whole program.
public enum StopSignal: Int32, CaseIterable, Hashable, Sendable {
  /// Ctrl-C.
  case interrupt = 2
  case terminate = 15
}

/// While it lives the program does not end at these signals: whoever reads `signals` does that. One
/// at a time.
/// The sources are made once and only cancelled afterwards, which any thread may do.
public final class SignalStream: @unchecked Sendable {
  /// Bounded: a third signal that nobody read yet adds nothing.
  public let signals: AsyncStream<StopSignal>
  private let sources: [any DispatchSourceSignal]

  public init() {
    let (signals, continuation) = AsyncStream.makeStream(
      of: StopSignal.self, bufferingPolicy: .bufferingOldest(2))
    self.signals = signals
    let queue = DispatchQueue(label: "shoal-signals")
    sources = StopSignal.allCases.map { stop in
      _ = signal(stop.rawValue, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: stop.rawValue, queue: queue)
      source.setEventHandler { continuation.yield(stop) }
      source.resume()
      return source
    }
  }

  deinit {
    for source in sources { source.cancel() }
    for stop in StopSignal.allCases { _ = signal(stop.rawValue, SIG_DFL) }
  }
}
