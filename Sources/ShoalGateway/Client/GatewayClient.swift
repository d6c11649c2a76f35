// The terminal's side of the gateway: asks the peer on this machine.

import Foundation
import NIOCore
import NIOHTTP1
public import ShoalProtocol

/// Speaks to a running peer. Every method throws `ClientError`, or `CancellationError`.
public struct GatewayClient: Sendable {
  public let address: Endpoint
  private let exchange: HTTPExchange
  private let key: String?
  private let silence: Duration

  /// Of one answer, or one line of a streamed one: a result with a million tokens fits.
  static let answerLimit = 64 << 20

  /// A peer that misses six of the beats that a run tells (`Generating.beatInterval`) is taken for
  /// gone. Twice that, where the first witness is gone as well, and a term of the second one stay
  /// below two seconds.
  public static let usualSilence = Duration.milliseconds(600)

  /// - Parameter silence: a peer that says nothing for that long is taken for gone. A mistake costs
  ///   a term: tokens are the same.
  public init(address: Endpoint, key: String? = nil, silence: Duration = usualSilence) {
    self.address = address
    self.key = key
    self.silence = silence
    exchange = HTTPExchange(address: address, key: key)
  }

  /// Whether a peer answers there.
  public func isRunning() async -> Bool {
    (try? await get([String: String].self, "/health"))?["status"] == "ok"
  }

  /// Throws the peer's reason where it can take no job now.
  public func checkReady() async throws { _ = try await get([String: String].self, "/ready") }

  public func peers() async throws -> [PeerFacts] { try await get([PeerFacts].self, "/api/peers") }

  /// Generations that the peer was asked for and that have not ended.
  public func jobs() async throws -> [JobFacts] { try await get([JobFacts].self, "/api/jobs") }

  public func models() async throws -> [ModelFacts] {
    try await get([ModelFacts].self, "/api/models")
  }

  public func plan(
    model: String, objective: PlanObjective = .latency, context: Int? = nil
  ) async throws -> PlanFacts {
    var query = URLComponents()
    query.queryItems = [
      URLQueryItem(name: "model", value: model),
      URLQueryItem(name: "objective", value: objective.name),
    ]
    if let context { query.queryItems?.append(URLQueryItem(name: "context", value: "\(context)")) }
    return try await get(PlanFacts.self, "/api/plan?" + (query.percentEncodedQuery ?? ""))
  }

  /// Generates. `take` is called with each event before the end, in order; when it throws, or the
  /// task is cancelled, the job ends. When the peer goes away, or says nothing for a while, the job
  /// is gone on with at one of its witnesses: no token is lost or heard twice.
  public func run(
    _ request: RunRequest, take: (RunEvent) async throws -> Void
  ) async throws -> RunResult {
    var run = ResumableRun(entry: address)
    do {
      let result = try await follow("/api/run", request, &run, countsFromStart: false, take)
      return run.seen(result)
    } catch let error as ClientError {
      guard error.isLoss else { throw error }
      run.lost(error, at: Self.now)
      let result = try await resume(&run, after: error, take)
      return run.seen(result)
    }
  }

  /// Makes vectors of texts.
  public func embed(_ request: EmbedRequest) async throws -> EmbedFacts {
    try await whole(EmbedFacts.self, .POST, "/api/embed", body: try JSONBody.encode(request))
  }

  /// Rounds over a job's witnesses before it is given up, and the pause between them.
  private static let resumeRounds = 20
  private static let resumePause = Duration.milliseconds(100)

  private func resume(
    _ run: inout ResumableRun, after loss: ClientError,
    _ take: (RunEvent) async throws -> Void
  ) async throws -> RunResult {
    for round in 0..<Self.resumeRounds {
      guard let job = run.job, !run.places.isEmpty else { throw loss }
      if round > 0 { try await Task.sleep(for: Self.resumePause) }
      for place in run.places {
        do {
          let request = ResumeRequest(job: job, shown: run.shown)
          let client = GatewayClient(address: place, key: key, silence: run.patience(silence))
          return try await client.follow(
            "/api/resume", request, &run, countsFromStart: true, take)
        } catch let error as ClientError {
          // Gone as well, or it does not keep the job; a job that failed is no reason to ask on.
          if case .failed = error { throw error }
          run.lost(error, at: Self.now)
        }
      }
    }
    throw loss
  }

  /// The events of one peer up to the end. Throws what `take` throws, and `ClientError`.
  private func follow(
    _ path: String, _ body: some Encodable, _ run: inout ResumableRun, countsFromStart: Bool,
    _ take: (RunEvent) async throws -> Void
  ) async throws -> RunResult {
    var result: RunResult?
    let gate = SilenceGate(isOpen: !run.places.isEmpty)
    let silence = HTTPExchange.Silence(
      limit: self.silence, countsFromStart: countsFromStart, gate: gate)
    try await lines(of: RunEvent.self, path, body, silence: silence) { event in
      switch event {
      case .finished(let finished): result = finished
      case .failed(let error): throw ClientError.failed(error)
      case .waiting: break
      case .fetching, .started, .token, .interrupted, .continued, .witnesses:
        let isNews = run.take(event, at: Self.now)
        gate.isOpen = !run.places.isEmpty
        if isNews { try await take(event) }
      }
    }
    guard let result else { throw ClientError.lost(address) }
    return result
  }

  /// Brings a GGUF file or a Hugging Face directory of the peer's machine into the mesh.
  ///
  /// - Parameter progress: bytes done, and in all.
  public func importModel(
    path: String, name: String? = nil, progress: (UInt64, UInt64) -> Void
  ) async throws -> ModelFacts {
    var model: ModelFacts?
    let request = ImportRequest(path: path, name: name)
    try await lines(of: ImportEvent.self, "/api/import", request) { event in
      switch event {
      case .progress(let done, let total): progress(done, total)
      case .finished(let imported): model = imported
      case .failed(let error): throw ClientError.failed(error)
      }
    }
    guard let model else { throw ClientError.lost(address) }
    return model
  }

  /// The peer hands over what it does and holds, says goodbye to the mesh, and ends.
  ///
  /// - Parameter progress: told how far it has come.
  /// - Returns: atoms that found no second holder.
  public func leave(progress: (LeaveEvent) -> Void) async throws -> Int {
    var unplaced: Int?
    do {
      try await lines(of: LeaveEvent.self, "/api/leave", [String: String]()) { event in
        progress(event)
        if case .left(let count) = event { unplaced = count }
      }
    } catch {
      // A peer that is gone may not come to the end of its answer.
      guard let unplaced else { throw error }
      return unplaced
    }
    guard let unplaced else { throw ClientError.lost(address) }
    return unplaced
  }

  private static var now: Moment {
    Moment(nanoseconds: Int64(clamping: NIODeadline.now().uptimeNanoseconds))
  }

  // MARK: Reading

  func get<Answer: Decodable>(_: Answer.Type, _ path: String) async throws -> Answer {
    try await whole(Answer.self, .GET, path, body: nil)
  }

  func whole<Answer: Decodable>(
    _: Answer.Type, _ method: HTTPMethod, _ path: String, body: Data?
  ) async throws -> Answer {
    var answer = Data()
    var answerStatus: Int?
    try await exchange.send(method, path, body: body) { status, buffer in
      answerStatus = status
      guard answer.count + buffer.readableBytes <= Self.answerLimit else {
        throw ClientError.answerTooLong(limit: Self.answerLimit)
      }
      answer.append(contentsOf: buffer.readableBytesView)
    }
    return try decode(Answer.self, answer, status: answerStatus)
  }

  private func lines<Line: Decodable>(
    of _: Line.Type, _ path: String, _ body: some Encodable,
    silence: HTTPExchange.Silence? = nil, take: (Line) async throws -> Void
  ) async throws {
    try await lines(
      of: Line.self, .POST, path, body: try JSONBody.encode(body), silence: silence, take: take)
  }

  func lines<Line: Decodable>(
    of _: Line.Type, _ method: HTTPMethod, _ path: String, body: Data? = nil,
    silence: HTTPExchange.Silence? = nil, take: (Line) async throws -> Void
  ) async throws {
    var splitter = LineSplitter(limit: Self.answerLimit)
    var answerStatus: Int?
    try await exchange.send(method, path, body: body, silence: silence) { status, buffer in
      answerStatus = status
      for line in try splitter.append(buffer.readableBytesView) {
        try await take(decode(Line.self, Data(line), status: status))
      }
    }
    // A refusal is one object without a line end.
    if answerStatus != 200 || !splitter.rest.isEmpty {
      _ = try decode(Line.self, Data(splitter.rest), status: answerStatus)
    }
  }

  private func decode<Answer: Decodable>(
    _: Answer.Type, _ data: Data, status: Int?
  ) throws(ClientError) -> Answer {
    let decoder = JSONDecoder()
    if status == 200, let answer = try? decoder.decode(Answer.self, from: data) { return answer }
    if let status, let body = try? decoder.decode(ErrorBody.self, from: data) {
      throw .refused(status: status, body.error)
    }
    throw .notAPeer(address, status: status)
  }
}
