// libFuzzer's way in (llvm.org/docs/LibFuzzer.html): FUZZ_TARGET names the parser, a finding aborts.

import Foundation

private let target: FuzzTarget = {
  let name = ProcessInfo.processInfo.environment["FUZZ_TARGET"] ?? ""
  guard let target = FuzzTarget.all.first(where: { $0.name == name }) else {
    print(FuzzTarget.all.map(\.name).joined(separator: "\n"))
    fflush(nil)
    _exit(0)
  }
  return target
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  do {
    try target.parse(unsafe Array(UnsafeBufferPointer(start: start, count: count)))
  } catch let broken as BrokenPromise {
    fatalError(broken.description)
  } catch {
    // Refused, as it should be.
  }
  return 0
}
