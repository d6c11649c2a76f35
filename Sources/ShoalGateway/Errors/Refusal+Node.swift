// The sentences for what a node could not do, and which of it is the client's mistake.

import HTTPTypes
import ShoalInference
import ShoalLedger
import ShoalNode
import ShoalProtocol

extension Refusal {
  init(ofNode error: any Error) {
    self =
      switch error {
      case let error as NodeError: Refusal(error)
      case let error as PlanError: Refusal(error)
      case let error as JobFailure: Refusal(error)
      case let error as LibraryError: Refusal(error)
      case let error as SamplingError: Refusal(error)
      case let error as SchemaError: Refusal(error)
      case let error as RegistryError: Refusal(error)
      case is CancellationError: .unavailable("the generation was cancelled", code: "cancelled")
      default: .failure("the peer failed: \(error)", code: "failed")
      }
  }

  init(_ error: NodeError) {
    self =
      switch error {
      case .unknownModel(let name, let known):
        .unknownModel(name, known: known)
      case .emptyPrompt:
        .badRequest("the prompt is empty", param: "prompt", code: "empty_prompt")
      case .noChatTemplate, .chatTemplate:
        .badRequest("\(error)", param: "messages", code: "chat_template")
      case .promptTooLong(let tokens, let context):
        .badRequest(
          "the prompt has \(tokens) tokens; the context is \(context)", param: "prompt",
          code: "context_length_exceeded")
      case .answerTooLong:
        .badRequest("\(error)", param: "max_tokens", code: "context_length_exceeded")
      case .schema(let schema): Refusal(schema)
      case .noTools: .badRequest("\(error)", param: "tools", code: "no_tools")
      case .tokenOutOfRange(let token, let vocabulary):
        .badRequest(
          "token \(token) is not in the vocabulary of \(vocabulary)", param: "prompt",
          code: "token_out_of_range")
      case .makesNoText, .makesNoVectors:
        .badRequest("\(error)", param: "model", code: "model_kind")
      case .tokenTypes:
        .badRequest("\(error)", param: "input", code: "token_types")
      case .emptyText:
        .badRequest("\(error)", param: "input", code: "empty_input")
      case .textTooLong:
        .badRequest("\(error)", param: "input", code: "context_length_exceeded")
      case .failed(let failure):
        Refusal(failure)
      case .unknownJob:
        Refusal(
          .notFound, "no such job is kept here, or no longer", type: "not_found_error",
          param: "job", code: "job_not_found")
      case .noAccounts: .notFound("\(error)", code: "no_accounts")
      case .leaving:
        .unavailable("\(error)", code: "leaving")
      }
  }

  private static func unknownModel(_ name: String, known: [String]) -> Refusal {
    let rest =
      known.isEmpty
      ? "no model is known; `shoal import FILE` brings one in"
      : "known are \(known.joined(separator: ", "))"
    return Refusal(
      .notFound, "no model is called `\(name)`: \(rest)", type: "not_found_error",
      param: "model", code: "model_not_found")
  }

  private init(_ error: PlanError) {
    self =
      switch error {
      case .shape(let field, let value, let limit):
        .failure("the model's \(field) is \(value), beyond \(limit)", code: "model_shape")
      case .tooManyPeers(let limit, let announced):
        .unavailable("\(announced) peers are more than a plan takes (\(limit))", code: "no_plan")
      case .peerTwice(let peer):
        .failure("peer \(peer.short) is in the view twice", code: "no_plan")
      case .contextTooLong(let tokens, let limit):
        .badRequest(
          "a context of \(tokens) tokens is more than the model's \(limit)", param: "context",
          code: "context_length_exceeded")
      case .noPeer(let excluded):
        .unavailable(
          "no peer can compute: "
            + excluded.map { "\($0.peer.short) \($0.reason)" }.joined(separator: "; "),
          code: "no_plan")
      case .doesNotFit(let needed, let available):
        .unavailable(
          "the model needs \(needed); the peers offer "
            + available.map { "\($0.available) (\($0.peer.short))" }.joined(separator: ", "),
          code: "no_plan")
      }
  }

  private init(_ error: LibraryError) {
    self =
      switch error {
      case .unknownModel(let name): .unknownModel(name, known: [])
      case .damaged(let blob, let key):
        .unavailable("\(key) (\(blob.short)) is damaged on disk", code: "damaged_atom")
      case .tooLarge(let needed, let available):
        .unavailable("the import needs \(needed) of disk; \(available) is free", code: "disk_full")
      }
  }

  private init(_ error: SchemaError) {
    self = .badRequest("\(error)", param: "response_format", code: "schema")
  }

  private init(_ error: RegistryError) {
    self =
      switch error {
      case .emptyName, .nameTooLong: .badRequest("\(error)", param: "name", code: "name")
      case .locationTooLong: .badRequest("\(error)", param: "location", code: "location")
      case .notRegistered: .notFound("\(error)", code: "name_not_found")
      case .revision, .alreadyRetired:
        Refusal(.conflict, "\(error)", type: "invalid_request_error", code: "revision")
      case .ownLogForked, .ownLogFull: .unavailable("\(error)", code: "own_log")
      }
  }

  private init(_ error: SamplingError) {
    self =
      switch error {
      case .optionOutOfRange(let name, let value):
        .badRequest("`\(name)` is \(value), out of its range", param: name, code: "range")
      case .noCandidate:
        .failure(
          "no token of the vocabulary can follow: the answer cannot have the form asked for",
          code: "no_candidate")
      }
  }
}
