import ApusAPI
import SwiftProtobuf
import Testing

/// Messages as they go over the wire and as `compile -o json` and the admin pages show them.
@Suite struct RoundTripTests {
    init() {
        APIRegistry.registerAll()
    }

    static func listener() throws -> Envoy_Config_Listener_V3_Listener {
        let manager = Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpConnectionManager.with {
            $0.statPrefix = "outbound_0.0.0.0_9080"
            $0.normalizePath = true
            $0.streamIdleTimeout = .init(seconds: 0, nanos: 0)
            $0.rds.routeConfigName = "9080"
            $0.rds.configSource.ads = .init()
        }
        return try .with {
            $0.name = "0.0.0.0_9080"
            $0.address.socketAddress.address = "0.0.0.0"
            $0.address.socketAddress.portValue = 9080
            $0.trafficDirection = .outbound
            $0.bindToPort = false
            $0.filterChains = [
                try .with {
                    $0.filters = [
                        try .with {
                            $0.name = "envoy.filters.network.http_connection_manager"
                            $0.typedConfig = try Google_Protobuf_Any(message: manager)
                        }
                    ]
                }
            ]
        }
    }

    static func cluster() throws -> Envoy_Config_Cluster_V3_Cluster {
        let options = Envoy_Extensions_Upstreams_Http_V3_HttpProtocolOptions.with {
            $0.explicitHTTPConfig.http2ProtocolOptions.maxConcurrentStreams = 100
            $0.commonHTTPProtocolOptions.idleTimeout = .init(seconds: 300, nanos: 0)
        }
        return try .with {
            $0.name = "outbound|9080||reviews.default.svc.cluster.local"
            $0.type = .eds
            $0.edsClusterConfig.edsConfig.ads = .init()
            $0.connectTimeout = .init(seconds: 10, nanos: 0)
            $0.lbPolicy = .leastRequest
            $0.circuitBreakers.thresholds = [.with { $0.maxRequests = .init(.max) }]
            $0.typedExtensionProtocolOptions = [
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": try Google_Protobuf_Any(message: options)
            ]
            $0.metadata.filterMetadata = ["istio": ["config": "reviews"]]
        }
    }

    @Test("a listener with an HTTP connection manager survives bytes and JSON")
    func listener() throws {
        let listener = try Self.listener()
        let bytes: [UInt8] = try listener.serializedBytes()
        // The bytes are compared: an `Any` made of a message and one read from bytes are not equal as values.
        #expect(try Envoy_Config_Listener_V3_Listener(serializedBytes: bytes).serializedBytes() == bytes)

        let json = try listener.jsonString()
        let back = try Envoy_Config_Listener_V3_Listener(jsonString: json)
        let config = back.filterChains.first?.filters.first?.typedConfig ?? .init()
        let manager = try Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpConnectionManager(
            unpackingAny: config)
        #expect(manager.rds.routeConfigName == "9080")
        #expect(manager.hasStreamIdleTimeout, "zero is not the same as absent")
        #expect(back.hasBindToPort && !back.bindToPort.value)
        #expect(try back.jsonString() == json)
        #expect(try back.serializedBytes() == bytes)
    }

    @Test("a cluster with its HTTP options survives bytes and JSON")
    func cluster() throws {
        let cluster = try Self.cluster()
        let bytes: [UInt8] = try cluster.serializedBytes()
        #expect(try Envoy_Config_Cluster_V3_Cluster(serializedBytes: bytes).serializedBytes() == bytes)

        let json = try cluster.jsonString()
        #expect(json.contains(#""maxRequests":4294967295"#))
        #expect(json.contains(#""config":"reviews""#))
        let back = try Envoy_Config_Cluster_V3_Cluster(jsonString: json)
        let options = try #require(back.typedExtensionProtocolOptions.values.first)
        let http = try Envoy_Extensions_Upstreams_Http_V3_HttpProtocolOptions(unpackingAny: options)
        #expect(http.explicitHTTPConfig.http2ProtocolOptions.maxConcurrentStreams.value == 100)
        #expect(try back.serializedBytes() == bytes)
    }

    @Test("the spelling of Envoy's manuals, with @type and snake_case names, is read")
    func manualSpelling() throws {
        let json = """
            {
              "name": "local", "type": "STRICT_DNS", "connect_timeout": "0.250s", "lb_policy": "ROUND_ROBIN",
              "transport_socket": {
                "name": "envoy.transport_sockets.tls",
                "typed_config": {
                  "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
                  "sni": "reviews", "common_tls_context": {"alpn_protocols": ["h2"]}
                }
              }
            }
            """
        let cluster = try Envoy_Config_Cluster_V3_Cluster(jsonString: json)
        #expect(cluster.type == .strictDns)
        #expect(cluster.connectTimeout == .init(seconds: 0, nanos: 250_000_000))
        let socket = cluster.transportSocket.typedConfig
        let context = try Envoy_Extensions_TransportSockets_Tls_V3_UpstreamTlsContext(unpackingAny: socket)
        #expect(context.sni == "reviews")
        #expect(context.commonTlsContext.alpnProtocols == ["h2"])
    }

    @Test("the bytes are those of the field numbers and wire types of the public API")
    func bytes() throws {
        let request = Envoy_Service_Discovery_V3_DeltaDiscoveryRequest.with {
            $0.typeURL = "t"
            $0.resourceNamesSubscribe = ["a"]
            $0.initialResourceVersions = ["n": "1"]
            $0.responseNonce = "x"
        }
        let expected: [UInt8] = [
            0x12, 1, 0x74,  // type_url = 2
            0x1A, 1, 0x61,  // resource_names_subscribe = 3
            0x2A, 6, 0x0A, 1, 0x6E, 0x12, 1, 0x31,  // initial_resource_versions = 5, a map
            0x32, 1, 0x78,  // response_nonce = 6
        ]
        #expect(try request.serializedBytes() == expected)
    }

    @Test("a field that the trimmed protos do not know is kept in the bytes and refused in JSON")
    func unknownFields() throws {
        let name: [UInt8] = [0x0A, 1, 0x61]
        let udp: [UInt8] = [0x92, 0x01, 0]  // udp_listener_config = 18
        let listener = try Envoy_Config_Listener_V3_Listener(serializedBytes: name + udp)
        #expect(Array(listener.unknownFields.data) == udp)
        #expect(try listener.serializedBytes() == name + udp)
        #expect(throws: (any Error).self) {
            try Envoy_Config_Listener_V3_Listener(jsonString: #"{"name": "a", "udp_listener_config": {}}"#)
        }
    }

    @Test("a certificate request carries its fields 1, 3 and 4")
    func certificateRequest() throws {
        let request = Istio_V1_Auth_IstioCertificateRequest.with {
            $0.csr = "c"
            $0.validityDuration = 5
            $0.metadata.fields = ["k": true]
        }
        let expected: [UInt8] = [0x0A, 1, 0x63, 0x18, 5, 0x22, 9, 0x0A, 7, 0x0A, 1, 0x6B, 0x12, 2, 0x20, 1]
        #expect(try request.serializedBytes() == expected)
    }
}
