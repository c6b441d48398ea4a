internal import ApusCompiler
internal import ApusCore
internal import ApusManifest
internal import ApusMesh
internal import ApusModel
internal import ApusTraffic
internal import Foundation
internal import SwiftProtobuf
internal import Testing

/// A mesh from the text of its manifests, and what its proxies get and decide.
struct FlowMesh {
    let file: ManifestFile
    let snapshot: MeshSnapshot

    init(_ manifests: String...) { self.init(text: manifests.joined(separator: "\n---\n")) }

    init(text: String) {
        file = ManifestReader.read(file: "mesh.yaml", text: Array(text.utf8))
        snapshot = MeshSnapshot.make(objects: file.objects)
    }

    /// Findings of the file, as `line severity code field`.
    var complaints: [String] {
        file.findings.map { "\($0.severity) \($0.code) \($0.object ?? "") \($0.field ?? "")" }
    }

    func view(_ proxy: Proxy) -> ResourceView { ResourceCompiler.view(for: proxy, in: snapshot) }

    func engine(_ proxy: Proxy) -> FlowEngine { FlowEngine(view(proxy)) }

    static let sidecar = Proxy(id: "client.default", namespace: "default", addresses: ["10.1.9.9"])
    static let gateway = Proxy(
        id: "gateway.istio-system", role: .router, namespace: "istio-system", addresses: ["10.1.9.1"],
        labels: ["istio": "ingressgateway"])

    /// A Service on port 80 with one Pod per version, at 10.1.`number`.1 and up.
    static func service(_ name: String, number: Int, versions: [String] = ["v1"], port: Int = 80) -> String {
        let service = """
            apiVersion: v1
            kind: Service
            metadata: {name: \(name), namespace: default}
            spec:
              clusterIP: 10.96.0.\(number)
              selector: {app: \(name)}
              ports: [{name: http, port: \(port), targetPort: 8080}]
            """
        let pods = versions.enumerated().map { index, version in
            """
            apiVersion: v1
            kind: Pod
            metadata: {name: \(name)-\(version), namespace: default, labels: {app: \(name), version: \(version)}}
            spec: {containers: [{name: c, image: i, ports: [{containerPort: 8080}]}]}
            status: {podIP: 10.1.\(number).\(index + 1), phase: Running}
            """
        }
        return ([service] + pods).joined(separator: "\n---\n")
    }
}

extension ResourceView {
    /// The message of a resource.
    func message<M: Message>(_ type: ResourceType, _ name: String, as: M.Type = M.self) throws -> M {
        let resource = try #require(
            self[type].byName[name], "no \(type) \(name) in \(self[type].byName.keys.sorted())")
        return try M(serializedBytes: Google_Protobuf_Any(serializedBytes: resource.body).value)
    }
}

/// The proxy's own engine with a view in it.
struct FlowEngine {
    private(set) var store = ConfigStore()
    private(set) var refusals: [String] = []

    init(_ view: ResourceView) {
        for type in ResourceType.allCases {
            let resources = view[type].byName.values.sorted { $0.name < $1.name }
            let verdict = store.apply(
                ConfigUpdate(
                    type: type,
                    changed: resources.map { .init(name: $0.name, version: "\($0.version)", body: $0.body) }), now: 0)
            refusals += verdict.rejected.map { "\(type) \($0.name): \($0.reason)" }
        }
    }

    /// Where the engine sends a request, by the route configuration of that name: `cluster NAME`, `direct 403`,
    /// `redirect`, `https` or `404`.
    func decide(
        _ table: String, _ method: String = "GET", host: String, path: String, _ fields: [(String, String)] = [],
        draw: UInt64 = 0
    ) throws -> String {
        let tables = store.configuration.routeTables.compactMap { $0 }
        let table = try #require(
            tables.first { $0.name == table }, "no table \(table) in \(tables.map(\.name)), refused: \(refusals)")
        let head = HTTPHead(method: method, path: path, authority: host, fields: fields)
        return switch table.decide(head: head, draw: Draw(draw)).outcome {
        case .forward(_, let choice): "cluster \(choice.name)"
        case .redirect: "redirect"
        case .direct(let response): "direct \(response.status)"
        case .requireTLS: "https"
        case .notFound: "404"
        }
    }

    /// Addresses behind a cluster.
    func hosts(_ cluster: String) throws -> [String] {
        let cluster = try #require(store.configuration.cluster(named: cluster))
        return cluster.endpoints.endpoints.map { "\($0.address)" }.sorted()
    }
}

/// Folders of the project, found from where this file is.
enum Folder {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func manifests(_ folder: String) -> [String] {
        let url = root.appendingPathComponent(folder)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
        return names.filter { $0.hasSuffix(".yaml") }.sorted().map { folder + "/" + $0 }
    }

    static func bytes(_ path: String) throws -> [UInt8] {
        try Array(Data(contentsOf: root.appendingPathComponent(path)))
    }
}
