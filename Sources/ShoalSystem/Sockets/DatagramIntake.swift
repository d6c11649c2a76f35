// The reading side of UDP: a thread that nothing a stranger sends can end.

import ShoalNode
import ShoalProtocol
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

final class DatagramIntake: Sendable {
  let counters = Mutex(DatagramCounters())
  private let own: [Socket]
  private let beacons: [Socket]
  private let bound: [Endpoint]
  private let arrivals: AsyncStream<Datagram>.Continuation
  private let wakePipe: WakePipe
  private let here = Mutex(Reachable(endpoints: [], goodUntil: .min))
  private let stopping = Atomic<Bool>(false)

  init(
    own: [Socket], beacons: [Socket], bound: [Endpoint],
    arrivals: AsyncStream<Datagram>.Continuation
  ) throws(SystemCallError) {
    self.own = own
    self.beacons = beacons
    self.bound = bound
    self.arrivals = arrivals
    wakePipe = try WakePipe()
  }

  func stop() {
    stopping.store(true, ordering: .sequentiallyConsistent)
    arrivals.finish()
    wakePipe.wake()
  }

  func work() {
    let sources = own.map { ($0, false) } + beacons.map { ($0, true) }
    var buffer = [UInt8](repeating: 0, count: Limits.datagramBytes + 1)
    while !stopping.load(ordering: .sequentiallyConsistent) {
      var descriptors = ([wakePipe.readEnd] + sources.map(\.0.descriptor)).map {
        pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
      }
      _ = Poll.wait(&descriptors, nanoseconds: nil)
      if descriptors[0].revents != 0 { wakePipe.drain() }
      for ((socket, isBeacon), descriptor) in zip(sources, descriptors.dropFirst())
      where descriptor.revents != 0 {
        if descriptor.revents & Int16(POLLERR) != 0 {
          for endpoint in socket.takeRefusals() { refused(at: endpoint) }
        }
        read(socket, isBeacon, &buffer)
      }
    }
  }

  /// A few at a time, so that no socket starves another.
  private func read(_ socket: Socket, _ isBeacon: Bool, _ buffer: inout [UInt8]) {
    for _ in 0..<64 {
      var address = SocketAddress()
      let transfer = unsafe buffer.withUnsafeMutableBytes {
        unsafe socket.receive(into: $0, from: &address)
      }
      switch transfer {
      case .moved(let count): take(buffer.prefix(count), address.endpoint, isBeacon)
      // An earlier datagram that could not be delivered is reported here; the next call goes on.
      case .ended, .failed: continue
      case .wouldBlock: return
      }
    }
  }

  private func refused(at endpoint: Endpoint) {
    if case .dropped = arrivals.yield(Datagram(refusedAt: endpoint)) {
      counters.withLock { $0.shed += 1 }
    }
  }

  private func take(_ bytes: ArraySlice<UInt8>, _ from: Endpoint?, _ isBeacon: Bool) {
    guard bytes.count <= Limits.datagramBytes, let from, from.port > 0 else {
      return counters.withLock { $0.refused += 1 }
    }
    if isBeacon, isForeign(from) || isOwn(from) { return }
    let result = arrivals.yield(Datagram(bytes: Array(bytes), from: from, isBeacon: isBeacon))
    counters.withLock { counters in
      switch result {
      case .enqueued: counters.received += 1
      case .dropped: counters.shed += 1
      case .terminated: break
      @unknown default: break
      }
    }
  }

  /// The shared port hears loopback and LAN alike; a peer answers on the side it listens on.
  private func isForeign(_ from: Endpoint) -> Bool {
    !reachable().contains { $0.isLoopback == from.isLoopback }
  }

  private func isOwn(_ from: Endpoint) -> Bool {
    guard bound.contains(where: { $0.port == from.port }) else { return false }
    return reachable().contains(from)
  }

  private struct Reachable {
    var endpoints: [Endpoint]
    var goodUntil: Int64
  }

  /// Asked of the system once a second, so that a flood of beacons does not ask for each.
  private func reachable() -> [Endpoint] {
    here.withLock { here in
      let now = SystemClock.nanoseconds()
      if here.goodUntil <= now {
        here = Reachable(
          endpoints: NetworkInterface.reachable(bound), goodUntil: now + 1_000_000_000)
      }
      return here.endpoints
    }
  }
}
