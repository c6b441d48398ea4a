package struct EnvoyFilter: Hashable, Sendable {
    package enum ApplyTo: String, Hashable, Sendable, CaseIterable {
        case invalid = "INVALID"
        case listener = "LISTENER"
        case filterChain = "FILTER_CHAIN"
        case networkFilter = "NETWORK_FILTER"
        case httpFilter = "HTTP_FILTER"
        case routeConfiguration = "ROUTE_CONFIGURATION"
        case virtualHost = "VIRTUAL_HOST"
        case httpRoute = "HTTP_ROUTE"
        case cluster = "CLUSTER"
        case extensionConfig = "EXTENSION_CONFIG"
        case bootstrap = "BOOTSTRAP"
        case listenerFilter = "LISTENER_FILTER"
    }

    package enum Context: String, Hashable, Sendable, CaseIterable {
        case any = "ANY"
        case sidecarInbound = "SIDECAR_INBOUND"
        case sidecarOutbound = "SIDECAR_OUTBOUND"
        case gateway = "GATEWAY"
        case waypoint = "WAYPOINT"
    }

    package enum Operation: String, Hashable, Sendable, CaseIterable {
        case invalid = "INVALID"
        case merge = "MERGE"
        case add = "ADD"
        case remove = "REMOVE"
        case insertBefore = "INSERT_BEFORE"
        case insertAfter = "INSERT_AFTER"
        case insertFirst = "INSERT_FIRST"
        case replace = "REPLACE"
        case mergeAndReplaceList = "MERGE_AND_REPLACE_LIST"
    }

    package struct ListenerMatch: Hashable, Sendable {
        package var name = ""
        package var portNumber: UInt32?
        package var portName = ""
        package var listenerFilter = ""
        package var filterChainName = ""
        package var filterChainSNI = ""
        package var transportProtocol = ""
        package var applicationProtocols = ""
        package var destinationPort: UInt32?
        package var filterName = ""
        package var subFilterName = ""
        package var hasFilterChain = false
        package init() {}
    }

    package struct RouteConfigurationMatch: Hashable, Sendable {
        package var name = ""
        package var portNumber: UInt32?
        package var portName = ""
        package var gateway = ""
        package var virtualHostName = ""
        package var virtualHostDomainName = ""
        package var routeName = ""
        package var routeAction = ""
        package init() {}
    }

    package struct ClusterMatch: Hashable, Sendable {
        package var name = ""
        package var service = ""
        package var portNumber: UInt32?
        package var subset = ""
        package init() {}
    }

    package enum ObjectMatch: Hashable, Sendable {
        case listener(ListenerMatch)
        case routeConfiguration(RouteConfigurationMatch)
        case cluster(ClusterMatch)
    }

    package struct Patch: Hashable, Sendable {
        package var applyTo = ApplyTo.invalid
        package var context = Context.any
        package var proxyVersion = ""
        package var proxyMetadata: [String: String] = [:]
        package var match: ObjectMatch?
        package var operation = Operation.invalid
        package var value: StructuredValue?
        package var filterClass = ""
        package init() {}
    }

    package var workloadSelector: [String: String]?
    package var targetRefs: [PolicyTargetReference] = []
    package var priority: Int32 = 0
    package var configPatches: [Patch] = []
    package init() {}
}

/// Free-form YAML that belongs to another schema (EnvoyFilter values, extension settings).
package indirect enum StructuredValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case list([StructuredValue])
    /// In the order written.
    case map([Entry])

    package struct Entry: Hashable, Sendable {
        package let key: String
        package let value: StructuredValue
        package init(key: String, value: StructuredValue) {
            self.key = key
            self.value = value
        }
    }
}

package struct Telemetry: Hashable, Sendable {
    package struct Tracing: Hashable, Sendable {
        package enum TagSource: Hashable, Sendable {
            case literal(String)
            case environment(name: String, defaultValue: String)
            case header(name: String, defaultValue: String)
            case formatter(String)
        }

        package var mode = ""
        package var providers: [String] = []
        package var randomSamplingPercentage: Double?
        package var disableSpanReporting: Bool?
        package var customTags: [String: TagSource] = [:]
        package var useRequestIdForTraceSampling: Bool?
        package var enableIstioTags: Bool?
        package init() {}
    }

    package struct MetricsOverride: Hashable, Sendable {
        package struct Tag: Hashable, Sendable {
            package var operation = "UPSERT"
            package var value = ""
            package init() {}
        }

        package var metric = ""
        package var customMetric = ""
        package var mode = ""
        package var disabled: Bool?
        package var tagOverrides: [String: Tag] = [:]
        package init() {}
    }

    package struct Metrics: Hashable, Sendable {
        package var providers: [String] = []
        package var overrides: [MetricsOverride] = []
        package var reportingInterval: Duration?
        package init() {}
    }

    package struct AccessLogging: Hashable, Sendable {
        package var mode = ""
        package var providers: [String] = []
        package var disabled: Bool?
        package var filterExpression = ""
        package init() {}
    }

    package var selector: [String: String]?
    package var targetRefs: [PolicyTargetReference] = []
    package var tracing: [Tracing] = []
    package var metrics: [Metrics] = []
    package var accessLogging: [AccessLogging] = []
    package init() {}
}

package struct ProxyConfigResource: Hashable, Sendable {
    package var selector: [String: String]?
    package var concurrency: Int32?
    package var environmentVariables: [String: String] = [:]
    package var imageType = ""
    package init() {}
}
