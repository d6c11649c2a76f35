// Connections that were accepted and that nobody serves: when a gateway stops while clients come,
// some are on their way to a task that never takes them. NIO traps where such a connection goes
// without having been closed, so it is closed first.

import HummingbirdCore
import Logging
import NIOCore
private import Synchronization

struct ServedOrClosed<Base: ServerChildChannel>: ServerChildChannel {
  /// A connection of `base`, from its set-up to the task that serves it.
  final class Value: ServerChildChannelValue {
    private let connection: Base.Value
    private let isServed = Mutex(false)

    init(_ connection: Base.Value) { self.connection = connection }

    var channel: any Channel { connection.channel }

    func serve() -> Base.Value {
      isServed.withLock { $0 = true }
      return connection
    }

    deinit {
      guard !isServed.withLock({ $0 }) else { return }
      let connection = connection
      connection.channel.close(promise: nil)
      // It is kept until it is closed.
      connection.channel.closeFuture.whenComplete { _ in withExtendedLifetime(connection) {} }
    }
  }

  private let base: Base

  init(_ base: Base) { self.base = base }

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    base.setup(channel: channel, logger: logger).map { Value($0) }
  }

  @concurrent func handle(value: Value, logger: Logger) async {
    await base.handle(value: value.serve(), logger: logger)
  }
}
