// What a node is asked and what it answers: the one interface of the gateway, the terminal and
// whoever embeds a peer.

public import ShoalInference
public import ShoalLedger
public import ShoalProtocol

/// One turn of a conversation.
public struct ChatMessage: Sendable, Hashable {
  /// What the model's template knows: mostly `system`, `user` and `assistant`.
  public let role: String
  public let content: String
  /// What else a template may read of it, such as `tool_calls`.
  public let others: JSONObject

  public init(role: String, content: String, others: JSONObject = JSONObject()) {
    self.role = role
    self.content = content
    self.others = others
  }
}

/// A generation that a client asks for.
public struct GenerationRequest: Sendable {
  public enum Prompt: Sendable, Hashable {
    case text(String)
    case tokens([UInt32])
    /// A conversation, which a template turns into text.
    case chat([ChatMessage])
  }

  /// A name, `publisher/name`, or the beginning of a model's id.
  public var model: String
  public var prompt: Prompt
  public var options: GenerationOptions
  public var objective: PlanObjective
  /// What a conversation's template is told of tools, each as OpenAI describes it.
  public var tools: [JSONValue] = []
  /// In Jinja, instead of the model's own.
  public var chatTemplate: String?
  /// Whose it is: users take turns where there is not enough for all.
  public var user = ""

  public init(
    model: String, prompt: Prompt, options: GenerationOptions, objective: PlanObjective = .latency
  ) {
    self.model = model
    self.prompt = prompt
    self.options = options
    self.objective = objective
  }
}

/// One rank of a running job, as people are shown it.
public struct JobMember: Sendable, Hashable {
  public let peer: PeerID
  /// Thousandths of the bytes that a token reads.
  public let sharePerMille: Int

  public init(peer: PeerID, sharePerMille: Int) {
    self.peer = peer
    self.sharePerMille = sharePerMille
  }
}

/// What a generation tells while it runs.
public enum GenerationEvent: Sendable {
  /// A rank still fetches atoms that the plan gave it.
  case fetching(PeerID, remaining: ByteCount, total: ByteCount)
  /// All ranks are ready.
  case started(
    job: JobID, model: ModelEntry, plan: PlanID, members: [JobMember], promptTokens: [UInt32])
  case token(GeneratedToken)
  /// A term ended before the job did. `continued` follows, or the job fails.
  case interrupted(JobFailure, blamed: [PeerID])
  /// Others have taken up the part of a lost peer: the next token follows the last one.
  case continued(term: Term, plan: PlanID, members: [JobMember])
  /// The APIs of the peers that keep the job's log: who knows the job's id can go on there.
  case witnesses([Endpoint])
}

/// What a generation came to.
public struct GenerationOutcome: Sendable {
  public let tokens: [UInt32]
  public let text: String
  public let finish: FinishReason
  /// Covers the logits of every sampled position.
  public let digest: Bytes32
  /// Of the prompt, those that were not computed again: another job of the same user began alike.
  public let sharedTokens: Int

  public init(
    tokens: [UInt32], text: String, finish: FinishReason, digest: Bytes32, sharedTokens: Int = 0
  ) {
    self.tokens = tokens
    self.text = text
    self.finish = finish
    self.digest = digest
    self.sharedTokens = sharedTokens
  }
}

/// How far a peer that leaves has come.
public enum LeaveProgress: Sendable, Hashable {
  /// It waits for so many jobs that it drives.
  case jobs(running: Int)
  /// So many of its atoms still have too few copies at others.
  case atoms(left: Int, of: Int)
  /// It is out of the mesh. So many of its atoms have fewer copies at others than there are to be.
  case left(unplaced: Int)
}

/// A member of the mesh, this peer included.
public struct PeerStatus: Sendable {
  public let peer: PeerID
  public let isSelf: Bool
  public let state: MemberState
  public let record: CapabilityRecord
  public let address: Endpoint?
  /// Smoothed; nil before the first answer.
  public let roundTrip: Duration?
  /// How streams get there; nil: no way is known to work, or it is this peer.
  public let way: PeerWay?
  /// Of this peer: whether its router lets others in; nil where it was not asked.
  public let portMapping: PortMappingState?

  public init(
    peer: PeerID, isSelf: Bool, state: MemberState, record: CapabilityRecord, address: Endpoint?,
    roundTrip: Duration?, way: PeerWay? = .direct, portMapping: PortMappingState? = nil
  ) {
    self.peer = peer
    self.isSelf = isSelf
    self.state = state
    self.record = record
    self.address = address
    self.roundTrip = roundTrip
    self.way = way
    self.portMapping = portMapping
  }
}

/// A model that the mesh offers, and how much of it is here.
public struct ModelStatus: Sendable {
  public let entry: ModelEntry
  /// Atoms that this peer holds, and how many there are; nil before the manifest is here.
  public let held: Int?
  public let atoms: Int?

  public init(entry: ModelEntry, held: Int?, atoms: Int?) {
    self.entry = entry
    self.held = held
    self.atoms = atoms
  }
}

/// A plan with its hash and the view that it was computed from.
public struct PlannedModel: Sendable {
  public let entry: ModelEntry
  public let manifest: ModelManifest
  public let report: PlanReport
  public let plan: PlanID
  public let view: ViewID
  /// What planning took.
  public let duration: Duration

  public init(
    entry: ModelEntry, manifest: ModelManifest, report: PlanReport, plan: PlanID, view: ViewID,
    duration: Duration
  ) {
    self.entry = entry
    self.manifest = manifest
    self.report = report
    self.plan = plan
    self.view = view
    self.duration = duration
  }
}

/// Why a node could not do what it was asked. Each case is one sentence for a person.
public enum NodeError: Error, Sendable, Hashable {
  case unknownModel(String, known: [String])
  case emptyPrompt
  case noChatTemplate(String)
  case chatTemplate(TemplateError)
  case promptTooLong(tokens: Int, context: Int)
  /// The prompt fits, and the answer that is asked for does not.
  case answerTooLong(prompt: Int, answer: Int, context: Int)
  case schema(SchemaError)
  /// The model's template has no place for tools.
  case noTools(String)
  case tokenOutOfRange(UInt32, vocabulary: Int)
  case failed(JobFailure)
  /// Nobody here keeps the log of such a job, or no longer.
  case unknownJob
  /// This peer takes part in no ledger.
  case noAccounts
  /// The peer that was asked is on its way out of the mesh.
  case leaving
  /// An encoder, by its architecture, was asked to generate.
  case makesNoText(String)
  /// A model that generates text was asked for vectors and states no pooling.
  case makesNoVectors(String)
  /// The text of that number, counted from 0, has no tokens.
  case emptyText(Int)
  case textTooLong(Int, tokens: Int, limit: Int)
  /// A text of that number has token types that the model does not know.
  case tokenTypes(Int, known: Int)
}

extension NodeError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unknownModel(let name, let known):
      "no model named \(name)"
        + (known.isEmpty ? "; none is known yet" : "; known are \(known.joined(separator: ", "))")
    case .emptyPrompt: "the prompt is empty"
    case .noChatTemplate(let model):
      "\(model) has no chat template: send it text, or a template with the messages"
    case .chatTemplate(let error): "\(error)"
    case .promptTooLong(let tokens, let context):
      "the prompt has \(tokens) tokens; the model's context is \(context)"
    case .answerTooLong(let prompt, let answer, let context):
      "the prompt has \(prompt) tokens and the answer may have \(answer): together "
        + "\(prompt + answer), and the model's context is \(context)"
    case .schema(let error): "\(error)"
    case .noTools(let model): "the template of \(model) knows no tools"
    case .tokenOutOfRange(let token, let vocabulary):
      "token \(token) is not in the vocabulary of \(vocabulary)"
    case .failed(let failure): "\(failure)"
    case .unknownJob: "no such job is kept here, or no longer"
    case .noAccounts: "this peer keeps no accounts: start it with --price"
    case .leaving: "this peer is leaving the mesh: ask another"
    case .makesNoText(let architecture):
      "an encoder (\(architecture)) makes vectors and generates no text: ask it by `shoal embed` or"
        + " /v1/embeddings"
    case .makesNoVectors(let model):
      "\(model) generates text and does not state how vectors are made of its rows: take an"
        + " encoder, or name a pooling"
    case .emptyText(let index): "text \(index) is empty"
    case .textTooLong(let index, let tokens, let limit):
      "text \(index) has \(tokens) tokens; the model reads \(limit)"
    case .tokenTypes(let index, let known):
      "the token types of text \(index) are not one for each token, below \(max(1, known))"
    }
  }
}
