internal import ApusModel

/// Which versions of which kinds are read (semantics, section 4; Kubernetes API).
enum ServedKinds {
    struct Row {
        let kind: Kind
        let group: StaticString
        let versions: [StaticString]
        var isClusterScoped = false
        var isKubernetes = false
    }

    enum Answer {
        case served(Row)
        /// The group has the kind, but not in this version.
        case unserved(Row)
        /// A kind that other meshes or Kubernetes act upon and Apus does not: traffic may differ from expectation.
        case unsupported
        case unknown
    }

    private static let networking: StaticString = "networking.istio.io"
    private static let security: StaticString = "security.istio.io"
    private static let allVersions: [StaticString] = ["v1", "v1beta1", "v1alpha3"]

    static let rows: [String: Row] = {
        let istio: [Row] = [
            Row(kind: .virtualService, group: networking, versions: allVersions),
            Row(kind: .destinationRule, group: networking, versions: allVersions),
            Row(kind: .gateway, group: networking, versions: allVersions),
            Row(kind: .serviceEntry, group: networking, versions: allVersions),
            Row(kind: .workloadEntry, group: networking, versions: allVersions),
            Row(kind: .workloadGroup, group: networking, versions: allVersions),
            Row(kind: .sidecar, group: networking, versions: allVersions),
            Row(kind: .envoyFilter, group: networking, versions: ["v1alpha3"]),
            Row(kind: .proxyConfig, group: networking, versions: ["v1beta1"]),
            Row(kind: .peerAuthentication, group: security, versions: ["v1", "v1beta1"]),
            Row(kind: .requestAuthentication, group: security, versions: ["v1", "v1beta1"]),
            Row(kind: .authorizationPolicy, group: security, versions: ["v1", "v1beta1"]),
            Row(kind: .telemetry, group: "telemetry.istio.io", versions: ["v1", "v1alpha1"]),
        ]
        let kubernetes: [Row] = [
            Row(kind: .service, group: "", versions: ["v1"], isKubernetes: true),
            Row(kind: .endpoints, group: "", versions: ["v1"], isKubernetes: true),
            Row(kind: .endpointSlice, group: "discovery.k8s.io", versions: ["v1"], isKubernetes: true),
            Row(kind: .pod, group: "", versions: ["v1"], isKubernetes: true),
            Row(kind: .node, group: "", versions: ["v1"], isClusterScoped: true, isKubernetes: true),
            Row(kind: .namespace, group: "", versions: ["v1"], isClusterScoped: true, isKubernetes: true),
            Row(kind: .serviceAccount, group: "", versions: ["v1"], isKubernetes: true),
            Row(kind: .secret, group: "", versions: ["v1"], isKubernetes: true),
            Row(kind: .configMap, group: "", versions: ["v1"], isKubernetes: true),
            Row(kind: .deployment, group: "apps", versions: ["v1"], isKubernetes: true),
            Row(kind: .statefulSet, group: "apps", versions: ["v1"], isKubernetes: true),
            Row(kind: .daemonSet, group: "apps", versions: ["v1"], isKubernetes: true),
            Row(kind: .replicaSet, group: "apps", versions: ["v1"], isKubernetes: true),
            Row(kind: .job, group: "batch", versions: ["v1"], isKubernetes: true),
            Row(kind: .cronJob, group: "batch", versions: ["v1"], isKubernetes: true),
        ]
        return Dictionary(uniqueKeysWithValues: (istio + kubernetes).map { ($0.kind.rawValue, $0) })
    }()

    /// Groups whose every kind would change traffic in Istio.
    private static let actingGroups = ["gateway.networking.k8s.io", "extensions.istio.io"]

    static func find(apiVersion: String, kind: String) -> Answer {
        let parts = apiVersion.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let group = parts.count == 2 ? String(parts[0]) : ""
        let version = parts.count == 2 ? parts[1] : parts[0]
        if let row = rows[kind], row.group.description == group {
            return row.versions.contains { $0.description == version } ? .served(row) : .unserved(row)
        }
        if actingGroups.contains(group) || group == "networking.k8s.io" && kind == "Ingress" { return .unsupported }
        return .unknown
    }

    /// The served versions for a message: `networking.istio.io/v1, networking.istio.io/v1beta1`.
    static func apiVersions(_ row: Row) -> String {
        row.versions.map { row.group.utf8CodeUnitCount == 0 ? "\($0)" : "\(row.group)/\($0)" }.joined(separator: ", ")
    }
}
