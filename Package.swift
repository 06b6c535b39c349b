// swift-tools-version: 6.2
import PackageDescription

/// Settings of every target of ours: warnings are errors, existentials are visible.
let common: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

/// Targets that touch no C pointer: every unsafe use must be spelled `unsafe`.
let safe: [SwiftSetting] = common + [.strictMemorySafety()]

let package = Package(
    name: "plumbline",
    products: [.executable(name: "plumbline", targets: ["plumbline"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    ],
    targets: [
        .testTarget(name: "TidyTests", swiftSettings: safe),
        .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(
            name: "CRdkafka", pkgConfig: "rdkafka", providers: [.apt(["librdkafka-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(
            name: "CSnappy", pkgConfig: "snappy", providers: [.apt(["libsnappy-dev"])]),
        .target(name: "CCRC32C"),
        .target(name: "Primitives", dependencies: ["CCRC32C"], swiftSettings: safe),
        .target(name: "Columnar", dependencies: ["Primitives"], swiftSettings: safe),
        .target(name: "Expression", dependencies: ["Primitives", "Columnar"], swiftSettings: safe),
        .target(
            name: "RecordLog", dependencies: ["Primitives", "CLZ4", "CZstd", "CZlib", "CSnappy"],
            swiftSettings: common),
        .target(
            name: "Dataflow", dependencies: ["Primitives", "Columnar", "Expression"],
            swiftSettings: safe),
        .target(
            name: "Topology",
            dependencies: ["Primitives", "Columnar", "Expression", "Dataflow", "Yams"],
            swiftSettings: safe),
        .target(
            name: "Connectors",
            dependencies: ["Primitives", "Columnar", "Dataflow", "RecordLog", "CRdkafka"],
            swiftSettings: common),
        .target(
            name: "Engine",
            dependencies: [
                "Primitives", "Columnar", "Expression", "RecordLog", "Dataflow", "Topology",
                "Connectors", .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: common),
        .target(name: "Simulation", dependencies: ["Primitives"], swiftSettings: safe),
        .target(
            name: "TestKit",
            dependencies: ["Primitives", "RecordLog", "Topology"], swiftSettings: common),
        .executableTarget(
            name: "plumbline",
            dependencies: [
                "Primitives", "Columnar", "RecordLog", "Dataflow", "Topology", "Connectors",
                "Engine", "Simulation",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            // What `init` and `schema` write is part of the program: it looks up no file.
            resources: [.embedInCode("SiteTemplate"), .embedInCode("Schemas")],
            swiftSettings: common),
        // The JSON decoder's oracle; tests only.
        .target(
            name: "CSimdjson", path: "Tests/CSimdjson",
            linkerSettings: [.linkedLibrary("simdjson")]),
        .testTarget(
            name: "PrimitivesTests", dependencies: ["Primitives"],
            resources: [.copy("Fixtures")], swiftSettings: common),
        .testTarget(
            name: "RecordLogTests", dependencies: ["Primitives", "RecordLog", "TestKit"],
            exclude: ["read_segment.py", "write_segment.py"], resources: [.copy("Fixtures")],
            swiftSettings: common),
        .testTarget(
            name: "ConnectorsTests",
            dependencies: [
                "Primitives", "Columnar", "Dataflow", "RecordLog", "Topology", "Connectors",
                "CSimdjson", "TestKit",
            ],
            exclude: ["avro_oracle.py", "csv_oracle.py", "protobuf_oracle.py"],
            resources: [.copy("Fixtures")], swiftSettings: common),
        .testTarget(
            name: "TopologyTests",
            dependencies: ["Primitives", "Columnar", "Expression", "Dataflow", "Topology"],
            exclude: ["judge_documents.py"], swiftSettings: common),
        .testTarget(
            name: "EngineTests",
            dependencies: [
                "Primitives", "Columnar", "RecordLog", "Dataflow", "Topology", "Engine",
                "TestKit",
            ],
            exclude: ["Fixtures"], swiftSettings: common),
        .testTarget(
            name: "ExpressionTests",
            dependencies: ["Primitives", "Columnar", "Expression", "TestKit"],
            exclude: ["Fixtures"], swiftSettings: common),
        // What the microbenchmarks and the gate of allocations run.
        .target(name: "CAllocations", path: "Benchmarks/CAllocations"),
        .target(
            name: "Micro",
            dependencies: [
                "CAllocations", "CZlib", "CSnappy", "Primitives", "Columnar", "Expression",
                "RecordLog", "Dataflow", "Topology", "Connectors", "Engine", "Simulation",
            ],
            path: "Benchmarks/Micro", swiftSettings: common),
        // C1 and the like over a file of lines, beside the yardstick.
        .executableTarget(
            name: "PlainFile",
            dependencies: [
                "Primitives", "RecordLog", "Dataflow", "Topology", "Connectors", "Engine",
            ], path: "Benchmarks/PlainFile", swiftSettings: common),
        .testTarget(
            name: "AllocationTests", dependencies: ["Micro"], resources: [.copy("limits.json")],
            swiftSettings: common),
        .testTarget(
            name: "SimulationTests", dependencies: ["Primitives", "Simulation"],
            swiftSettings: common),
    ],
    cxxLanguageStandard: .cxx17
)

// `make bench-micro`: nobody else downloads or builds the benchmarking package. Without its traits
// it needs no other repository of its makers; allocations are counted by CAllocations.
if Context.environment["PLUMBLINE_MICRO"] != nil {
    package.dependencies.append(
        .package(url: "https://github.com/ordo-one/benchmark", exact: "1.38.1", traits: []))
    package.targets.append(
        .executableTarget(
            name: "MicroBenchmarks",
            dependencies: ["Micro", .product(name: "Benchmark", package: "benchmark")],
            path: "Benchmarks/MicroBenchmarks", swiftSettings: common))
}
