internal import ApusAPI
package import ApusCore
internal import ApusTraffic
internal import ApusYAML
internal import SwiftProtobuf

/// Reads and checks a bootstrap as far as its text alone tells.
package struct BootstrapReader {
    private let file: String
    private var reader: MessageReader
    private var root: YAMLNode

    /// The bootstrap, and what is to be said about it; nil if one of the findings is an error.
    ///
    /// - Parameter file: its name, for the findings.
    package static func read(file: String, text: [UInt8]) -> (bootstrap: Bootstrap?, findings: [Finding]) {
        let yaml = YAMLFile.parse(file: file, text: text)
        var findings = yaml.findings
        guard let document = yaml.documents.first else {
            if findings.isEmpty {
                findings.append(
                    Finding(
                        .error, BootstrapCode.missing, "the file is empty: it should hold a bootstrap",
                        at: SourceLocation(file: file, position: .start)))
            }
            return (nil, findings)
        }
        findings += document.findings
        if let second = yaml.documents.dropFirst().first {
            findings.append(
                Finding(
                    .error, BootstrapCode.exclusive, "a bootstrap is one document, and a second begins here",
                    at: SourceLocation(file: file, position: second.root.position)))
        }
        var reader = BootstrapReader(file: file, root: document.root)
        let bootstrap = reader.read()
        findings += reader.reader.findings
        let isGood = !findings.contains { $0.severity == .error }
        return (isGood ? bootstrap : nil, findings)
    }

    private init(file: String, root: YAMLNode) {
        self.file = file
        self.root = root
        reader = MessageReader(file: file)
    }

    private mutating func read() -> Bootstrap? {
        let bytes = reader.message(root, Envoy_Config_Bootstrap_V3_Bootstrap.protoMessageName)
        // With a part missing, what refers to it could not be judged.
        guard !reader.hasErrors else { return nil }
        guard let message = try? Envoy_Config_Bootstrap_V3_Bootstrap(serializedBytes: bytes) else {
            reader.note(BootstrapCode.badValue, "this is not a bootstrap: it is nested too deeply", at: root)
            return nil
        }
        checkTopLevel()
        var bootstrap = Bootstrap()
        bootstrap.nodeID = message.node.id
        bootstrap.nodeCluster = message.node.cluster
        if message.hasAdmin { bootstrap.admin = admin(message.admin) }
        readResources(message.staticResources, into: &bootstrap)
        refuseSources(message.dynamicResources)
        checkReferences(message)
        checkMeaning(bootstrap)
        return bootstrap
    }

    // MARK: Findings

    private mutating func note(_ code: String, _ message: String, hint: String? = nil, at path: String) {
        reader.add(Finding(.error, code, message, hint: hint, at: location(path), field: path))
    }

    private mutating func warn(_ code: String, _ message: String, hint: String? = nil, at path: String) {
        reader.add(Finding(.warning, code, message, hint: hint, at: location(path), field: path))
    }

    private func location(_ path: String) -> SourceLocation {
        SourceLocation(file: file, position: FieldPosition.find(path, below: root))
    }

    // MARK: The shell

    /// Parts that are read and then have no effect are said to have none; those that would change what traffic may do
    /// are refused.
    private mutating func checkTopLevel() {
        for entry in root.entries where !entry.value.isNull {
            let name = entry.key.text
            let path = TopLevel.protoName(name)
            if TopLevel.withoutEffect.contains(path) {
                warn(BootstrapCode.noEffect, "\(path) is read and has no effect in this proxy", at: name)
            } else if TopLevel.refused.contains(path) {
                note(BootstrapCode.unsupported, "\(path) is not supported by this proxy", at: name)
            }
        }
        let manager = root.entries.first { TopLevel.protoName($0.key.text) == "cluster_manager" }
        for entry in manager?.value.entries ?? [] where !entry.value.isNull {
            let field = "\(manager?.key.text ?? "").\(entry.key.text)"
            if TopLevel.protoName(entry.key.text) == "enable_deferred_cluster_creation" {
                warn(BootstrapCode.noEffect, "\(field) is read and has no effect in this proxy", at: field)
            } else {
                note(BootstrapCode.unsupported, "\(field) is not supported by this proxy", at: field)
            }
        }
        for (index, layer) in (root["layered_runtime"]?["layers"]?.items ?? []).enumerated() {
            if let values = layer["static_layer"], values.count > 0 {
                warn(
                    BootstrapCode.noEffect,
                    "runtime keys have no effect in this proxy; every setting has its default_value",
                    at: "layered_runtime.layers[\(index)].static_layer")
            }
        }
    }

    private mutating func admin(_ message: Envoy_Config_Bootstrap_V3_Admin) -> Bootstrap.Admin? {
        guard message.hasAddress else { return nil }
        let socket = message.address.socketAddress
        guard case .socketAddress = message.address.address, let address = IPAddress(socket.address) else {
            note(
                BootstrapCode.badValue, "the admin pages need an IP address and a port", at: "admin.address")
            return nil
        }
        guard socket.portValue <= 65_535 else {
            note(
                BootstrapCode.badValue, "\(socket.portValue) is not a port",
                at: "admin.address.socket_address.port_value")
            return nil
        }
        if !message.allowPaths.isEmpty {
            note(BootstrapCode.unsupported, "allow_paths is not supported by this proxy", at: "admin.allow_paths")
        }
        for field in ["access_log", "access_log_path", "profile_path", "socket_options"]
        where root["admin"].map({ $0.entries.contains { $0.key.text == field && !$0.value.isNull } }) == true {
            warn(
                BootstrapCode.noEffect, "\(field) of the admin pages has no effect in this proxy",
                at: "admin.\(field)")
        }
        return Bootstrap.Admin(address: address, port: Int(socket.portValue))
    }

    // MARK: Static resources

    private mutating func readResources(
        _ resources: Envoy_Config_Bootstrap_V3_Bootstrap.StaticResources, into bootstrap: inout Bootstrap
    ) {
        var first: [String: String] = [:]
        for (index, cluster) in resources.clusters.enumerated() {
            let path = "static_resources.clusters[\(index)]"
            guard requireOnce(cluster.name, "cluster", path, &first) else { continue }
            bootstrap.clusters += resource(cluster, cluster.name, path)
        }
        first = [:]
        for (index, listener) in resources.listeners.enumerated() {
            let path = "static_resources.listeners[\(index)]"
            var listener = listener
            // Envoy makes up a name for a listener without one.
            if listener.name.isEmpty { listener.name = "static_listener_\(index)" }
            guard requireOnce(listener.name, "listener", path, &first) else { continue }
            bootstrap.listeners += resource(listener, listener.name, path)
        }
        if !resources.secrets.isEmpty {
            note(
                BootstrapCode.unsupported, "static secrets are not supported by this proxy",
                hint: "write the certificates where they are used", at: "static_resources.secrets")
        }
    }

    private mutating func requireOnce(
        _ name: String, _ kind: String, _ path: String, _ first: inout [String: String]
    ) -> Bool {
        guard !name.isEmpty else {
            note(BootstrapCode.missing, "the \(kind) has no name", at: path)
            return false
        }
        if let other = first[name] {
            let line = location("\(other).name").position.line
            note(
                BootstrapCode.duplicate, "the \(kind) \(name) is written twice; it was first written at line \(line)",
                at: "\(path).name")
            return false
        }
        first[name] = path
        return true
    }

    private func resource<M: Message>(_ message: M, _ name: String, _ path: String) -> [Bootstrap.Resource] {
        var options = BinaryEncodingOptions()
        options.useDeterministicOrdering = true
        guard let bytes: [UInt8] = try? message.serializedBytes(options: options) else { return [] }
        return [Bootstrap.Resource(name: name, body: Wire.any(M.protoMessageName, bytes), location: location(path))]
    }

    // MARK: Sources

    /// A proxy with a bootstrap has what the bootstrap says; a control plane is named by an option instead.
    private mutating func refuseSources(_ dynamic: Envoy_Config_Bootstrap_V3_Bootstrap.DynamicResources) {
        let path = "dynamic_resources"
        for (field, isGiven) in [
            ("ads_config", dynamic.hasAdsConfig), ("lds_config", dynamic.hasLdsConfig),
            ("cds_config", dynamic.hasCdsConfig), ("lds_resources_locator", !dynamic.ldsResourcesLocator.isEmpty),
            ("cds_resources_locator", !dynamic.cdsResourcesLocator.isEmpty),
        ] where isGiven {
            note(
                BootstrapCode.unsupported, "\(field) is not supported in a bootstrap by this proxy",
                hint: "write static_resources, or start with --control-plane instead of --config",
                at: "\(path).\(field)")
        }
    }

    private mutating func source(_ message: Envoy_Config_Core_V3_ConfigSource, at path: String) -> ResourceSource? {
        do throws(SourceFault) {
            if let source = try ResourceSource.read(message) {
                return source
            }
            note(
                BootstrapCode.missing, "no configuration source is given",
                hint: "add ads, path_config_source or api_config_source", at: path)
        } catch { note(error, below: path) }
        return nil
    }

    private mutating func note(_ fault: SourceFault, below path: String) {
        note(fault.code, fault.reason, hint: fault.hint, at: "\(path).\(fault.path)")
    }

    // MARK: References

    private mutating func checkReferences(_ message: Envoy_Config_Bootstrap_V3_Bootstrap) {
        let clusters = Dictionary(
            message.staticResources.clusters.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        for (index, cluster) in message.staticResources.clusters.enumerated() {
            let path = "static_resources.clusters[\(index)]"
            for place in ReferredSources.located(cluster) {
                if let source = self.source(place.message, at: "\(path).\(place.path)") {
                    requireSource(source, clusters, at: "\(path).\(place.path)")
                }
            }
        }
        for (index, listener) in message.staticResources.listeners.enumerated() {
            let path = "static_resources.listeners[\(index)]"
            for place in ReferredSources.located(listener) {
                if let source = self.source(place.message, at: "\(path).\(place.path)") {
                    requireSource(source, clusters, at: "\(path).\(place.path)")
                }
            }
            for place in HTTPManagers.of(listener) {
                guard case .routeConfig(let routes) = place.manager.routeSpecifier else { continue }
                requireClusters(routes, clusters, at: "\(path).\(place.path).route_config")
            }
        }
    }

    /// Names what is wrong with the reference itself; that the source is none of those taken is said besides.
    private mutating func requireSource(
        _ source: ResourceSource, _ clusters: [String: Envoy_Config_Cluster_V3_Cluster], at path: String
    ) {
        switch source {
        case .ads:
            note(
                BootstrapCode.reference, "ads is named here, and a bootstrap of this proxy has no aggregated stream",
                at: "\(path).ads")
        case .file:
            note(
                BootstrapCode.unsupported, "configuration from files is not supported by this proxy", at: path)
        case .stream(let stream):
            note(
                BootstrapCode.unsupported, "configuration from a stream is not supported in a bootstrap by this proxy",
                hint: "write the endpoints or routes into the file, or start with --control-plane instead",
                at: "\(path).api_config_source")
            requireStream(stream, clusters, at: "\(path).api_config_source")
        }
    }

    private mutating func requireStream(
        _ stream: StreamSource, _ clusters: [String: Envoy_Config_Cluster_V3_Cluster], at path: String
    ) {
        guard let cluster = clusters[stream.cluster] else {
            note(
                BootstrapCode.reference,
                "the configuration is to come from the cluster \(stream.cluster), which is not among "
                    + "static_resources.clusters",
                hint: "add a cluster named \(stream.cluster) with the control "
                    + "plane's address", at: "\(path).\(StreamSource.clusterPath)")
            return
        }
        switch cluster.type {
        case .static, .strictDns, .logicalDns: break
        default:
            note(
                BootstrapCode.reference,
                "the cluster \(stream.cluster) must be of type STATIC, STRICT_DNS or LOGICAL_DNS to bring "
                    + "configuration", at: "\(path).\(StreamSource.clusterPath)")
        }
    }

    /// A route table in the file leads to clusters in the file, unless it says that this is not to be checked.
    private mutating func requireClusters(
        _ routes: Envoy_Config_Route_V3_RouteConfiguration, _ clusters: [String: Envoy_Config_Cluster_V3_Cluster],
        at path: String
    ) {
        if routes.hasValidateClusters, !routes.validateClusters.value { return }
        for (hostIndex, host) in routes.virtualHosts.enumerated() {
            for (index, route) in host.routes.enumerated() {
                guard case .route(let action) = route.action else { continue }
                let place = "\(path).virtual_hosts[\(hostIndex)].routes[\(index)].route"
                switch action.clusterSpecifier {
                case .cluster(let name):
                    requireCluster(name, clusters, at: "\(place).cluster")
                case .weightedClusters(let weighted):
                    for (number, cluster) in weighted.clusters.enumerated() where !cluster.name.isEmpty {
                        requireCluster(
                            cluster.name, clusters, at: "\(place).weighted_clusters.clusters[\(number)].name")
                    }
                default: break
                }
            }
        }
    }

    private mutating func requireCluster(
        _ name: String, _ clusters: [String: Envoy_Config_Cluster_V3_Cluster], at path: String
    ) {
        guard clusters[name] == nil, !name.isEmpty else { return }
        let near = clusters.keys.filter { MessageReader.isNear(name, $0) }.min()
        note(
            BootstrapCode.reference,
            "the route leads to the cluster \(name), which is not among static_resources.clusters",
            hint: near.map { "did you mean \($0)?" }, at: path)
    }

    // MARK: Meaning

    /// What the proxy would say to each resource.
    private mutating func checkMeaning(_ bootstrap: Bootstrap) {
        var store = ConfigStore()
        for (type, resources, list) in [
            (ResourceType.cluster, bootstrap.clusters, "clusters"),
            (.listener, bootstrap.listeners, "listeners"),
        ] {
            let update = ConfigUpdate(
                type: type,
                changed: resources.map { ConfigUpdate.Resource(name: $0.name, version: "", body: $0.body) })
            let places = Dictionary(
                resources.enumerated().map { ($0.element.name, $0.offset) }, uniquingKeysWith: { first, _ in first })
            for rejection in store.apply(update, now: 0).rejected {
                let index = places[rejection.name] ?? 0
                let resource = "static_resources.\(list)[\(index)]"
                let path = rejection.path.isEmpty ? resource : "\(resource).\(rejection.path)"
                // One word about a place is enough.
                let place = location(path)
                if reader.findings.contains(where: { $0.severity == .error && $0.location == place }) { continue }
                note(
                    BootstrapCode.refused, "\(type.noun) \(rejection.name): \(rejection.reason)", at: path)
            }
        }
    }
}

extension ResourceType {
    /// As a person calls it.
    var noun: String {
        switch self {
        case .cluster: "cluster"
        case .endpoints: "endpoints"
        case .listener: "listener"
        case .route: "route table"
        case .secret: "secret"
        }
    }
}

/// What becomes of the fields of a bootstrap that are neither resources nor sources.
private enum TopLevel {
    static let withoutEffect: Set<String> = [
        "stats_flush_interval", "stats_flush_on_admin", "stats_eviction_interval", "enable_dispatcher_stats",
        "node_context_params", "stats_server_version_override", "flags_path", "perf_tracing_file_path",
    ]
    static let refused: Set<String> = [
        "hds_config", "tracing", "typed_dns_resolver_config", "header_prefix", "bootstrap_extensions", "config_sources",
        "default_config_source",
        "default_socket_interface", "certificate_provider_instances", "default_regex_engine",
        "xds_delegate_extension", "xds_config_tracker_extension", "listener_manager",
    ]

    /// `statsFlushInterval` as `stats_flush_interval`.
    static func protoName(_ name: String) -> String {
        var result: [UInt8] = []
        for byte in name.utf8 {
            if byte >= UInt8(ascii: "A"), byte <= UInt8(ascii: "Z") {
                result += [UInt8(ascii: "_"), byte + 0x20]
            } else {
                result.append(byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
