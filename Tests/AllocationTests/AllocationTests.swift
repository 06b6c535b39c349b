import Foundation
import Micro
import Testing

/// What a batch allocates in steady state, by case, beside the limits in `limits.json`.
///
/// A limit is what a case allocates today, and only ever falls: who makes a path allocate less
/// lowers it. Where arrays grow it has a few more, for how far they grow is up to the C library;
/// where anything is allocated one more does not count, for tables grow by the process's hash seed.
struct AllocationTests {
    /// Allocations a batch, on an average over a round.
    static let limits: [String: Double] = {
        guard let url = Bundle.module.url(forResource: "limits", withExtension: "json"),
            let data = try? Data(contentsOf: url)
        else { return [:] }
        return (try? JSONDecoder().decode([String: Double].self, from: data)) ?? [:]
    }()

    /// The counter sees what Swift allocates: 2 arrays that grow are at least 2 allocations.
    @Test func counts() {
        var arrays: [[Int]] = [[], []]
        let before = allocationCount()
        for index in arrays.indices { arrays[index].append(contentsOf: 0..<1000) }
        #expect(allocationCount() - before >= 2)
        #expect(arrays.allSatisfy { $0.count == 1000 })
    }

    @Test(arguments: MicroEntry.all.map(\.name))
    func steadyState(name: String) throws {
        let entry = try #require(MicroEntry.all.first { $0.name == name })
        var measured = try entry.make()
        let digest = measured.warmUp()
        let found = measured.measure(batches: measured.round)
        let count = (Double(found.allocations) / Double(measured.round) * 10).rounded() / 10
        print("allocations: \(name): \(count) a batch, digest \(digest.text)")
        let limit = try #require(Self.limits[name], "no limit; it allocates \(count) a batch")
        let slack = limit == 0 ? 0.0 : 1
        #expect(count <= limit + slack, "\(name) allocates \(count) a batch, its limit is \(limit)")
    }
}
