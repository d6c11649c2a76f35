// `GET /openapi.json`: what this API takes and answers, for programs (OpenAPI 3.1).

import HTTPTypes
import Hummingbird
import NIOCore

struct OpenAPIRoute {
  static let path = "/openapi.json"

  func add(to router: Router<BasicRequestContext>) {
    router.get(RouterPath(Self.path)) { _, _ in
      Response(
        status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-cache"],
        body: ResponseBody(byteBuffer: ByteBuffer(bytes: PackageResources.openapi_json)))
    }
  }
}
