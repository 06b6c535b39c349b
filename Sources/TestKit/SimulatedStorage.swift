import Primitives
import Synchronization

/// A file system in memory with the faults of a real one, by a seed: a disk that fills up, syncs
/// that fail, crashes that keep any part of what was not synced, flipped bits.
///
/// What a crash may do: contents come back as of the file's last sync, with each later write
/// applied wholly, up to some byte, or not at all, independently of the others; names come back,
/// each by itself, as of the directory's last sync or as they were. Directories themselves are
/// durable at once.
///
/// Threading: any thread.
package final class SimulatedStorage: Storage {
    struct Node {
        var current: [UInt8] = []
        var durable: [UInt8] = []
        var pending: [Change] = []
    }

    enum Change {
        case write(position: Int, bytes: [UInt8])
        case truncate(Int)
    }

    struct State {
        var random: RandomSource
        var nodes: [Int: Node] = [:]
        var names: [String: Int] = [:]
        var durableNames: [String: Int] = [:]
        var directories: Set<String> = ["/", "."]
        var locks: Set<String> = []
        var nextNode = 1
        /// Counts crashes; handles of an earlier one are dead.
        var generation = 0
        var capacity: Int?
        var failures: [StorageError.Operation: Int] = [:]
    }

    let state: Mutex<State>

    package init(seed: UInt64) {
        state = Mutex(State(random: RandomSource(seed: seed)))
    }

    /// The most bytes that all files together may hold; nil for no limit.
    package func setCapacity(_ bytes: Int?) {
        state.withLock { $0.capacity = bytes }
    }

    /// The bytes that all files hold.
    package var usedBytes: Int {
        state.withLock { $0.usedBytes }
    }

    /// Lets the `count`-th call of an operation from now on fail once with an I/O error.
    package func failOnce(_ operation: StorageError.Operation, after count: Int = 1) {
        state.withLock { $0.failures[operation] = count }
    }

    /// Changes a file behind everybody's back, durably.
    package func tamper(_ path: String, _ change: (inout [UInt8]) -> Void) {
        state.withLock { state in
            guard let node = state.names[path], var bytes = state.nodes[node]?.current else {
                return
            }
            change(&bytes)
            state.nodes[node] = Node(current: bytes, durable: bytes)
        }
    }

    /// Stops the machine and starts it again: open files are dead, locks are free, and what was not
    /// synced is there or not, by chance.
    package func crash() {
        state.withLock { state in
            state.generation += 1
            state.locks = []
            var names: [String: Int] = [:]
            let candidates = Set(state.names.keys).union(state.durableNames.keys)
            for name in candidates.sorted() {
                let before = state.durableNames[name]
                let after = state.names[name]
                let kept = state.random.int(in: 0...1) == 0 ? before : after
                if let kept { names[name] = kept }
            }
            var nodes: [Int: Node] = [:]
            for number in Set(names.values).sorted() {
                guard let node = state.nodes[number] else { continue }
                let bytes = state.survivors(of: node)
                nodes[number] = Node(current: bytes, durable: bytes)
            }
            state.names = names
            state.durableNames = names
            state.nodes = nodes
        }
    }

    package func open(
        _ path: String, _ mode: StorageOpenMode
    ) throws(StorageError) -> any StorageFile {
        try state.withLock { (state) throws(StorageError) in
            try state.fail(.open, path)
            guard state.directories.contains(Self.directory(of: path)) else {
                throw StorageError(.open, path, code: 2, reason: "No such file or directory")
            }
            if state.names[path] == nil {
                guard mode == .create || mode == .replace else {
                    throw StorageError(.open, path, code: 2, reason: "No such file or directory")
                }
                state.names[path] = state.nextNode
                state.nodes[state.nextNode] = Node()
                state.nextNode += 1
            }
            guard let number = state.names[path] else {
                throw StorageError(.open, path, code: 5, reason: "Input/output error")
            }
            if mode == .replace { state.apply(.truncate(0), to: number) }
            return SimulatedFile(
                self, path: path, number: number, generation: state.generation)
        }
    }

    package func list(_ directory: String) throws(StorageError) -> [String] {
        try state.withLock { (state) throws(StorageError) in
            guard state.directories.contains(directory) else {
                throw StorageError(.list, directory, code: 2, reason: "No such file or directory")
            }
            let prefix = directory == "/" ? "/" : directory + "/"
            let entries = Array(state.names.keys) + Array(state.directories)
            let names = entries.compactMap { path -> String? in
                guard path.hasPrefix(prefix), path.count > prefix.count else { return nil }
                let name = path.dropFirst(prefix.count)
                return name.contains("/") ? nil : String(name)
            }
            return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        }
    }

    package func kind(of path: String) throws(StorageError) -> StorageKind? {
        state.withLock { state in
            if state.directories.contains(path) { return .directory }
            return state.names[path] == nil ? nil : .file
        }
    }

    package func createDirectory(_ path: String) throws(StorageError) {
        state.withLock { state in
            var path = path
            while state.directories.insert(path).inserted { path = Self.directory(of: path) }
        }
    }

    package func rename(_ path: String, to target: String) throws(StorageError) {
        try state.withLock { (state) throws(StorageError) in
            try state.fail(.rename, path)
            guard let number = state.names.removeValue(forKey: path) else {
                throw StorageError(.rename, path, code: 2, reason: "No such file or directory")
            }
            state.names[target] = number
        }
    }

    package func remove(_ path: String) throws(StorageError) {
        try state.withLock { (state) throws(StorageError) in
            try state.fail(.remove, path)
            state.names[path] = nil
        }
    }

    package func removeDirectory(_ path: String) throws(StorageError) {
        guard try list(path).isEmpty else {
            throw StorageError(.remove, path, code: 39, reason: "Directory not empty")
        }
        state.withLock { state in _ = state.directories.remove(path) }
    }

    package func syncDirectory(_ path: String) throws(StorageError) {
        try state.withLock { (state) throws(StorageError) in
            try state.fail(.sync, path)
            let isInside = { (name: String) in Self.directory(of: name) == path }
            for name in state.durableNames.keys.filter(isInside) {
                state.durableNames[name] = nil
            }
            for (name, number) in state.names where isInside(name) {
                state.durableNames[name] = number
            }
        }
    }

    package func lock(_ path: String) throws(StorageError) -> (any StorageLock)? {
        try open(path, .create).close()
        return state.withLock { state in
            guard state.locks.insert(path).inserted else { return nil }
            return SimulatedLock(self, path: path, generation: state.generation)
        }
    }
}

extension SimulatedStorage.State {
    var usedBytes: Int {
        var live = Set(names.values)
        live.formUnion(durableNames.values)
        return live.reduce(0) { $0 + (nodes[$1]?.current.count ?? 0) }
    }

    /// Throws when the operation's turn to fail has come.
    mutating func fail(
        _ operation: StorageError.Operation, _ path: String
    ) throws(StorageError) {
        guard let left = failures[operation] else { return }
        failures[operation] = left > 1 ? left - 1 : nil
        if left == 1 {
            throw StorageError(operation, path, code: 5, reason: "Input/output error")
        }
    }

    mutating func apply(_ change: SimulatedStorage.Change, to number: Int) {
        guard var node = nodes.removeValue(forKey: number) else { return }
        Self.apply(change, to: &node.current)
        node.pending.append(change)
        nodes[number] = node
    }

    static func apply(_ change: SimulatedStorage.Change, to bytes: inout [UInt8]) {
        switch change {
        case .truncate(let size):
            if size < bytes.count {
                bytes.removeLast(bytes.count - size)
            } else {
                bytes += repeatElement(0, count: size - bytes.count)
            }
        case .write(let position, let written):
            let end = position + written.count
            if end > bytes.count { bytes += repeatElement(0, count: end - bytes.count) }
            bytes.replaceSubrange(position..<end, with: written)
        }
    }

    /// What a crash leaves of a file.
    mutating func survivors(of node: SimulatedStorage.Node) -> [UInt8] {
        var bytes = node.durable
        for change in node.pending {
            switch (random.int(in: 0...2), change) {
            case (0, _): continue
            case (1, .write(let position, let written)):
                let kept = random.int(in: 0...written.count)
                Self.apply(.write(position: position, bytes: Array(written[..<kept])), to: &bytes)
            default: Self.apply(change, to: &bytes)
            }
        }
        return bytes
    }
}

private final class SimulatedFile: StorageFile {
    let path: String
    private let storage: SimulatedStorage
    private let number: Int
    private let generation: Int

    init(_ storage: SimulatedStorage, path: String, number: Int, generation: Int) {
        self.storage = storage
        self.path = path
        self.number = number
        self.generation = generation
    }

    private func access<T>(
        _ operation: StorageError.Operation,
        _ body: (inout SimulatedStorage.State, SimulatedStorage.Node) throws(StorageError) -> T
    ) throws(StorageError) -> T {
        try storage.state.withLock { (state) throws(StorageError) in
            guard state.generation == generation, let node = state.nodes[number] else {
                throw StorageError(operation, path, code: 5, reason: "Input/output error")
            }
            try state.fail(operation, path)
            return try body(&state, node)
        }
    }

    func size() throws(StorageError) -> Int {
        try access(.open) { (_, node) throws(StorageError) in node.current.count }
    }

    func read(at position: Int, count: Int) throws(StorageError) -> [UInt8] {
        try access(.read) { (_, node) throws(StorageError) in
            let bytes = node.current
            guard position < bytes.count else { return [] }
            return Array(bytes[position..<min(position + count, bytes.count)])
        }
    }

    func write(_ bytes: Span<UInt8>, at position: Int) throws(StorageError) {
        var copy: [UInt8] = []
        for index in bytes.indices { copy.append(bytes[index]) }
        try access(.write) { (state, node) throws(StorageError) in
            let growth = max(0, position + copy.count - node.current.count)
            let room = state.capacity.map { max(0, $0 - state.usedBytes) } ?? growth
            if growth > room { copy.removeLast(min(copy.count, growth - room)) }
            if !copy.isEmpty {
                state.apply(.write(position: position, bytes: copy), to: number)
            }
            if growth > room {
                throw StorageError(.write, path, code: 28, reason: "No space left on device")
            }
        }
    }

    func sync() throws(StorageError) {
        try access(.sync) { (state, node) throws(StorageError) in
            state.nodes[number]?.durable = node.current
            state.nodes[number]?.pending = []
        }
    }

    func truncate(to size: Int) throws(StorageError) {
        try access(.truncate) { (state, _) throws(StorageError) in
            state.apply(.truncate(size), to: number)
        }
    }

    func close() {}
}

private final class SimulatedLock: StorageLock {
    private let storage: SimulatedStorage
    private let path: String
    private let generation: Int
    private let isReleased = Mutex(false)

    init(_ storage: SimulatedStorage, path: String, generation: Int) {
        self.storage = storage
        self.path = path
        self.generation = generation
    }

    deinit { release() }

    func release() {
        let wasReleased = isReleased.withLock { released in
            defer { released = true }
            return released
        }
        if wasReleased { return }
        storage.state.withLock { state in
            if state.generation == generation { state.locks.remove(path) }
        }
    }
}
