import Engine

/// What `plumbline --version` prints. The semantics version stands in every journal record:
/// programs with the same one give the same results.
enum Version {
    static let text = "plumbline 0.1.0-dev, semantics version \(Semantics.version)"
}
