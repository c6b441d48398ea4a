internal import ApusAPI
internal import ApusCompiler
internal import ApusCore
internal import ApusMesh
internal import Foundation
internal import SwiftProtobuf

/// What must hold of every view, whatever the manifests say: Envoy refuses a resource for which it does not, or requests
/// would go where nobody meant them to go.
struct ViewCheck {
    private typealias Cluster = Envoy_Config_Cluster_V3_Cluster
    private typealias Assignment = Envoy_Config_Endpoint_V3_ClusterLoadAssignment
    private typealias Listener = Envoy_Config_Listener_V3_Listener
    private typealias Manager = Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpConnectionManager
    private typealias TCPProxy = Envoy_Extensions_Filters_Network_TcpProxy_V3_TcpProxy
    private typealias Routes = Envoy_Config_Route_V3_RouteConfiguration
    private typealias Address = Envoy_Config_Core_V3_Address
    private typealias HTTPOptions = Envoy_Extensions_Upstreams_Http_V3_HttpProtocolOptions
    private typealias DynamicHosts = Envoy_Extensions_Clusters_DynamicForwardProxy_V3_ClusterConfig

    let view: ResourceView
    let snapshot: MeshSnapshot
    private(set) var problems: [String] = []
    private var wantedRoutes: Set<String> = []
    private var wantedEndpoints: Set<String> = []

    init(view: ResourceView, snapshot: MeshSnapshot) {
        self.view = view
        self.snapshot = snapshot
    }

    static func problems(of view: ResourceView, in snapshot: MeshSnapshot) -> [String] {
        var check = ViewCheck(view: view, snapshot: snapshot)
        check.run()
        return check.problems
    }

    private mutating func run() {
        for cluster in decoded(.cluster, Cluster.self, \.name) { check(cluster) }
        for assignment in decoded(.endpoints, Assignment.self, \.clusterName) { check(assignment) }
        let listeners = decoded(.listener, Listener.self, \.name)
        for listener in listeners { check(listener) }
        checkAddresses(listeners)
        for routes in decoded(.route, Routes.self, \.name) { check(routes) }

        require(Set(view.endpoints.byName.keys) == wantedEndpoints, "endpoints are not those that the clusters want")
        require(
            Set(view.routes.byName.keys) == wantedRoutes,
            "route configurations are not those that the listeners name")
        for finding in ReferenceCheck.findings(of: view, in: snapshot) where finding.severity == .error {
            problems.append("reference: \(finding.message)")
        }
    }

    private mutating func require(_ condition: Bool, _ problem: @autoclosure () -> String) {
        if !condition { problems.append(problem()) }
    }

    /// All resources of a type, by name; one that does not decode, or not as what it says it is, is a problem.
    private mutating func decoded<M: Message>(
        _ type: ResourceType, _: M.Type, _ name: (M) -> String
    ) -> [M] {
        view[type].byName.sorted { $0.key < $1.key }.compactMap { key, resource in
            guard let any = try? Google_Protobuf_Any(serializedBytes: resource.body),
                let message = try? M(serializedBytes: any.value)
            else {
                problems.append("\(type) \(key) does not decode")
                return nil
            }
            require(any.typeURL == type.typeURL, "\(type) \(key) has the type \(any.typeURL)")
            require(key == resource.name && name(message) == key, "\(type) \(key) calls itself \(name(message))")
            require(!key.isEmpty, "a \(type) has no name")
            require(resource.version == ContentVersion(of: resource.body), "\(type) \(key) has a wrong version")
            require(message.unknownFields.data.isEmpty, "\(type) \(key) has unknown fields")
            return message
        }
    }

    // MARK: Clusters and endpoints

    private mutating func check(_ cluster: Cluster) {
        let place = "cluster \(cluster.name)"
        if cluster.type == .eds {
            let service = cluster.edsClusterConfig.serviceName
            wantedEndpoints.insert(service.isEmpty ? cluster.name : service)
        } else if cluster.hasLoadAssignment {
            check(cluster.loadAssignment, place, isAddressed: cluster.type == .static)
            if cluster.type == .logicalDns {
                require(
                    cluster.loadAssignment.endpoints.flatMap(\.lbEndpoints).count == 1,
                    "\(place) is LOGICAL_DNS without exactly one endpoint")
            }
        }
        if case .clusterType(let custom)? = cluster.clusterDiscoveryType {
            require(cluster.lbPolicy == .clusterProvided, "\(place) is of a type that balances itself, and is not let")
            let options = cluster.typedExtensionProtocolOptions.values
                .compactMap { try? HTTPOptions(unpackingAny: $0).upstreamHTTPProtocolOptions }
            let isInsecure = (try? DynamicHosts(unpackingAny: custom.typedConfig))?.allowInsecureClusterOptions ?? false
            require(
                isInsecure || options.allSatisfy { $0.autoSni && $0.autoSanValidation },
                "\(place): names are not checked, and that is not said")
        }
        if cluster.hasConnectTimeout {
            require(Self.isPositive(cluster.connectTimeout), "\(place): connect_timeout is not positive")
        }
        switch cluster.lbConfig {
        case .ringHashLbConfig(let ring):
            require(
                !ring.hasMinimumRingSize || ring.minimumRingSize.value <= 8 << 20, "\(place): the ring is too large")
        case .maglevLbConfig(let maglev):
            require(
                !maglev.hasTableSize || (maglev.tableSize.value <= 5_000_011 && Self.isPrime(maglev.tableSize.value)),
                "\(place): the Maglev table's size is not a prime up to 5000011")
        default: break
        }
        if cluster.hasOutlierDetection {
            let detection = cluster.outlierDetection
            require(
                detection.maxEjectionPercent.value <= 100 && detection.enforcingConsecutive5Xx.value <= 100,
                "\(place): a percentage above 100")
            require(
                !detection.hasInterval || Self.isPositive(detection.interval), "\(place): outlier interval of nothing")
            require(
                !detection.hasBaseEjectionTime || Self.isPositive(detection.baseEjectionTime),
                "\(place): base_ejection_time of nothing")
        }
    }

    private mutating func check(_ assignment: Assignment) {
        check(assignment, "endpoints \(assignment.clusterName)", isAddressed: true)
    }

    private mutating func check(_ assignment: Assignment, _ place: String, isAddressed: Bool) {
        var localities: Set<String> = []
        for group in assignment.endpoints {
            let locality = group.locality
            require(
                localities.insert("\(locality.region)/\(locality.zone)/\(locality.subZone)/\(group.priority)").inserted,
                "\(place): a locality stands twice in one priority")
            require(!group.hasLoadBalancingWeight || group.loadBalancingWeight.value > 0, "\(place): weight 0")
            for endpoint in group.lbEndpoints {
                require(
                    !endpoint.hasLoadBalancingWeight || endpoint.loadBalancingWeight.value > 0, "\(place): weight 0")
                check(endpoint.endpoint.address, place, isAddressed: isAddressed)
            }
        }
        let priorities = Set(assignment.endpoints.map(\.priority))
        require(
            priorities.isEmpty || priorities.sorted() == Array(0..<UInt32(priorities.count)),
            "\(place): priorities have gaps")
    }

    private mutating func check(_ address: Address, _ place: String, isAddressed: Bool) {
        switch address.address {
        case .socketAddress(let socket):
            require(!socket.address.isEmpty, "\(place): an empty address")
            if isAddressed { require(IPAddress(socket.address) != nil, "\(place): \(socket.address) is no IP address") }
            guard case .portValue(let port)? = socket.portSpecifier else {
                problems.append("\(place): an address without a port")
                return
            }
            require(port <= 65535, "\(place): port \(port)")
        case .pipe(let pipe): require(!pipe.path.isEmpty, "\(place): an empty path")
        case .envoyInternalAddress: break
        case nil: problems.append("\(place): no address")
        }
    }

    // MARK: Listeners

    private mutating func check(_ listener: Listener) {
        let place = "listener \(listener.name)"
        if listener.hasApiListener {
            guard let manager = try? Manager(unpackingAny: listener.apiListener.apiListener) else {
                problems.append("\(place): the API listener is no connection manager")
                return
            }
            check(manager, place, isServed: false)
            return
        }
        check(listener.address, place, isAddressed: true)
        require(!listener.filterChains.isEmpty || listener.hasDefaultFilterChain, "\(place) has no chain")
        var matches: Set<Envoy_Config_Listener_V3_FilterChainMatch> = []
        for chain in listener.filterChains {
            require(matches.insert(chain.filterChainMatch).inserted, "\(place): two chains with one match")
            for range in chain.filterChainMatch.prefixRanges {
                let longest: UInt32? = IPAddress(range.addressPrefix).map { $0.family == .v4 ? 32 : 128 }
                require(
                    longest.map { range.prefixLen.value <= $0 } ?? false,
                    "\(place): \(range.addressPrefix)/\(range.prefixLen.value) is no network")
            }
            require(
                chain.filterChainMatch.destinationPort.value <= 65535, "\(place): a chain for a port above 65535")
        }
        for chain in listener.filterChains + (listener.hasDefaultFilterChain ? [listener.defaultFilterChain] : []) {
            require(!chain.filters.isEmpty, "\(place): chain \(chain.name) has no filters")
            for filter in chain.filters {
                if let manager = try? Manager(unpackingAny: filter.typedConfig) {
                    check(manager, place)
                } else if let proxy = try? TCPProxy(unpackingAny: filter.typedConfig) {
                    require(!proxy.statPrefix.isEmpty, "\(place): a TCP proxy without a stat prefix")
                    if case .weightedClusters(let weighted)? = proxy.clusterSpecifier {
                        require(
                            !weighted.clusters.isEmpty && weighted.clusters.allSatisfy { $0.weight > 0 },
                            "\(place): weighted clusters of a TCP proxy without weight")
                    }
                }
            }
        }
    }

    /// - Parameter isServed: false for the listener of a gRPC client, which keeps no statistics.
    private mutating func check(_ manager: Manager, _ place: String, isServed: Bool = true) {
        require(!isServed || !manager.statPrefix.isEmpty, "\(place): a connection manager without a stat prefix")
        switch manager.routeSpecifier {
        case .rds(let rds): wantedRoutes.insert(rds.routeConfigName)
        case .routeConfig(let routes): check(routes)
        default: problems.append("\(place): a connection manager without routes")
        }
        let names = manager.httpFilters.map(\.name)
        require(Set(names).count == names.count, "\(place): two HTTP filters with one name")
    }

    /// Envoy refuses the second listener of an address.
    private mutating func checkAddresses(_ listeners: [Listener]) {
        var owners: [Address: String] = [:]
        for listener in listeners where !listener.hasApiListener {
            for address in [listener.address] + listener.additionalAddresses.map(\.address) {
                if let owner = owners.updateValue(listener.name, forKey: address) {
                    problems.append("listeners \(owner) and \(listener.name) have one address")
                }
            }
        }
    }

    // MARK: Routes

    private mutating func check(_ routes: Routes) {
        let place = "route configuration \(routes.name)"
        var names: Set<String> = []
        var domains: Set<String> = []
        for host in routes.virtualHosts {
            require(!host.name.isEmpty, "\(place): a virtual host without a name")
            require(names.insert(host.name).inserted, "\(place): virtual host \(host.name) stands twice")
            require(!host.domains.isEmpty, "\(place): virtual host \(host.name) has no domains")
            for domain in host.domains {
                require(!domain.isEmpty, "\(place): an empty domain")
                require(domains.insert(domain.lowercased()).inserted, "\(place): domain \(domain) stands twice")
            }
            for route in host.routes { check(route, "\(place), virtual host \(host.name), route \(route.name)") }
        }
    }

    private mutating func check(_ route: Envoy_Config_Route_V3_Route, _ place: String) {
        require(route.match.pathSpecifier != nil, "\(place): no path specifier")
        for header in route.match.headers {
            require(!header.name.isEmpty, "\(place): a match of a header without a name")
        }
        for option in route.requestHeadersToAdd + route.responseHeadersToAdd {
            require(!option.header.key.isEmpty, "\(place): a header without a name")
            require(
                !(option.header.key + option.header.value).unicodeScalars.contains {
                    $0.value == 0 || $0.value == 10 || $0.value == 13
                }, "\(place): a header with a line end")
        }
        switch route.action {
        case .route(let action):
            switch action.clusterSpecifier {
            case .cluster(let name): require(!name.isEmpty, "\(place): a cluster without a name")
            case .weightedClusters(let weighted):
                let total = weighted.clusters.reduce(UInt64(0)) { $0 + UInt64($1.weight.value) }
                require(total > 0 && total <= UInt64(UInt32.max), "\(place): weights add up to \(total)")
                require(
                    weighted.clusters.allSatisfy { !$0.name.isEmpty }, "\(place): a weighted cluster without a name")
            case .clusterHeader(let name): require(!name.isEmpty, "\(place): a cluster header without a name")
            default: problems.append("\(place): no cluster")
            }
            if action.hasRetryPolicy, action.retryPolicy.hasRetryBackOff {
                let backOff = action.retryPolicy.retryBackOff
                require(Self.isPositive(backOff.baseInterval), "\(place): a retry back-off of nothing")
            }
        case .redirect: break
        case .directResponse(let response):
            require((200..<600).contains(response.status), "\(place): direct response \(response.status)")
        case .nonForwardingAction: break
        default: problems.append("\(place): no action")
        }
    }

    // MARK: Values

    private static func isPositive(_ duration: Google_Protobuf_Duration) -> Bool {
        duration.seconds >= 0 && duration.nanos >= 0 && (duration.seconds > 0 || duration.nanos > 0)
    }

    private static func isPrime(_ number: UInt64) -> Bool {
        guard number > 1 else { return false }
        var divisor: UInt64 = 2
        while divisor * divisor <= number {
            if number % divisor == 0 { return false }
            divisor += 1
        }
        return true
    }

    // MARK: Text

    /// The view as `apus compile` prints it must be JSON with every resource in it; the text is for whoever wants to
    /// know what the resources say.
    static func textProblems(of view: ResourceView) -> (problems: [String], text: String) {
        let text = CompileOutput.json(view: view)
        guard let tree = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: [Any]] else {
            return (["the output is no JSON object of lists"], text)
        }
        let keys: [(String, ResourceType)] = [
            ("clusters", .cluster), ("endpoints", .endpoints), ("listeners", .listener), ("routes", .route),
            ("secrets", .secret),
        ]
        let problems = keys.compactMap { key, type -> String? in
            let printed = tree[key]?.count ?? -1
            let held = view[type].byName.count
            return printed == held ? nil : "the output has \(printed) \(key) of \(held)"
        }
        return (problems, text)
    }
}
