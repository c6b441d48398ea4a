internal import ApusModel

extension PortProtocol {
    /// The protocol of a Kubernetes Service port: transport, `appProtocol`, name up to the first `-`, well-known
    /// number, in this order (semantics 4.13).
    package init(transport: String, appProtocol: String?, name: String, number: UInt32) {
        if transport.uppercased() == "UDP" {
            self = .udp
        } else if let known = appProtocol.flatMap(Self.init(appProtocol:)) ?? Self(portName: name) {
            self = known
        } else {
            self = Self.wellKnownTCP.contains(number) ? .tcp : .auto
        }
    }

    /// SMTP, DNS, MySQL and MongoDB: the server speaks first, so nothing could be detected.
    private static let wellKnownTCP: Set<UInt32> = [25, 53, 3306, 27017]

    private init?(appProtocol: String) {
        switch appProtocol.lowercased() {
        case "kubernetes.io/h2c": self = .http2
        case "kubernetes.io/ws": self = .http
        case "kubernetes.io/wss": self = .https
        case let other: self.init(portName: other)
        }
    }

    private init?(portName: String) {
        let name = portName.lowercased()
        if name == "grpc-web" || name.hasPrefix("grpc-web-") {
            self = .grpcWeb
            return
        }
        let prefix = name.prefix { $0 != "-" }
        guard let known = Self(rawValue: String(prefix)), known != .auto, known != .grpcWeb else { return nil }
        self = known
    }

    /// The `protocol` field of a ServiceEntry, Sidecar or Gateway port; unknown words and none mean "detect".
    package init(declared: String) {
        self = Self(rawValue: declared.lowercased()) ?? .auto
    }
}
