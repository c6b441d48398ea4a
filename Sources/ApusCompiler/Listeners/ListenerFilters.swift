internal import ApusAPI
internal import SwiftProtobuf

/// Listener filters, which look at a connection before its filter chain is chosen.
enum ListenerFilters {
    typealias Predicate = Envoy_Config_Listener_V3_ListenerFilterChainMatchPredicate

    static func originalDestination() -> Envoy_Config_Listener_V3_ListenerFilter {
        named(
            "envoy.filters.listener.original_dst",
            Google_Protobuf_Any.packing(Envoy_Extensions_Filters_Listener_OriginalDst_V3_OriginalDst()))
    }

    /// TPROXY keeps the client's address towards the application; the mark is that of Istio's iptables rules.
    static func originalSource() -> Envoy_Config_Listener_V3_ListenerFilter {
        var filter = Envoy_Extensions_Filters_Listener_OriginalSrc_V3_OriginalSrc()
        filter.mark = 1337
        return named("envoy.filters.listener.original_src", Google_Protobuf_Any.packing(filter))
    }

    static func tlsInspector() -> Envoy_Config_Listener_V3_ListenerFilter {
        named(
            "envoy.filters.listener.tls_inspector",
            Google_Protobuf_Any.packing(Envoy_Extensions_Filters_Listener_TlsInspector_V3_TlsInspector()))
    }

    static func httpInspector() -> Envoy_Config_Listener_V3_ListenerFilter {
        named(
            "envoy.filters.listener.http_inspector",
            Google_Protobuf_Any.packing(Envoy_Extensions_Filters_Listener_HttpInspector_V3_HttpInspector()))
    }

    private static func named(
        _ name: String, _ config: Google_Protobuf_Any
    ) -> Envoy_Config_Listener_V3_ListenerFilter {
        var filter = Envoy_Config_Listener_V3_ListenerFilter()
        filter.name = name
        filter.typedConfig = config
        return filter
    }

    /// The inspectors that these chains need: TLS for server names and transport `tls`, HTTP for the two plaintext
    /// HTTP ALPN values. A chain with a destination port concerns that port only; elsewhere the inspector is off, since
    /// it would make a server-first protocol wait.
    static func inspectors(
        for chains: [Envoy_Config_Listener_V3_FilterChain]
    ) -> [Envoy_Config_Listener_V3_ListenerFilter] {
        var result: [Envoy_Config_Listener_V3_ListenerFilter] = []
        if let filter = inspector(tlsInspector(), chains: chains, isNeeded: needsTLSInspector) { result.append(filter) }
        if let filter = inspector(httpInspector(), chains: chains, isNeeded: needsHTTPInspector) {
            result.append(filter)
        }
        return result
    }

    private static func needsTLSInspector(_ match: Envoy_Config_Listener_V3_FilterChainMatch) -> Bool {
        !match.serverNames.isEmpty || match.transportProtocol == "tls"
    }

    private static func needsHTTPInspector(_ match: Envoy_Config_Listener_V3_FilterChainMatch) -> Bool {
        match.applicationProtocols.contains { ALPN.plaintextHTTP.contains($0) }
    }

    private static func inspector(
        _ filter: Envoy_Config_Listener_V3_ListenerFilter, chains: [Envoy_Config_Listener_V3_FilterChain],
        isNeeded: (Envoy_Config_Listener_V3_FilterChainMatch) -> Bool
    ) -> Envoy_Config_Listener_V3_ListenerFilter? {
        var byPort: [UInt32: Bool] = [:]
        var elsewhere = false
        for chain in chains {
            let needed = isNeeded(chain.filterChainMatch)
            if chain.filterChainMatch.hasDestinationPort {
                byPort[chain.filterChainMatch.destinationPort.value, default: false] =
                    byPort[chain.filterChainMatch.destinationPort.value, default: false] || needed
            } else {
                elsewhere = elsewhere || needed
            }
        }
        let needing = byPort.filter(\.value).keys.sorted()
        guard elsewhere || !needing.isEmpty else { return nil }
        var filter = filter
        if elsewhere {
            let others = byPort.filter { !$0.value }.keys.sorted()
            if !others.isEmpty { filter.filterDisabled = anyOf(others) }
        } else {
            filter.filterDisabled.notMatch = anyOf(needing)
        }
        return filter
    }

    private static func anyOf(_ ports: [UInt32]) -> Predicate {
        let rules = ports.map { port in
            var rule = Predicate()
            rule.destinationPortRange.start = Int32(clamping: port)
            rule.destinationPortRange.end = Int32(clamping: port) &+ 1
            return rule
        }
        if rules.count == 1 { return rules[0] }
        var result = Predicate()
        result.orMatch.rules = rules
        return result
    }
}
