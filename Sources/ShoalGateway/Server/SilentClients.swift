// Connections that ask for nothing, or have not finished asking: the next one closes the one that
// has been at it longest, so that clients that say nothing keep nobody else out.

import NIOCore
import NIOHTTPTypes
import ShoalProtocol
import Synchronization

final class SilentClients: Sendable {
  private struct State {
    var room: WaitingRoom<ObjectIdentifier>
    var channels: [ObjectIdentifier: any Channel] = [:]
  }
  private let state: Mutex<State>

  init(limit: Int, limitOfOne: Int) {
    state = Mutex(State(room: WaitingRoom(limit: limit, limitOfOne: limitOfOne)))
  }

  fileprivate func enter(_ channel: any Channel) {
    guard let remote = channel.remoteAddress.flatMap(Endpoint.init) else { return }
    let name = ObjectIdentifier(channel)
    let oldest = state.withLock { state in
      state.channels[name] = channel
      return state.room.enter(name, from: remote).flatMap {
        state.channels.removeValue(forKey: $0)
      }
    }
    oldest?.close(promise: nil)
  }

  fileprivate func leave(_ channel: any Channel) {
    let name = ObjectIdentifier(channel)
    state.withLock { state in
      state.room.leave(name)
      state.channels[name] = nil
    }
  }
}

/// On each connection: silent until a request is whole, and again when its answer is.
final class SilenceHandler: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  private let clients: SilentClients

  init(_ clients: SilentClients) { self.clients = clients }

  func handlerAdded(context: ChannelHandlerContext) {
    if context.channel.isActive { clients.enter(context.channel) }
  }

  func channelActive(context: ChannelHandlerContext) {
    clients.enter(context.channel)
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    clients.leave(context.channel)
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if case .end = unwrapInboundIn(data) { clients.leave(context.channel) }
    context.fireChannelRead(data)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    // A connection that has closed meanwhile waits for nothing.
    if case .end = unwrapOutboundIn(data), context.channel.isActive {
      clients.enter(context.channel)
    }
    context.write(data, promise: promise)
  }
}

extension Endpoint {
  fileprivate init?(_ address: SocketAddress) {
    guard let ip = address.ipAddress, let port = address.port else { return nil }
    self.init(ip.contains(":") ? "[\(ip)]:\(port)" : "\(ip):\(port)")
  }
}
