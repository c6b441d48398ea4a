internal import ApusAPI
internal import ApusCore
internal import ApusTraffic
internal import SwiftProtobuf
internal import Testing

@Suite struct RefusalTests {
    @Test func `the samples are accepted`() throws {
        #expect(try refusal(.route, "r", Sample.routes()) == nil)
        #expect(try refusal(.cluster, "c", Sample.cluster()) == nil)
        #expect(try refusal(.endpoints, "c", Sample.endpoints()) == nil)
        #expect(try refusal(.listener, "l", Sample.listener()) == nil)
    }

    @Test func `a field of the API that does not exist here yet is named`() throws {
        let hedge = Sample.routes {
            $0.virtualHosts[0].routes[0].route.hedgePolicy.additionalRequestChance.numerator = 1
        }
        #expect(
            try refusal(.route, "r", hedge)
                == "virtual_hosts[0].routes[0].route.hedge_policy.additional_request_chance: this field is not "
                + "supported by this proxy")
        let checks = Sample.cluster {
            $0.healthChecks = [
                .with {
                    $0.timeout.seconds = 1
                    $0.interval.seconds = 1
                    $0.healthyThreshold = .init(1)
                    $0.unhealthyThreshold = .init(1)
                    $0.grpcHealthCheck = .init()
                }
            ]
        }
        #expect(
            try refusal(.cluster, "c", checks)
                == "health_checks[0].grpc_health_check: the cluster does not speak HTTP/2 to its hosts")
        let hosts = Sample.cluster { $0.commonLbConfig.closeConnectionsOnHostSetChange = true }
        #expect(
            try refusal(.cluster, "c", hosts)?.hasPrefix("common_lb_config.close_connections_on_host_set_change:")
                == true)
        let eyeballs = Sample.cluster { $0.upstreamConnectionOptions.happyEyeballsConfig = .init() }
        #expect(
            try refusal(.cluster, "c", eyeballs)?.hasPrefix("upstream_connection_options.happy_eyeballs_config:")
                == true)
        let custom = try Sample.manager { $0.httpProtocolOptions.allowCustomMethods = true }
        #expect(try refusal(.listener, "l", Sample.listener(manager: custom))?.contains("allow_custom_methods") == true)
        let tls = Sample.routes { $0.virtualHosts[0].routes[0].match.tlsContext.presented = true }
        #expect(try refusal(.route, "r", tls)?.contains("match.tls_context") == true)
    }

    @Test func `a field that no known version of the API has is refused wherever it is`() throws {
        // Field 4000, a varint, in a route match, and the same inside of a packed filter.
        let unknown: [UInt8] = [0x80, 0xFA, 0x01, 0x01]
        let match = try Envoy_Config_Route_V3_RouteMatch(serializedBytes: unknown)
        var routes = Sample.routes()
        routes.virtualHosts[0].routes[0].match.unknownFields = match.unknownFields
        #expect(
            try refusal(.route, "r", routes)
                == "virtual_hosts[0].routes[0].match: field 4000 is not known to this proxy")

        let router = try Envoy_Extensions_Filters_Http_Router_V3_Router(serializedBytes: unknown)
        let config = try packed(router)
        let manager = try Sample.manager { $0.httpFilters[0].typedConfig = config }
        #expect(
            try refusal(.listener, "l", Sample.listener(manager: manager))?.hasSuffix(
                "http_filters[0].typed_config: field 4000 is not known to this proxy") == true)
    }

    @Test func `TLS without a certificate is refused on chains, plain sockets are not`() throws {
        let downstream = try packed(Envoy_Extensions_TransportSockets_Tls_V3_DownstreamTlsContext())
        let raw = try packed(Envoy_Extensions_TransportSockets_RawBuffer_V3_RawBuffer())
        let listener = try Sample.listener { $0.filterChains[0].transportSocket.typedConfig = downstream }
        #expect(
            try refusal(.listener, "l", listener)
                == "filter_chains[0].transport_socket.common_tls_context: a server needs a certificate")
        let plain = try Sample.listener { $0.filterChains[0].transportSocket.typedConfig = raw }
        #expect(try refusal(.listener, "l", plain) == nil)
        #expect(
            try refusal(.cluster, "c", Sample.cluster { $0.transportSocket.typedConfig = downstream })?
                .hasPrefix("transport_socket:") == true)
    }

    @Test func `filters that do not exist here are refused by type, optional ones are left out`() throws {
        let other = try packed(Envoy_Extensions_Filters_Http_Decompressor_V3_Decompressor())
        var manager = try Sample.manager()
        manager.httpFilters.insert(
            .with {
                $0.name = "other"
                $0.typedConfig = other
            }, at: 0)
        #expect(
            try refusal(.listener, "l", Sample.listener(manager: manager))?.hasSuffix(
                "http_filters[0].typed_config: envoy.extensions.filters.http.decompressor.v3.Decompressor is not "
                    + "supported by this proxy"
            )
                == true)
        manager.httpFilters[0].isOptional = true
        #expect(try refusal(.listener, "l", Sample.listener(manager: manager)) == nil)
        manager.httpFilters = []
        #expect(try refusal(.listener, "l", Sample.listener(manager: manager))?.contains("must be the router") == true)
    }

    @Test func `wrong values are refused with their place`() throws {
        let regex = Sample.routes { $0.virtualHosts[0].routes[0].match.safeRegex.regex = "(" }
        #expect(
            try refusal(.route, "r", regex)?.hasPrefix("virtual_hosts[0].routes[0].match.safe_regex.regex: not RE2")
                == true)
        let domain = Sample.routes { $0.virtualHosts[0].domains = ["a.*.b"] }
        #expect(try refusal(.route, "r", domain)?.hasPrefix("virtual_hosts[0].domains[0]:") == true)
        let twice = Sample.routes { $0.virtualHosts[0].domains = ["a", "A"] }
        #expect(try refusal(.route, "r", twice)?.contains("more than one place") == true)
        let weights = Sample.routes {
            $0.virtualHosts[0].routes[0].route.weightedClusters.clusters = [
                .with {
                    $0.name = "c"
                    $0.weight = .init(0)
                }
            ]
        }
        #expect(try refusal(.route, "r", weights)?.contains("weights must add up") == true)
        let negative = Sample.routes { $0.virtualHosts[0].routes[0].route.timeout.seconds = -1 }
        #expect(try refusal(.route, "r", negative)?.hasSuffix("route.timeout: not a valid duration") == true)
        let host = Sample.routes {
            $0.requestHeadersToAdd = [
                .with {
                    $0.header = .with {
                        $0.key = "Host"; $0.value = "x"
                    }
                }
            ]
        }
        #expect(try refusal(.route, "r", host)?.contains("cannot be modified") == true)
        let split = Sample.routes {
            $0.requestHeadersToAdd = [
                .with {
                    $0.header = .with {
                        $0.key = "x-a"; $0.value = "x\r\ny: z"
                    }
                }
            ]
        }
        #expect(try refusal(.route, "r", split)?.contains("line break") == true)
        let table = Sample.cluster {
            $0.lbPolicy = .maglev
            $0.maglevLbConfig.tableSize = .init(100)
        }
        #expect(try refusal(.cluster, "c", table) == "table_size: not a prime number")
        let gap = Sample.endpoints { $0.endpoints[0].priority = 2 }
        #expect(try refusal(.endpoints, "c", gap)?.contains("without a gap") == true)
        let address = Sample.endpoints { $0.endpoints[0].lbEndpoints[0].endpoint.address.socketAddress.address = "web" }
        #expect(try refusal(.endpoints, "c", address)?.contains("'web' is not an IP address") == true)
    }

    @Test func `bytes that are no message, or of another type, are refused`() throws {
        var store = ConfigStore()
        let junk = store.apply(
            ConfigUpdate(type: .cluster, changed: [.init(name: "c", version: "1", body: [0xFF, 0xFF])]), now: 1)
        #expect(junk.rejected.first?.reason == "not a google.protobuf.Any")
        let other = try store.put(.cluster, "c", Sample.routes())
        #expect(other.rejected.first?.reason.hasPrefix("expected envoy.config.cluster.v3.Cluster") == true)
        let name = try store.put(.cluster, "d", Sample.cluster("c"))
        #expect(name.rejected.first?.reason.contains("is not the name of the resource") == true)
        #expect(store.configuration.generation == 0)
    }

    @Test func `fields without effect here do not refuse a resource`() throws {
        let routes = Sample.routes {
            $0.metadata.filterMetadata["istio"] = .with { $0.fields["config"] = .init(stringValue: "x") }
            $0.virtualHosts[0].routes[0].decorator.operation = "shop:80/*"
            $0.virtualHosts[0].routes[0].metadata.filterMetadata["istio"] = .init()
            $0.virtualHosts[0].routes[0].match.runtimeFraction.runtimeKey = "k"
            $0.virtualHosts[0].routes[0].match.runtimeFraction.defaultValue.numerator = 100
        }
        #expect(try refusal(.route, "r", routes) == nil)
        let stats = try packed(
            Envoy_Extensions_Filters_Http_GrpcStats_V3_FilterConfig.with { $0.emitFilterState = true })
        let manager = try Sample.manager {
            $0.tracing.randomSampling.value = 1
            $0.setCurrentClientCertDetails.uri = true
            $0.httpFilters.insert(
                .with {
                    $0.name = "stats"; $0.typedConfig = stats
                }, at: 0)
        }
        #expect(try refusal(.listener, "l", Sample.listener(manager: manager)) == nil)
        let traced = try Sample.manager { $0.tracing.provider.name = "zipkin" }
        #expect(try refusal(.listener, "l", Sample.listener(manager: traced))?.contains("tracing.provider") == true)
    }
}
