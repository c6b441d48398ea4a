// swift-tools-version: 6.2
import PackageDescription

// The walls between these targets, and the reason for each, are in Docs/architecture.md;
// Tests/Checks/walls.py compares every import with the table of allowed arrows.

let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let protobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let log = Target.Dependency.product(name: "Logging", package: "swift-log")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
]
let grpc: [Target.Dependency] = [
    .product(name: "GRPCCore", package: "grpc-swift-2"),
    .product(name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport"),
]

let identity: [Target.Dependency] = [
    .product(name: "X509", package: "swift-certificates"),
    .product(name: "SwiftASN1", package: "swift-asn1"),
    .product(name: "Crypto", package: "swift-crypto"),
    .product(name: "_CryptoExtras", package: "swift-crypto"),
]

let handWritten: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// The targets that every request runs through. A trap for overlapping access to a property is paid for at every access
/// of every class, a tenth of a request's user time; builds for debugging keep it. See Docs/performance.md.
let hot: [SwiftSetting] = [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))]

/// The sidecar carries Swift's libraries with it: it runs where no toolchain is, and counting a reference does not go
/// through a table of the dynamic linker.
let selfContained: [LinkerSetting] = [
    .unsafeFlags(
        ["-static-stdlib"]
            + [
                "--start-group", "-lFoundation", "-lFoundationInternationalization", "-lFoundationEssentials",
                "-l_FoundationICU", "-l_FoundationCShims", "-l_FoundationCollections", "-lCoreFoundation",
                "--end-group",
            ].flatMap { ["-Xlinker", $0] })
]

func library(
    _ name: String, _ dependencies: [Target.Dependency] = [], also settings: [SwiftSetting] = []
) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: handWritten + settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, resources: resources, swiftSettings: handWritten)
}

let package = Package(
    name: "apus",
    products: [
        .executable(name: "apus", targets: ["apus"]),
        .executable(name: "apus-proxy", targets: ["apus-proxy"]),
    ],
    dependencies: [
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.3"),
        .package(url: "https://github.com/grpc/grpc-swift-nio-transport", from: "2.9.2"),
    ],
    targets: [
        // Pure: values, functions and state machines.
        library("ApusCore"),
        library("ApusModel", ["ApusCore"]),
        library("ApusYAML", ["ApusCore", yams]),
        library("ApusDNS", ["ApusCore"]),
        library("ApusRegex", ["CApusRE2"]),
        .target(name: "CApusRE2", linkerSettings: [.linkedLibrary("re2")]),
        .target(name: "CApusZlib", linkerSettings: [.linkedLibrary("z")]),
        library("ApusManifest", ["ApusCore", "ApusModel", "ApusYAML", "ApusRegex"]),
        library("ApusMesh", ["ApusCore", "ApusModel"]),
        .target(name: "ApusAPI", dependencies: [protobuf], swiftSettings: [.swiftLanguageMode(.v6)]),
        library("ApusCompiler", ["ApusCore", "ApusModel", "ApusMesh", "ApusAPI", "ApusIdentity", protobuf]),
        library("ApusDelta", ["ApusCore", "ApusAPI", protobuf]),
        library("ApusTraffic", ["ApusCore", "ApusDNS", "ApusAPI", "ApusRegex", "ApusIdentity", protobuf], also: hot),
        library("ApusBootstrap", ["ApusCore", "ApusYAML", "ApusAPI", "ApusTraffic", protobuf]),

        // Certificates and tokens: values and functions, over the crypto libraries.
        library("ApusIdentity", identity),

        // I/O: the three loops around the pure core.
        library(
            "ApusControlPlane",
            [
                "ApusCore", "ApusModel", "ApusAPI", "ApusYAML", "ApusManifest", "ApusMesh", "ApusCompiler",
                "ApusDelta", "ApusIdentity", protobuf, log,
            ] + grpc + nio + identity + [
                .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ]),
        library(
            "ApusXDSClient", ["ApusCore", "ApusAPI", "ApusDelta", "ApusIdentity", protobuf, log] + grpc + identity),
        library(
            "ApusDataplane",
            ["ApusCore", "ApusDNS", "ApusTraffic", "ApusIdentity", "CApusZlib", log] + nio + identity + [
                .product(name: "NIOTLS", package: "swift-nio"), .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ], also: hot),

        // Programs.
        .executableTarget(
            name: "apus",
            dependencies: [
                "ApusCore", "ApusModel", "ApusAPI", "ApusManifest", "ApusMesh", "ApusCompiler", "ApusControlPlane",
                "ApusIdentity", arguments, protobuf, log,
            ] + identity,
            swiftSettings: handWritten),
        .executableTarget(
            name: "apus-proxy",
            dependencies: [
                "ApusCore", "ApusAPI", "ApusDelta", "ApusTraffic", "ApusBootstrap", "ApusXDSClient", "ApusDataplane",
                arguments, protobuf, log,
            ],
            swiftSettings: handWritten, linkerSettings: selfContained),

        // For developers: the crowd of streams that `make bench` measures the control plane with.
        .executableTarget(
            name: "apus-bench",
            dependencies: ["ApusCore", "ApusAPI", "ApusDelta", arguments, protobuf],
            path: "Tests/Benchmarks/LoadClient",
            swiftSettings: handWritten),

        // For developers: the whole way from manifest text to resources, checked; and what looks for inputs that break it.
        .target(
            name: "ApusFlow",
            dependencies: [
                "ApusCore", "ApusModel", "ApusManifest", "ApusMesh", "ApusAPI", "ApusCompiler", "ApusTraffic", protobuf,
            ],
            path: "Tests/Fuzz/Flow",
            swiftSettings: handWritten),
        .target(
            name: "ApusWire",
            dependencies: [
                "ApusCore", "ApusDNS", "ApusAPI", "ApusIdentity", "ApusTraffic", "ApusDataplane", protobuf,
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            path: "Tests/Fuzz/Wire", swiftSettings: handWritten),
        .executableTarget(
            name: "apus-fuzz", dependencies: ["ApusCore", "ApusFlow", "ApusWire"], path: "Tests/Fuzz/Fuzzer",
            swiftSettings: handWritten),

        tests("ApusAPITests", ["ApusAPI", protobuf]),
        tests(
            "ApusFlowTests",
            [
                "ApusCore", "ApusModel", "ApusManifest", "ApusMesh", "ApusAPI", "ApusCompiler", "ApusTraffic",
                "ApusFlow", protobuf,
            ]),
        tests("ApusWireTests", ["ApusWire"]),
        tests("ApusDNSTests", ["ApusCore", "ApusDNS"]),
        tests("ApusIdentityTests", ["ApusIdentity"] + identity),
        tests("ApusYAMLTests", ["ApusCore", "ApusModel", "ApusYAML"]),
        tests("ApusManifestTests", ["ApusCore", "ApusModel", "ApusYAML", "ApusManifest"]),
        tests("ApusMeshTests", ["ApusCore", "ApusModel", "ApusMesh"]),
        tests(
            "ApusCompilerTests",
            ["ApusCore", "ApusModel", "ApusMesh", "ApusAPI", "ApusCompiler", "ApusIdentity", protobuf] + identity),
        tests("ApusDeltaTests", ["ApusCore", "ApusAPI", "ApusDelta", protobuf]),
        tests(
            "ApusTrafficTests",
            ["ApusCore", "ApusDNS", "ApusRegex", "ApusAPI", "ApusIdentity", "ApusTraffic", protobuf] + identity),
        tests(
            "ApusBootstrapTests", ["ApusCore", "ApusYAML", "ApusAPI", "ApusTraffic", "ApusBootstrap", protobuf]),
        tests(
            "ApusDataplaneTests",
            ["ApusCore", "ApusDNS", "ApusTraffic", "ApusDataplane", "ApusAPI", protobuf, log] + nio
                + [.product(name: "NIOEmbedded", package: "swift-nio")]),
        tests(
            "ApusControlPlaneTests",
            [
                "ApusCore", "ApusModel", "ApusAPI", "ApusManifest", "ApusMesh", "ApusCompiler", "ApusDelta",
                "ApusControlPlane", "ApusIdentity", protobuf, log,
            ] + nio + identity),
        tests("ApusXDSClientTests", ["ApusCore", "ApusAPI", "ApusDelta", "ApusXDSClient", protobuf, log] + grpc),
    ],
    cxxLanguageStandard: .cxx17
)
