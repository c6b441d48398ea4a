internal import ApusAPI
internal import ApusCore
package import ApusMesh
internal import ApusModel
internal import SwiftProtobuf

/// Outbound clusters of a class of proxies (semantics 3.8).
package enum OutboundClusters {
    /// One per visible service, port and subset, then `PassthroughCluster` and `BlackHoleCluster`; sorted by name.
    package static func clusters(_ context: CompileContext) -> [Compiled<XDS.Cluster>] {
        var result: [Compiled<XDS.Cluster>] = []
        for service in context.scope.services { result += clusters(of: service, context) }
        result += unknownDestinations(context)
        return result.sorted { $0.message.name < $1.message.name }
    }

    /// `BlackHoleCluster` and `PassthroughCluster`, which belong to no service.
    package static func unknownDestinations(_ context: CompileContext) -> [Compiled<XDS.Cluster>] {
        if context.isProxyless { return [] }
        var result = [Compiled(blackHole(), sources: []), Compiled(passthrough(context), sources: [])]
        if context.resolvesUnknownHosts {
            result.append(Compiled(DynamicForwardProxy.unknownHosts(context), sources: []))
        }
        return result
    }

    /// The clusters of one service: per port the base cluster, then one per subset of its DestinationRule.
    package static func clusters(of service: Service, _ context: CompileContext) -> [Compiled<XDS.Cluster>] {
        if case .alias = service.resolution { return [] }
        let rule = context.scope.destinationRule(for: service)
        let sources = service.sources.map(\.key) + (rule?.objects.map(\.key) ?? [])
        var result: [Compiled<XDS.Cluster>] = []
        for port in service.ports where port.protocol != .udp && context.scope.imports(service, port: port.number) {
            for subset in [""] + (rule?.subsets.map(\.name) ?? []) {
                let target = ClusterTarget(service: service, port: port, subset: subset, rule: rule)
                guard let cluster = cluster(target, context) else { continue }
                result.append(Compiled(cluster, sources: sources))
            }
        }
        return result
    }

    /// nil for a cluster that is not sent: DNS without anything to resolve, or a kind that is not supported.
    ///
    /// - Parameter isSNIRouted: a gateway's cluster for connections whose SNI names it: the TLS in it is the client's.
    static func cluster(
        _ target: ClusterTarget, _ context: CompileContext, isSNIRouted: Bool = false
    ) -> XDS.Cluster? {
        let isDynamic = DynamicForwardProxy.serves(target.service, target.port, context)
        let discovery = target.discovery(context)
        guard discovery != nil || isDynamic else { return nil }
        var cluster = XDS.Cluster()
        cluster.name = isSNIRouted ? target.serverName : target.name
        cluster.altStatName =
            isSNIRouted ? cluster.name + ";" : ClusterStatName.outbound(target, context.snapshot.meshConfig)
        if let discovery { cluster.type = discovery }
        switch discovery {
        case .eds:
            let name = cluster.name
            cluster.edsClusterConfig = .with {
                $0.edsConfig = .overADS
                $0.serviceName = name
            }
        case .strictDns, .logicalDns:
            let assignment = Endpoints.inlineAssignment(target, context)
            guard let assignment else { return nil }
            cluster.loadAssignment = assignment
            DNSSettings.apply(to: &cluster, context)
        default: break
        }
        let policy = target.policy
        ClusterConnectionPool.apply(policy, mesh: context.snapshot.meshConfig, to: &cluster)
        ClusterOutlierDetection.apply(policy.outlierDetection, to: &cluster)
        let httpOptions = UpstreamHTTP.options(target, context)
        if isDynamic {
            DynamicForwardProxy.makeDynamic(
                &cluster, cacheName: target.service.host.text, isChecked: httpOptions.checksNames, context)
        } else {
            ClusterLoadBalancer.apply(policy, target: target, context, to: &cluster)
        }
        if !isSNIRouted { ClusterTLS.apply(target, isHTTP2: httpOptions.isHTTP2, context, to: &cluster) }
        if let options = httpOptions.encoded {
            cluster.typedExtensionProtocolOptions = [UpstreamHTTP.extensionName: options]
        }
        cluster.metadata = metadata(target)
        return cluster
    }

    private static func metadata(_ target: ClusterTarget) -> XDS.Metadata {
        var fields: [String: Google_Protobuf_Value] = ["services": IstioMetadata.services([target.service])]
        if !target.subset.isEmpty { fields["subset"] = IstioMetadata.string(target.subset) }
        if let object = target.rule?.objects.first {
            fields["config"] = IstioMetadata.string(IstioMetadata.configPath(of: object.key))
        }
        if target.service.isMeshExternal { fields["external"] = .with { $0.boolValue = true } }
        switch target.policy.tls?.mode {
        // Telemetry and the mesh's own ALPN values are for peers with a mesh identity only.
        case .simple, .mutual: fields["alpn_override"] = IstioMetadata.string("false")
        default: break
        }
        return IstioMetadata.metadata(fields)
    }

    /// No endpoints: every connection is refused.
    private static func blackHole() -> XDS.Cluster {
        var cluster = XDS.Cluster()
        cluster.name = ClusterName.blackHole
        cluster.type = .static
        cluster.connectTimeout = Google_Protobuf_Duration(seconds: 10, nanos: 0)
        cluster.lbPolicy = .roundRobin
        return cluster
    }

    /// Where the client meant to go, in the protocol the client speaks.
    private static func passthrough(_ context: CompileContext) -> XDS.Cluster {
        var cluster = XDS.Cluster()
        cluster.name = ClusterName.passthrough
        cluster.type = .originalDst
        cluster.lbPolicy = .clusterProvided
        ClusterConnectionPool.apply(EffectivePolicy(), mesh: context.snapshot.meshConfig, to: &cluster)
        cluster.typedExtensionProtocolOptions = [UpstreamHTTP.extensionName: UpstreamHTTP.passthrough]
        return cluster
    }
}
