internal import ApusAPI
internal import ApusCore
internal import ApusDNS
internal import SwiftProtobuf

/// What the cluster and the extension `envoy.clusters.dns` say in the same words.
private protocol NameTimes {
    associatedtype Rate: FailureRate

    var hasDnsRefreshRate: Bool { get }
    var dnsRefreshRate: Google_Protobuf_Duration { get }
    var hasDnsFailureRefreshRate: Bool { get }
    var dnsFailureRefreshRate: Rate { get }
    var hasDnsJitter: Bool { get }
    var dnsJitter: Google_Protobuf_Duration { get }
    var respectDnsTtl: Bool { get }
}

private protocol FailureRate {
    var hasBaseInterval: Bool { get }
    var baseInterval: Google_Protobuf_Duration { get }
    var hasMaxInterval: Bool { get }
    var maxInterval: Google_Protobuf_Duration { get }
}

extension Envoy_Config_Cluster_V3_Cluster: NameTimes {}
extension Envoy_Config_Cluster_V3_Cluster.RefreshRate: FailureRate {}
extension Envoy_Extensions_Clusters_Dns_V3_DnsCluster: NameTimes {}
extension Envoy_Extensions_Clusters_Dns_V3_DnsCluster.RefreshRate: FailureRate {}

extension ClusterConfig.DNS {
    init(_ message: Envoy_Config_Cluster_V3_Cluster) throws(Refusal) {
        self.init()
        try setTimes(message)
        delaysStart = message.delaysStart
        if message.hasTypedDnsResolverConfig { try setResolver(message.typedDnsResolverConfig) }
        switch message.dnsLookupFamily {
        case .auto: family = .automatic
        case .v4Only: family = .v4Only
        case .v6Only: family = .v6Only
        case .v4Preferred: family = .v4Preferred
        case .all: family = .all
        case .UNRECOGNIZED: throw Refusal("dns_lookup_family", "unknown value")
        }
    }

    /// `envoy.clusters.dns`: the same two kinds of clusters as an extension.
    static func discovery(
        _ custom: Envoy_Config_Cluster_V3_Cluster.CustomClusterType, delaysStart: Bool
    ) throws(Refusal) -> ClusterConfig.Discovery {
        guard Packed.typeName(custom.typedConfig) == Envoy_Extensions_Clusters_Dns_V3_DnsCluster.protoMessageName
        else {
            throw Refusal.unsupported("cluster_type", custom.name.isEmpty ? "this extension" : "'\(custom.name)'")
        }
        return try at("cluster_type.typed_config") { () throws(Refusal) in
            let message = try Packed.unpack(
                custom.typedConfig, as: Envoy_Extensions_Clusters_Dns_V3_DnsCluster.self)
            var dns = try Self(message)
            dns.delaysStart = delaysStart
            return message.allAddressesInSingleEndpoint ? .logicalDNS(dns) : .strictDNS(dns)
        }
    }

    private init(_ message: Envoy_Extensions_Clusters_Dns_V3_DnsCluster) throws(Refusal) {
        self.init()
        try setTimes(message)
        if message.hasTypedDnsResolverConfig { try setResolver(message.typedDnsResolverConfig) }
        switch message.dnsLookupFamily {
        case .unspecified, .auto: family = .automatic
        case .v4Only: family = .v4Only
        case .v6Only: family = .v6Only
        case .v4Preferred: family = .v4Preferred
        case .all: family = .all
        case .UNRECOGNIZED: throw Refusal("dns_lookup_family", "unknown value")
        }
    }

    private mutating func setTimes(_ message: some NameTimes) throws(Refusal) {
        if message.hasDnsRefreshRate {
            refreshRate = try at("dns_refresh_rate") { () throws(Refusal) in
                try message.dnsRefreshRate.aboveMillisecond()
            }
        }
        if message.hasDnsFailureRefreshRate { try setFailureRate(message.dnsFailureRefreshRate) }
        if message.hasDnsJitter {
            refreshJitter = try at("dns_jitter") { () throws(Refusal) in try message.dnsJitter.value() }
        }
        respectsTTL = message.respectDnsTtl
    }

    private mutating func setFailureRate(_ rate: some FailureRate) throws(Refusal) {
        guard rate.hasBaseInterval else { throw Refusal("dns_failure_refresh_rate.base_interval", "missing") }
        let first = try at("dns_failure_refresh_rate.base_interval") { () throws(Refusal) in
            try rate.baseInterval.aboveMillisecond()
        }
        var most = first * 10
        if rate.hasMaxInterval {
            most = try at("dns_failure_refresh_rate.max_interval") { () throws(Refusal) in
                let value = try rate.maxInterval.aboveMillisecond()
                guard value >= first else { throw Refusal("", "less than base_interval") }
                return value
            }
        }
        failureBackOff = BackOff(base: first, max: most)
    }

    private mutating func setResolver(_ config: Envoy_Config_Core_V3_TypedExtensionConfig) throws(Refusal) {
        typealias Cares = Envoy_Extensions_Network_DnsResolver_Cares_V3_CaresDnsResolverConfig
        guard Packed.typeName(config.typedConfig) == Cares.protoMessageName else {
            throw Refusal.unsupported(
                "typed_dns_resolver_config.typed_config",
                "\(Packed.typeName(config.typedConfig)) (instead of \(Cares.protoMessageName))")
        }
        resolver = try at("typed_dns_resolver_config.typed_config") { () throws(Refusal) in
            try ResolverOptions(try Packed.unpack(config.typedConfig, as: Cares.self))
        }
    }
}

extension ResolverOptions {
    /// A cluster may not make the proxy keep a long list.
    private static let mostServers = 16

    fileprivate init(
        _ message: Envoy_Extensions_Network_DnsResolver_Cares_V3_CaresDnsResolverConfig
    ) throws(Refusal) {
        self.init()
        guard message.resolvers.count <= Self.mostServers else {
            throw Refusal("resolvers", "more than \(Self.mostServers)")
        }
        servers = try each("resolvers", message.resolvers) { address throws(Refusal) -> DNSServer in
            guard case .socketAddress(let socket) = address.address else {
                throw Refusal.unsupported("", "an address that is no socket_address")
            }
            guard let ip = IPAddress(socket.address) else {
                throw Refusal("socket_address.address", "'\(socket.address)' is not an IP address")
            }
            guard let port = UInt16(exactly: socket.portValue) else {
                throw Refusal("socket_address.port_value", "not a port")
            }
            // Whether UDP or TCP is asked for there, Envoy goes by use_tcp_for_dns_lookups.
            return DNSServer(ip, port: port == 0 ? 53 : port)
        }
        serversAreFallback = message.useResolversAsFallback
        usesTCP = message.dnsResolverOptions.useTcpForDnsLookups
        usesSearch = !message.dnsResolverOptions.noDefaultSearchDomain
        if message.hasQueryTimeoutSeconds {
            guard message.queryTimeoutSeconds.value >= 1 else {
                throw Refusal("query_timeout_seconds", "must be at least 1")
            }
            timeout = .seconds(Int64(clamping: min(message.queryTimeoutSeconds.value, 3600)))
        }
        if message.hasQueryTries {
            guard message.queryTries.value >= 1 else { throw Refusal("query_tries", "must be at least 1") }
            attempts = Int(min(message.queryTries.value, 100))
        }
        rotates = message.rotateNameservers
        if message.hasEdns0MaxPayloadSize {
            guard (512...4096).contains(message.edns0MaxPayloadSize.value) else {
                throw Refusal("edns0_max_payload_size", "must be 512 to 4096")
            }
            payloadSize = UInt16(message.edns0MaxPayloadSize.value)
        }
    }
}

extension Envoy_Config_Cluster_V3_Cluster {
    var delaysStart: Bool { !hasWaitForWarmOnInit || waitForWarmOnInit.value }
}

extension Google_Protobuf_Duration {
    /// Envoy's bound of what is repeated.
    fileprivate func aboveMillisecond() throws(Refusal) -> Duration {
        let value = try value()
        guard value > .milliseconds(1) else { throw Refusal("", "must be greater than 1 ms") }
        return value
    }
}
