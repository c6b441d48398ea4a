internal import ApusCore
internal import ApusModel
internal import ApusYAML

extension EnvoyFilter.ApplyTo: FieldEnum {}
extension EnvoyFilter.Context: FieldEnum {}
extension EnvoyFilter.Operation: FieldEnum {}

extension EnvoyFilter: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.readLabels("workloadSelector", in: "labels", &workloadSelector)
        fields.readTargets(&targetRefs)
        fields.read("priority", &priority)
        fields.read("configPatches", &configPatches)
    }
}

extension EnvoyFilter.Patch: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("applyTo", &applyTo)
        fields.nested("match") { match in
            match.read("context", &context)
            match.nested("proxy") {
                $0.read("proxyVersion", &proxyVersion)
                $0.read("metadata", &proxyMetadata)
            }
            var listener: EnvoyFilter.ListenerMatch?
            var route: EnvoyFilter.RouteConfigurationMatch?
            var cluster: EnvoyFilter.ClusterMatch?
            match.read("listener", &listener)
            match.read("routeConfiguration", &route)
            match.read("cluster", &cluster)
            if [listener != nil, route != nil, cluster != nil].count(where: { $0 }) > 1 {
                match.decoding.report(
                    .error, FindingCode.schemaError,
                    "a match has more than one of listener, routeConfiguration and cluster",
                    hint: "keep the one that fits applyTo", at: match.node)
            }
            if let listener { self.match = .listener(listener) }
            if let route { self.match = .routeConfiguration(route) }
            if let cluster { self.match = .cluster(cluster) }
        }
        fields.nested("patch") { patch in
            patch.read("operation", &operation)
            patch.read("value", &value)
            // An enumeration of which only the names matter here.
            patch.read("filterClass", &filterClass)
        }
    }
}

extension EnvoyFilter.ListenerMatch: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("name", &name)
        fields.read("portNumber", &portNumber)
        fields.read("portName", &portName)
        fields.read("listenerFilter", &listenerFilter)
        hasFilterChain = fields.nested("filterChain") { chain in
            chain.read("name", &filterChainName)
            chain.read("sni", &filterChainSNI)
            chain.read("transportProtocol", &transportProtocol)
            chain.read("applicationProtocols", &applicationProtocols)
            chain.read("destinationPort", &destinationPort)
            chain.nested("filter") { filter in
                filter.read("name", &filterName)
                filter.nested("subFilter") { $0.read("name", &subFilterName) }
            }
        }
    }
}

extension EnvoyFilter.RouteConfigurationMatch: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("name", &name)
        fields.read("portNumber", &portNumber)
        fields.read("portName", &portName)
        fields.read("gateway", &gateway)
        fields.nested("vhost") { host in
            host.read("name", &virtualHostName)
            host.read("domainName", &virtualHostDomainName)
            host.nested("route") { route in
                route.read("name", &routeName)
                route.read("action", &routeAction)
            }
        }
    }
}

extension EnvoyFilter.ClusterMatch: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("name", &name)
        fields.read("service", &service)
        fields.read("portNumber", &portNumber)
        fields.read("subset", &subset)
    }
}

extension Fields {
    /// Telemetry's `providers`: a list of mappings with a name.
    fileprivate mutating func readProviders(_ target: inout [String]) {
        var names: [String] = []
        eachNested("providers") {
            var name = ""
            $0.read("name", &name)
            names.append(name)
        }
        target = names
    }
}

extension Telemetry: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.readLabels("selector", in: "matchLabels", &selector)
        fields.readTargets(&targetRefs)
        fields.read("tracing", &tracing)
        fields.read("metrics", &metrics)
        fields.read("accessLogging", &accessLogging)
    }
}

private enum WorkloadMode: String, FieldEnum {
    case clientAndServer = "CLIENT_AND_SERVER"
    case client = "CLIENT"
    case server = "SERVER"
}

extension Fields {
    fileprivate mutating func readMode(_ target: inout String) {
        var mode: WorkloadMode?
        read("mode", &mode)
        if let mode { target = mode.rawValue }
    }
}

extension Telemetry.Tracing: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.nested("match") { $0.readMode(&mode) }
        fields.readProviders(&providers)
        fields.read("randomSamplingPercentage", &randomSamplingPercentage)
        fields.read("disableSpanReporting", &disableSpanReporting)
        fields.read("customTags", &customTags)
        fields.read("useRequestIdForTraceSampling", &useRequestIdForTraceSampling)
        fields.read("enableIstioTags", &enableIstioTags)
    }
}

extension Telemetry.Tracing.TagSource: FieldValue {
    static func decode(_ node: YAMLNode, _ decoding: Decoding) -> Self? {
        var found: [Self] = []
        let isRead = Fields.read(node, decoding) { fields in
            var first = ""
            var second = ""
            if fields.nested("literal", { $0.read("value", &first) }) { found.append(.literal(first)) }
            (first, second) = ("", "")
            let hasEnvironment = fields.nested("environment") {
                $0.read("name", &first)
                $0.read("defaultValue", &second)
            }
            if hasEnvironment { found.append(.environment(name: first, defaultValue: second)) }
            (first, second) = ("", "")
            let hasHeader = fields.nested("header") {
                $0.read("name", &first)
                $0.read("defaultValue", &second)
            }
            if hasHeader { found.append(.header(name: first, defaultValue: second)) }
            (first, second) = ("", "")
            if fields.nested("formatter", { $0.read("value", &first) }) { found.append(.formatter(first)) }
        }
        guard isRead else { return nil }
        guard found.count == 1 else {
            decoding.report(
                .error, FindingCode.schemaError,
                "a custom tag needs exactly one of literal, environment, header and formatter", at: node)
            return nil
        }
        return found[0]
    }
}

extension Telemetry.MetricsOverride: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.nested("match") {
            $0.read("metric", &metric)
            $0.read("customMetric", &customMetric)
            $0.readMode(&mode)
        }
        fields.read("disabled", &disabled)
        fields.read("tagOverrides", &tagOverrides)
    }
}

extension Telemetry.MetricsOverride.Tag: FieldMessage {
    private enum Operation: String, FieldEnum { case upsert = "UPSERT", remove = "REMOVE" }

    mutating func read(_ fields: inout Fields) {
        var operation: Operation?
        fields.read("operation", &operation)
        if let operation { self.operation = operation.rawValue }
        fields.read("value", &value)
    }
}

extension Telemetry.Metrics: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.readProviders(&providers)
        fields.read("overrides", &overrides)
        fields.read("reportingInterval", &reportingInterval)
    }
}

extension Telemetry.AccessLogging: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.nested("match") { $0.readMode(&mode) }
        fields.readProviders(&providers)
        fields.read("disabled", &disabled)
        fields.nested("filter") { $0.read("expression", &filterExpression) }
    }
}

extension ProxyConfigResource: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.readLabels("selector", in: "matchLabels", &selector)
        fields.read("concurrency", &concurrency)
        fields.read("environmentVariables", &environmentVariables)
        fields.nested("image") { $0.read("imageType", &imageType) }
    }
}
