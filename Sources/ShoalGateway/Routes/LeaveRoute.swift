// `POST /api/leave`: the peer says goodbye to the mesh.

import Hummingbird
import ShoalNode

struct LeaveRoute {
  let node: any NodeService

  func add(to router: Router<BasicRequestContext>) {
    router.post("/api/leave") { _, _ in
      await node.leave()
      return try JSONBody.response(["status": "left"])
    }
  }
}
