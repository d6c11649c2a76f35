// `GET /v1/models`: OpenAI's list of models.

import Hummingbird
import ShoalLedger
import ShoalNode
import ShoalProtocol

struct OpenAIModelsRoute {
  let node: any NodeService

  private struct List: Encodable {
    let object = "list"
    let data: [Model]

    private enum CodingKeys: CodingKey { case object, data }
  }

  private struct Model: Encodable {
    let id: String
    let object = "model"
    /// Seconds since 1970.
    let created: UInt64
    let owned_by: String

    private enum CodingKeys: CodingKey { case id, object, created, owned_by }
  }

  func add(to router: Router<BasicRequestContext>) {
    router.get("/v1/models") { _, _ in
      let models = try await node.models().map(\.entry).map { entry in
        Model(id: entry.name, created: entry.written / 1_000, owned_by: entry.publisher.short)
      }
      return try JSONBody.response(List(data: models))
    }
  }
}
