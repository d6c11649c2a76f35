// `GET /`: the dashboard, a page and its modules, compiled into the program. It asks nothing of
// any other host.

import HTTPTypes
import Hummingbird
import NIOCore

struct DashboardRoute {
  /// Paths that show no fact of the mesh: they are answered without a key, so that the page can
  /// ask for it.
  static let paths = Set(["/"] + files.map(\.path))

  private struct File: Sendable {
    let path: String
    let type: String
    let bytes: [UInt8]
  }

  private static let page = File(
    path: "/", type: "text/html; charset=utf-8", bytes: PackageResources.index_html)
  private static let files: [File] = [
    File(
      path: "/dashboard.css", type: "text/css; charset=utf-8",
      bytes: PackageResources.dashboard_css),
    File(path: "/icon.svg", type: "image/svg+xml", bytes: PackageResources.icon_svg),
    script("api", PackageResources.api_js),
    script("ask", PackageResources.ask_js),
    script("draw", PackageResources.draw_js),
    script("jobs", PackageResources.jobs_js),
    script("main", PackageResources.main_js),
    script("mesh", PackageResources.mesh_js),
    script("shares", PackageResources.shares_js),
    script("speed", PackageResources.speed_js),
    script("state", PackageResources.state_js),
    script("steps", PackageResources.steps_js),
  ]

  private static func script(_ name: String, _ bytes: [UInt8]) -> File {
    File(path: "/\(name).js", type: "text/javascript; charset=utf-8", bytes: bytes)
  }

  func add(to router: Router<BasicRequestContext>) {
    for file in [Self.page] + Self.files {
      router.get(RouterPath(file.path)) { _, _ in Self.response(file) }
    }
  }

  private static func response(_ file: File) -> Response {
    Response(
      status: .ok,
      headers: [
        .contentType: file.type,
        .cacheControl: "no-cache",
        .contentSecurityPolicy:
          "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        .xContentTypeOptions: "nosniff",
      ],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: file.bytes)))
  }
}
