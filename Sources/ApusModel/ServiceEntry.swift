package struct ServiceEntry: Hashable, Sendable {
    package enum Location: String, Hashable, Sendable, CaseIterable {
        case meshExternal = "MESH_EXTERNAL"
        case meshInternal = "MESH_INTERNAL"
    }

    package enum Resolution: String, Hashable, Sendable, CaseIterable {
        case none = "NONE"
        case `static` = "STATIC"
        case dns = "DNS"
        case dnsRoundRobin = "DNS_ROUND_ROBIN"
        case dynamicDNS = "DYNAMIC_DNS"
    }

    package var hosts: [String] = []
    package var addresses: [String] = []
    package var ports: [PortSpec] = []
    package var location = Location.meshExternal
    package var resolution = Resolution.none
    package var endpoints: [WorkloadEntry] = []
    package var workloadSelector: [String: String]?
    package var exportTo: [String] = []
    package var subjectAltNames: [String] = []
    package init() {}
}

package struct WorkloadEntry: Hashable, Sendable {
    package var address = ""
    package var ports: [String: UInt32] = [:]
    package var labels: [String: String] = [:]
    package var network = ""
    package var locality = ""
    package var weight: UInt32?
    package var serviceAccount = ""
    package init() {}
}

package struct WorkloadGroup: Hashable, Sendable {
    package struct Probe: Hashable, Sendable {
        package enum Method: Hashable, Sendable {
            case httpGet(path: String, port: UInt32, host: String, scheme: String, headers: [String: String])
            case tcpSocket(host: String, port: UInt32)
            case exec([String])
            case grpc(port: UInt32, service: String)
        }

        package var initialDelaySeconds: Int32 = 0
        package var timeoutSeconds: Int32 = 0
        package var periodSeconds: Int32 = 0
        package var successThreshold: Int32 = 0
        package var failureThreshold: Int32 = 0
        package var method: Method?
        package init() {}
    }

    package var labels: [String: String] = [:]
    package var annotations: [String: String] = [:]
    package var template = WorkloadEntry()
    package var probe: Probe?
    package init() {}
}
