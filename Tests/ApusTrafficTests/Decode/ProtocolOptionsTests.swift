internal import ApusAPI
internal import ApusCore
internal import ApusTraffic
internal import SwiftProtobuf
internal import Testing

private typealias Upstream = Envoy_Extensions_Upstreams_Http_V3_HttpProtocolOptions

private func cluster(_ options: Upstream) throws -> ClusterMessage {
    let any = try packed(options)
    return Sample.cluster {
        $0.typedExtensionProtocolOptions["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"] = any
    }
}

private func config(_ message: ClusterMessage) throws -> ClusterConfig {
    var store = ConfigStore()
    let verdict = try store.put(.cluster, "c", message)
    #expect(verdict.rejected.isEmpty)
    _ = try store.put(.endpoints, "c", Sample.endpoints())
    return try #require(store.configuration.cluster(named: "c")).config
}

@Suite struct ProtocolOptionsTests {
    @Test func `a cluster speaks what its options say, by the newer field or the older`() throws {
        #expect(try config(Sample.cluster()).upstreamProtocol == .http1)
        let older = Sample.cluster { $0.http2ProtocolOptions.maxConcurrentStreams.value = 7 }
        #expect(try config(older).upstreamProtocol == .http2)
        #expect(try config(older).http2.maxConcurrentStreams == 7)
        let explicit = try cluster(
            .with {
                $0.explicitHTTPConfig.http2ProtocolOptions.initialStreamWindowSize.value = 65_535
                $0.explicitHTTPConfig.http2ProtocolOptions.connectionKeepalive = .with {
                    $0.interval.seconds = 30
                    $0.timeout.seconds = 5
                }
            })
        #expect(try config(explicit).upstreamProtocol == .http2)
        #expect(try config(explicit).http2.initialStreamWindow == 65_535)
        #expect(
            try config(explicit).http2.keepalive
                == .init(interval: .seconds(30), timeout: .seconds(5), jitterPercent: 15))
        let same = try cluster(.with { $0.useDownstreamProtocolConfig.httpProtocolOptions.enableTrailers = true })
        #expect(try config(same).upstreamProtocol == .useDownstream)
        #expect(try config(same).http1.passesTrailers)
    }

    @Test func `values outside the bounds of the API are refused`() throws {
        func explicit(_ change: (inout Envoy_Config_Core_V3_Http2ProtocolOptions) -> Void) throws -> String? {
            var options = Envoy_Config_Core_V3_Http2ProtocolOptions()
            change(&options)
            return try refusal(.cluster, "c", cluster(.with { $0.explicitHTTPConfig.http2ProtocolOptions = options }))
        }
        #expect(try explicit { $0.maxConcurrentStreams.value = 0 }?.contains("max_concurrent_streams") == true)
        #expect(try explicit { $0.initialStreamWindowSize.value = 65_534 }?.contains("initial_stream_window") == true)
        #expect(
            try explicit { $0.initialConnectionWindowSize.value = 1 << 31 }?.contains("initial_connection_window")
                == true)
        #expect(try explicit { $0.connectionKeepalive.interval.seconds = 1 }?.contains("timeout: missing") == true)
        #expect(try explicit { $0.allowMetadata = true }?.contains("allow_metadata") == true)
        #expect(
            try refusal(.cluster, "c", cluster(.with { $0.explicitHTTPConfig = .init() }))?.contains("no protocol")
                == true)
    }

    @Test func `options of the other side are refused`() throws {
        let upstream = try cluster(.with { $0.explicitHTTPConfig.httpProtocolOptions.acceptHTTP10 = true })
        #expect(try refusal(.cluster, "c", upstream)?.contains("accept_http_10") == true)
        let manager = try Sample.manager { $0.httpProtocolOptions.sendFullyQualifiedURL = true }
        #expect(
            try refusal(.listener, "l", Sample.listener(manager: manager))?.contains("send_fully_qualified_url") == true
        )
    }

    @Test func `names may keep their case; another formatter is refused`() throws {
        var any = Google_Protobuf_Any()
        any.typeURL =
            "type.googleapis.com/envoy.extensions.http.header_formatters.preserve_case.v3.PreserveCaseFormatterConfig"
        let keeping = try Sample.manager {
            $0.httpProtocolOptions.headerKeyFormat.statefulFormatter.typedConfig = any
        }
        #expect(try refusal(.listener, "l", Sample.listener(manager: keeping)) == nil)
        any.typeURL = "type.googleapis.com/other"
        let other = try Sample.manager { $0.httpProtocolOptions.headerKeyFormat.statefulFormatter.typedConfig = any }
        #expect(try refusal(.listener, "l", Sample.listener(manager: other))?.contains("other") == true)
    }

    @Test func `a CONNECT may end at the proxy, another upgrade may not`() throws {
        let connect = Sample.routes {
            $0.virtualHosts[0].routes[0].match = .with { $0.connectMatcher = .init() }
            $0.virtualHosts[0].routes[0].route.upgradeConfigs = [
                .with {
                    $0.upgradeType = "CONNECT"
                    $0.connectConfig = .init()
                }
            ]
        }
        #expect(try refusal(.route, "r", connect) == nil)
        let other = Sample.routes {
            $0.virtualHosts[0].routes[0].route.upgradeConfigs = [
                .with {
                    $0.upgradeType = "websocket"
                    $0.connectConfig = .init()
                }
            ]
        }
        #expect(try refusal(.route, "r", other)?.contains("connect_config: only for upgrades of type CONNECT") == true)
    }
}
