internal import ApusCore
internal import ApusModel

/// The folder's objects, found by what others refer to them with.
struct FolderIndex {
    /// The cluster domain, which Istio takes as fixed for names of services.
    static let domain = "cluster.local"

    /// A workload is whatever has labels and could run a proxy or be an endpoint.
    struct Workload {
        let namespace: String
        let labels: [String: String]
        let name: String
        /// A controller's template stands for its pods, which are counted if they are written themselves.
        let isTemplate: Bool
    }

    struct Host {
        let name: String
        let namespace: String
        let ports: [UInt32]
        let service: KubernetesService?
        let entry: ServiceEntry?
    }

    var virtualServices: [(object: ConfigObject, spec: VirtualService)] = []
    var destinationRules: [(object: ConfigObject, spec: DestinationRule)] = []
    var gateways: [(object: ConfigObject, spec: Gateway)] = []
    var sidecars: [(object: ConfigObject, spec: Sidecar)] = []
    var others: [ConfigObject] = []
    var slices: [(object: ConfigObject, spec: EndpointSlice)] = []
    var gatewayNames: Set<NamespacedName> = []
    var virtualServiceNames: Set<NamespacedName> = []
    var namespaces: Set<String> = []
    private(set) var workloads: [Workload] = []
    private var workloadsByLabel: [String: [Int]] = [:]
    private var workloadsByName: [NamespacedName: [Int]] = [:]
    private(set) var hosts: [String: [Host]] = [:]
    /// Full names of hosts by their first label.
    private(set) var hostsByLabel: [Substring: String] = [:]
    private(set) var wildcardHosts: [(name: HostName, host: Host)] = []
    /// DestinationRules by full host, exact names only.
    private(set) var rulesByHost: [String: [Int]] = [:]
    private(set) var wildcardRules: [(name: HostName, rule: Int)] = []
    private(set) var slicesByService: [NamespacedName: [Int]] = [:]
    /// Ready and other endpoints of slices name their pods.
    private(set) var podsOfService: [NamespacedName: Set<String>] = [:]

    init(_ objects: [ConfigObject], meshConfig: MeshConfig) {
        namespaces = [meshConfig.rootNamespace, "default"]
        for object in objects { add(object) }
    }

    private mutating func add(_ object: ConfigObject) {
        let namespace = object.metadata.namespace
        if object.key.kind == .namespace {
            namespaces.insert(object.metadata.name)
        } else if !namespace.isEmpty {
            namespaces.insert(namespace)
        }
        switch object.spec {
        case .virtualService(let spec):
            virtualServices.append((object, spec))
            virtualServiceNames.insert(object.key.name)
        case .destinationRule(let spec):
            let name = Self.fullName(spec.host, namespace: namespace)
            if name.hasPrefix("*") {
                wildcardRules.append((HostName(name), destinationRules.count))
            } else {
                rulesByHost[name, default: []].append(destinationRules.count)
            }
            destinationRules.append((object, spec))
        case .gateway(let spec):
            gateways.append((object, spec))
            gatewayNames.insert(object.key.name)
        case .sidecar(let spec):
            sidecars.append((object, spec))
        case .service(let spec):
            let name = "\(object.metadata.name).\(namespace).svc.\(Self.domain)"
            add(
                Host(
                    name: name, namespace: namespace, ports: spec.ports.map(\.port), service: spec, entry: nil))
        case .serviceEntry(let spec):
            others.append(object)
            for host in spec.hosts {
                add(
                    Host(
                        name: host.lowercased(), namespace: namespace, ports: spec.ports.map(\.number), service: nil,
                        entry: spec))
            }
        case .workloadEntry(let spec):
            add(
                Workload(
                    namespace: namespace, labels: object.metadata.labels.merging(spec.labels) { _, own in own },
                    name: object.metadata.name, isTemplate: false))
        case .workloadGroup(let spec):
            add(
                Workload(
                    namespace: namespace, labels: spec.labels.merging(spec.template.labels) { _, own in own },
                    name: object.metadata.name, isTemplate: true))
        case .pod:
            add(
                Workload(
                    namespace: namespace, labels: object.metadata.labels, name: object.metadata.name,
                    isTemplate: false))
        case .workloadController(let spec):
            add(
                Workload(
                    namespace: namespace, labels: spec.templateLabels, name: object.metadata.name, isTemplate: true))
        case .endpointSlice(let spec):
            let service = NamespacedName(namespace: namespace, name: spec.serviceName)
            slicesByService[service, default: []].append(slices.count)
            slices.append((object, spec))
            for endpoint in spec.endpoints where !endpoint.targetPod.isEmpty {
                podsOfService[service, default: []].insert(endpoint.targetPod)
            }
        default:
            others.append(object)
        }
    }

    private mutating func add(_ host: Host) {
        if host.name.hasPrefix("*") {
            wildcardHosts.append((HostName(host.name), host))
        } else {
            hosts[host.name, default: []].append(host)
            let label = host.name.prefix { $0 != "." }
            if host.name < hostsByLabel[label] ?? "\u{10FFFF}" { hostsByLabel[label] = host.name }
        }
    }

    private mutating func add(_ workload: Workload) {
        for (key, value) in workload.labels { workloadsByLabel["\(key)=\(value)", default: []].append(workloads.count) }
        workloadsByName[NamespacedName(namespace: workload.namespace, name: workload.name), default: []]
            .append(workloads.count)
        workloads.append(workload)
    }

    // MARK: Questions

    /// Istio's rule: a name without a dot is a service of the object's own namespace.
    static func fullName(_ host: String, namespace: String) -> String {
        let host = host.lowercased()
        if host.contains(".") || host.hasPrefix("*") || host.contains(":") { return host }
        return "\(host).\(namespace).svc.\(domain)"
    }

    /// The hosts of a full name: exact ones, else the wildcard ServiceEntries that contain it.
    func find(_ name: String) -> [Host] {
        if let exact = hosts[name] { return exact }
        let wanted = HostName(name)
        return wildcardHosts.filter { wanted.isSubset(of: $0.name) }.map(\.host)
    }

    /// The DestinationRules that speak of a full name.
    func rules(for name: String) -> [(object: ConfigObject, spec: DestinationRule)] {
        let wanted = HostName(name)
        let exact = (rulesByHost[name] ?? []).map { destinationRules[$0] }
        return exact + wildcardRules.filter { wanted.isSubset(of: $0.name) }.map { destinationRules[$0.rule] }
    }

    /// Workloads with all the labels, in one namespace or (nil) in all.
    func workloads(with labels: [String: String], in namespace: String?) -> [Workload] {
        workloadIndices(with: labels, in: namespace).map { workloads[$0] }
    }

    /// Positions in `workloads`, ascending.
    func workloadIndices(with labels: [String: String], in namespace: String?) -> [Int] {
        var candidates: [Int]?
        for (key, value) in labels {
            let found = workloadsByLabel["\(key)=\(value)"] ?? []
            if found.count < candidates?.count ?? .max { candidates = found }
        }
        let selector = LabelSelector(labels)
        return (candidates ?? Array(workloads.indices)).filter {
            (namespace == nil || workloads[$0].namespace == namespace) && selector.selects(workloads[$0].labels)
        }
    }

    /// Labels of everything that stands behind a host; nil if the folder does not say what stands there.
    func endpointLabels(of host: Host) -> [[String: String]]? {
        if let entry = host.entry {
            if let selector = entry.workloadSelector {
                let found = workloads(with: selector, in: host.namespace)
                return found.isEmpty ? nil : found.map(\.labels)
            }
            return entry.endpoints.isEmpty ? nil : entry.endpoints.map(\.labels)
        }
        guard let service = host.service else { return nil }
        let name = NamespacedName(
            namespace: host.namespace, name: String(host.name.prefix { $0 != "." }))
        var result: [[String: String]] = []
        if !service.selector.isEmpty {
            result += workloads(with: service.selector, in: host.namespace).map(\.labels)
        }
        if let pods = podsOfService[name] {
            for pod in pods {
                let found = workloadsByName[NamespacedName(namespace: host.namespace, name: pod)] ?? []
                result += found.map { workloads[$0].labels }
            }
        }
        return result.isEmpty ? nil : result
    }
}
