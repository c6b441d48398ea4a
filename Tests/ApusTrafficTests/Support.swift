internal import ApusTraffic

/// Bytes of a text, as parsers take them.
func withBytes<Result>(_ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    bytes.withUnsafeBytes { body($0) }
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

func get(_ path: String, host: String = "shop.example", _ fields: [(String, String)] = []) -> HTTPHead {
    HTTPHead(method: "GET", path: path, authority: host, fields: fields)
}

/// A route that forwards to one cluster.
func forwarding(_ cluster: String, _ match: RouteMatch, slot: Int = 0) -> Route {
    Route(
        name: cluster, match: match,
        action: .forward(ForwardAction(clusters: .cluster(ClusterReference(name: cluster, slot: Slot(slot))))))
}

func table(_ hosts: [VirtualHost]) -> RouteTable { RouteTable(name: "test", virtualHosts: hosts) }

extension RouteDecision {
    var clusterName: String? {
        if case .forward(_, let choice) = outcome { choice.name } else { nil }
    }
}
