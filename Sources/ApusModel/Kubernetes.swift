package struct KubernetesService: Hashable, Sendable {
    package struct Port: Hashable, Sendable {
        package var name = ""
        /// `TCP`, `UDP`, `SCTP`.
        package var transport = "TCP"
        package var appProtocol: String?
        package var port: UInt32 = 0
        package var targetPort: TargetPort?
        package var nodePort: UInt32?
        package init() {}
    }

    package enum TargetPort: Hashable, Sendable {
        case number(UInt32)
        case name(String)
    }

    /// `ClusterIP`, `NodePort`, `LoadBalancer`, `ExternalName`.
    package var type = "ClusterIP"
    /// Without `None`; empty means headless or no address given.
    package var clusterIPs: [String] = []
    package var isHeadless = false
    package var externalName = ""
    package var externalIPs: [String] = []
    package var ports: [Port] = []
    package var selector: [String: String] = [:]
    package var publishNotReadyAddresses = false
    /// `internalTrafficPolicy: Local`.
    package var internalTrafficLocal = false
    package var trafficDistribution = ""
    package init() {}
}

package struct EndpointSlice: Hashable, Sendable {
    package struct Endpoint: Hashable, Sendable {
        package var addresses: [String] = []
        package var ready: Bool?
        package var serving: Bool?
        package var terminating: Bool?
        package var hostname = ""
        package var nodeName = ""
        package var zone = ""
        /// Namespaced name's name of the Pod behind it, if `targetRef` names one.
        package var targetPod = ""
        package init() {}
    }

    package struct Port: Hashable, Sendable {
        package var name = ""
        package var transport = "TCP"
        package var port: UInt32?
        package var appProtocol: String?
        package init() {}
    }

    /// From label `kubernetes.io/service-name`.
    package var serviceName = ""
    /// `IPv4`, `IPv6`, `FQDN`.
    package var addressType = "IPv4"
    package var endpoints: [Endpoint] = []
    package var ports: [Port] = []
    package init() {}
}

/// The old `Endpoints` kind; used for a service that has no EndpointSlice.
package struct KubernetesEndpoints: Hashable, Sendable {
    package struct Address: Hashable, Sendable {
        package var ip = ""
        package var hostname = ""
        package var nodeName = ""
        package var targetPod = ""
        package init() {}
    }

    package struct Subset: Hashable, Sendable {
        package var addresses: [Address] = []
        package var notReadyAddresses: [Address] = []
        package var ports: [EndpointSlice.Port] = []
        package init() {}
    }

    package var subsets: [Subset] = []
    package init() {}
}

package struct Pod: Hashable, Sendable {
    package struct ContainerPort: Hashable, Sendable {
        package var name = ""
        package var containerPort: UInt32 = 0
        package var transport = "TCP"
        package init() {}
    }

    package var serviceAccountName = "default"
    package var nodeName = ""
    package var podIPs: [String] = []
    package var hostNetwork = false
    package var containerPorts: [ContainerPort] = []
    /// From `status.conditions` type Ready; nil when the status does not tell (then the phase decides).
    package var ready: Bool?
    /// `Running`, `Pending`, `Succeeded`, `Failed` or empty.
    package var phase = ""
    /// `kind/name` of the controlling owner, if written.
    package var owner = ""
    package init() {}
}

package struct Node: Hashable, Sendable {
    package init() {}
}

package struct Secret: Hashable, Sendable {
    package var type = ""
    /// Decoded bytes by key. Never printed.
    package var data: [String: SecretBytes] = [:]
    package init() {}
}

/// Bytes that must not reach a log, a page or a golden file: printing shows a placeholder.
package struct SecretBytes: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    package let bytes: [UInt8]
    package init(_ bytes: [UInt8]) { self.bytes = bytes }
    package var description: String { "<redacted>" }
    package var debugDescription: String { "<redacted>" }
}

package struct ConfigMap: Hashable, Sendable {
    package var data: [String: String] = [:]
    package init() {}
}

package struct WorkloadController: Hashable, Sendable {
    package var templateLabels: [String: String] = [:]
    package var templateAnnotations: [String: String] = [:]
    package var serviceAccountName = "default"
    package var containerPorts: [Pod.ContainerPort] = []
    package init() {}
}
