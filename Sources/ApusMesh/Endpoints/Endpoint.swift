package import ApusCore

/// `region/zone/subzone`; empty parts are unknown.
package struct Locality: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let region: String
    package let zone: String
    package let subzone: String

    package init(region: String = "", zone: String = "", subzone: String = "") {
        self.region = region
        self.zone = zone
        self.subzone = subzone
    }

    /// Istio's text form; `.` in a Kubernetes label stands for `/`.
    package init(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        self.init(
            region: parts.first ?? "", zone: parts.count > 1 ? parts[1] : "", subzone: parts.count > 2 ? parts[2] : "")
    }

    package var isEmpty: Bool { region.isEmpty && zone.isEmpty && subzone.isEmpty }

    package var description: String {
        if !subzone.isEmpty { return "\(region)/\(zone)/\(subzone)" }
        return zone.isEmpty ? region : "\(region)/\(zone)"
    }

    package static func < (left: Locality, right: Locality) -> Bool {
        (left.region, left.zone, left.subzone) < (right.region, right.zone, right.subzone)
    }
}

/// One address of one service port.
package struct Endpoint: Hashable, Sendable {
    package enum Health: Hashable, Sendable { case healthy, unhealthy, draining }

    /// IP, host name (DNS services) or `unix://path`.
    package var address: String
    package var port: UInt32
    package var labels: [String: String]
    package var locality: Locality
    package var weight: UInt32
    package var health: Health
    package var network: String
    package var serviceAccount: String
    package var namespace: String
    /// Pod or WorkloadEntry name, as far as known.
    package var workloadName: String
    package var nodeName: String
    /// The workload counts as a member of the mesh, with a proxy that takes its TLS (see `Workload.acceptsMutualTLS`).
    /// PeerAuthentication may still say otherwise.
    package var acceptsMutualTLS: Bool

    package init(
        address: String,
        port: UInt32,
        labels: [String: String] = [:],
        locality: Locality = Locality(),
        weight: UInt32 = 1,
        health: Health = .healthy,
        network: String = "",
        serviceAccount: String = "",
        namespace: String = "",
        workloadName: String = "",
        nodeName: String = "",
        acceptsMutualTLS: Bool = false
    ) {
        self.address = address
        self.port = port
        self.labels = labels
        self.locality = locality
        self.weight = weight
        self.health = health
        self.network = network
        self.serviceAccount = serviceAccount
        self.namespace = namespace
        self.workloadName = workloadName
        self.nodeName = nodeName
        self.acceptsMutualTLS = acceptsMutualTLS
    }
}

/// All endpoints of one service by service port number, in a defined order (address, then port). Immutable.
package final class EndpointSet: Sendable {
    package let byPort: [UInt32: [Endpoint]]
    /// Digest of everything above.
    package let version: ContentVersion
    /// Who may answer: `ns/NAMESPACE/sa/ACCOUNT` of all endpoints that tell it, sorted.
    package let accounts: [String]

    package init(byPort: [UInt32: [Endpoint]], version: ContentVersion) {
        self.byPort = byPort
        self.version = version
        var accounts: Set<String> = []
        // Neighbours mostly share their account.
        var last: (namespace: String, account: String)?
        for endpoint in byPort.values.joined() where !endpoint.serviceAccount.isEmpty {
            if let last, last == (endpoint.namespace, endpoint.serviceAccount) { continue }
            last = (endpoint.namespace, endpoint.serviceAccount)
            accounts.insert("ns/\(endpoint.namespace)/sa/\(endpoint.serviceAccount)")
        }
        self.accounts = accounts.sorted()
    }

    package static let empty = EndpointSet(byPort: [:], version: ContentVersion(0))
}
