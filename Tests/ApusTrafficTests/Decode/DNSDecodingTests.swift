internal import ApusAPI
internal import ApusCore
internal import ApusDNS
internal import ApusTraffic
internal import SwiftProtobuf
internal import Testing

private typealias Cares = Envoy_Extensions_Network_DnsResolver_Cares_V3_CaresDnsResolverConfig

private func cluster(
    _ type: ClusterMessage.DiscoveryType = .strictDns, _ change: (inout ClusterMessage) -> Void = { _ in }
) -> ClusterMessage {
    Sample.cluster {
        $0.clearEdsClusterConfig()
        $0.type = type
        $0.loadAssignment = Sample.endpoints {
            $0.endpoints[0].lbEndpoints[0].endpoint.address.socketAddress.address = "web.example"
        }
        change(&$0)
    }
}

private func resolver(_ change: (inout Cares) -> Void) throws -> Envoy_Config_Core_V3_TypedExtensionConfig {
    var message = Cares()
    change(&message)
    let any = try packed(message)
    return .with {
        $0.name = "envoy.network.dns_resolver.cares"
        $0.typedConfig = any
    }
}

private func dns(_ message: ClusterMessage) throws -> ClusterConfig.DNS? {
    var store = ConfigStore()
    let verdict = try store.put(.cluster, "c", message)
    #expect(verdict.rejected.isEmpty)
    switch try #require(store.configuration.cluster(named: "c")).config.discovery {
    case .strictDNS(let dns), .logicalDNS(let dns): return dns
    default: return nil
    }
}

@Suite struct DNSDecodingTests {
    @Test func `what nothing is said of is as with Envoy`() throws {
        let dns = try #require(try dns(cluster()))
        #expect(dns == ClusterConfig.DNS())
        #expect(dns.refreshRate == .seconds(5))
        #expect(dns.family == .automatic)
    }

    @Test func `rates, jitter, family and resolver`() throws {
        let typed = try resolver {
            $0.resolvers = [
                .with {
                    $0.socketAddress.address = "10.0.0.53"
                    $0.socketAddress.protocol = .udp
                    $0.socketAddress.portValue = 5353
                }, .with { $0.socketAddress.address = "::1" },
            ]
            $0.useResolversAsFallback = true
            $0.dnsResolverOptions.useTcpForDnsLookups = true
            $0.dnsResolverOptions.noDefaultSearchDomain = true
            $0.queryTimeoutSeconds.value = 2
            $0.queryTries.value = 3
            $0.rotateNameservers = true
            $0.edns0MaxPayloadSize.value = 4096
            $0.udpMaxQueries.value = 100
        }
        let dns = try #require(
            try dns(
                cluster {
                    $0.dnsRefreshRate.seconds = 60
                    $0.dnsJitter.nanos = 100_000_000
                    $0.dnsFailureRefreshRate.baseInterval.seconds = 2
                    $0.respectDnsTtl = true
                    $0.dnsLookupFamily = .v4Preferred
                    $0.waitForWarmOnInit.value = false
                    $0.typedDnsResolverConfig = typed
                }))
        var options = ResolverOptions()
        options.servers = [DNSServer(IPAddress(v4: 0x0A00_0035), port: 5353), DNSServer(IPAddress(v6: 1))]
        options.serversAreFallback = true
        options.usesTCP = true
        options.usesSearch = false
        options.timeout = .seconds(2)
        options.attempts = 3
        options.rotates = true
        options.payloadSize = 4096
        var expected = ClusterConfig.DNS()
        expected.refreshRate = .seconds(60)
        expected.refreshJitter = .milliseconds(100)
        expected.failureBackOff = .init(base: .seconds(2), max: .seconds(20))
        expected.respectsTTL = true
        expected.family = .v4Preferred
        expected.resolver = options
        expected.delaysStart = false
        #expect(dns == expected)
    }

    @Test func `the extension is the same kinds of clusters`() throws {
        func custom(_ change: (inout Envoy_Extensions_Clusters_Dns_V3_DnsCluster) -> Void) throws -> ClusterMessage {
            var message = Envoy_Extensions_Clusters_Dns_V3_DnsCluster()
            change(&message)
            let any = try packed(message)
            return cluster {
                $0.clusterType = .with {
                    $0.name = "envoy.cluster.dns"
                    $0.typedConfig = any
                }
            }
        }
        let strict = try custom {
            $0.dnsRefreshRate.seconds = 7
            $0.dnsLookupFamily = .v6Only
        }
        #expect(try dns(strict)?.refreshRate == .seconds(7))
        #expect(try dns(strict)?.family == .v6Only)
        var store = ConfigStore()
        _ = try store.put(.cluster, "c", try custom { $0.allAddressesInSingleEndpoint = true })
        guard case .logicalDNS = store.configuration.cluster(named: "c")?.config.discovery else {
            Issue.record("not a logical cluster")
            return
        }
    }

    @Test func `what is refused, by the field's name`() throws {
        func refused(_ change: (inout ClusterMessage) -> Void) throws -> String {
            try refusal(.cluster, "c", cluster(.strictDns, change)) ?? ""
        }
        func refused(resolver change: (inout Cares) -> Void) throws -> String {
            let typed = try resolver(change)
            return try refused { $0.typedDnsResolverConfig = typed }
        }
        #expect(try refused { $0.dnsRefreshRate.nanos = 1_000_000 }.contains("dns_refresh_rate"))
        #expect(
            try refused { $0.dnsFailureRefreshRate.maxInterval.seconds = 1 }
                .contains("dns_failure_refresh_rate.base_interval"))
        #expect(
            try refused {
                $0.dnsFailureRefreshRate.baseInterval.seconds = 2
                $0.dnsFailureRefreshRate.maxInterval.seconds = 1
            }.contains("dns_failure_refresh_rate.max_interval"))
        #expect(
            try refused { $0.typedDnsResolverConfig.typedConfig.typeURL = "type.googleapis.com/a.Other" }
                .contains("typed_dns_resolver_config.typed_config"))
        #expect(try refused { $0.clusterType.name = "x" }.contains("cluster_type"))
        #expect(try refused(resolver: { $0.filterUnroutableFamilies = true }).contains("filter_unroutable_families"))
        #expect(try refused(resolver: { $0.queryTries.value = 0 }).contains("query_tries"))
        #expect(try refused(resolver: { $0.queryTimeoutSeconds.value = 0 }).contains("query_timeout_seconds"))
        #expect(try refused(resolver: { $0.edns0MaxPayloadSize.value = 511 }).contains("edns0_max_payload_size"))
        #expect(
            try refused(resolver: { $0.resolvers = [.with { $0.socketAddress.address = "dns.example" }] })
                .contains("resolvers[0].socket_address.address"))
        #expect(try refused(resolver: { $0.resolvers = [.with { $0.pipe.path = "/x" }] }).contains("resolvers[0]"))
    }
}
