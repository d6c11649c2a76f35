// `POST /v1/chat/completions`: says where to go until chat templates are rendered.

import Hummingbird

struct ChatRoute {
  func add(to router: Router<BasicRequestContext>) {
    router.post("/v1/chat/completions") { _, _ -> Response in throw RequestError.noChat }
  }
}
