/// Finds the name that a user probably meant.
package enum Suggestion {
    /// The candidate nearest to `word`, or nil when none is near: at most a third of its
    /// letters, and at least one, may differ. Ties go to the first in sorted order.
    package static func nearest(to word: String, in candidates: [String]) -> String? {
        let limit = max(1, word.count / 3)
        var best: (distance: Int, name: String)?
        for candidate in candidates.sorted() where candidate != word {
            guard abs(candidate.count - word.count) <= limit else { continue }
            let found = distance(Array(word.lowercased()), Array(candidate.lowercased()))
            if found <= limit, found < best?.distance ?? .max { best = (found, candidate) }
        }
        return best?.name
    }

    /// `did you mean 'x'?`, or else the list of what there is; nil when there is nothing.
    package static func hint(
        for word: String, in candidates: [String], kind: String
    ) -> String? {
        if let name = nearest(to: word, in: candidates) { return "did you mean '\(name)'?" }
        guard !candidates.isEmpty else { return nil }
        let shown = candidates.prefix(20).joined(separator: ", ")
        return "\(kind): \(shown)\(candidates.count > 20 ? ", …" : "")"
    }

    /// Optimal string alignment distance: insert, delete, replace, swap neighbours.
    ///
    /// Source: Damerau, CACM 7(3), 1964, in its restricted form. O(a × b).
    package static func distance(_ a: [Character], _ b: [Character]) -> Int {
        var previous: [Int] = []
        var current = Array(0...b.count)
        for i in 0..<a.count {
            var next = [i + 1]
            for j in 0..<b.count {
                var cost = min(current[j + 1] + 1, next[j] + 1, current[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                    cost = min(cost, previous[j - 1] + 1)
                }
                next.append(cost)
            }
            previous = current
            current = next
        }
        return current[b.count]
    }
}
