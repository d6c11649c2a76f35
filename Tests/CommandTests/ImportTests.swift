// Models on their way in, and what a person is told where they cannot come.

import Foundation
import Testing

@Suite(.timeLimit(.minutes(10))) struct ImportTests {
  private let shoal: ShoalCommand
  init() throws { shoal = try ShoalCommand() }

  @Test func `a chat template outside the subset is told of at import and refused in a chat`()
    async throws
  {
    let model = try shoal.model(
      "llama-yarn-scales", chatTemplate: "{{ bos_token }}\n{% import 'x' as y %}")
    let imported = try await shoal.run(["import", model, "--name", "tiny"])
    #expect(imported.status == 0)
    #expect(imported.errors.contains("\(model): chat template, line 2: {% import %}"))
    #expect(imported.errors.contains("--template"))
    let chat = try await shoal.run(["chat", "tiny", "--solo"], input: "t1 t2\n")
    #expect(chat.status == 1)
    #expect(chat.output == "")
    #expect(chat.errors.contains("line 2: {% import %}"))
    let template = try shoal.write("{{ messages[0].content }}", to: "plain.jinja").path
    let other = try await shoal.run(
      ["chat", "tiny", "--solo", "--template", template, "-n", "2"], input: "t1 t2\n")
    #expect(other.status == 0, "\(other.errors)")
    #expect(other.output != "")
  }

  @Test func `a model that is refused is not in the store`() async throws {
    let model = try shoal.model("llama-yarn-scales")
    let weights = URL(filePath: model).appending(path: "model.safetensors")
    let whole = try Data(contentsOf: weights)
    try whole.prefix(whole.count - 100).write(to: weights)
    let refused = try await shoal.run(["import", model])
    #expect(refused.status == 1)
    #expect(refused.errors.contains("model.safetensors"))
    #expect(try await shoal.run(["models", "--json"]).output == "[]\n")
    try whole.write(to: weights)
    #expect(try await shoal.run(["import", model]).status == 0)
    #expect(try await shoal.run(["models"]).output.hasPrefix("model "))
  }
}
