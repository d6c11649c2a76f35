// The entry point.

@main
struct Shoal {
  static func main() {}
}
