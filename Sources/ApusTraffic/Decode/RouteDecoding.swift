internal import ApusAPI
internal import ApusCore
internal import ApusRegex
internal import SwiftProtobuf

extension RouteTable {
    /// Limits on one table; far above what a mesh needs.
    private static let maxVirtualHosts = 100_000
    private static let maxRoutes = 1_000_000

    /// A checked message to a table.
    convenience init(
        _ message: Envoy_Config_Route_V3_RouteConfiguration, version: ContentVersion, context: inout DecodingContext
    ) throws(Refusal) {
        guard message.virtualHosts.count <= Self.maxVirtualHosts,
            message.virtualHosts.reduce(0, { $0 + $1.routes.count }) <= Self.maxRoutes
        else { throw Refusal("virtual_hosts", "too many virtual hosts or routes") }
        let bodyLimit =
            message.hasMaxDirectResponseBodySizeBytes
            ? Int(clamping: message.maxDirectResponseBodySizeBytes.value) : 4096
        var working = context
        let hosts = try each("virtual_hosts", message.virtualHosts) { host throws(Refusal) in
            try VirtualHost(host, bodyLimit: bodyLimit, context: &working)
        }
        var domains: Set<String> = []
        var names: Set<String> = []
        for host in hosts {
            guard names.insert(host.name).inserted else {
                throw Refusal("virtual_hosts", "more than one virtual host has the name \(host.name)")
            }
            for domain in host.domains where !domains.insert(domain.lowercased()).inserted {
                throw Refusal("virtual_hosts", "the domain \(domain) is in more than one place")
            }
        }
        let mirrors = try each("request_mirror_policies", message.requestMirrorPolicies) { policy throws(Refusal) in
            try MirrorPolicy(policy, context: &working)
        }
        let overrides = try FilterOverride.decode(message.typedPerFilterConfig, context: &working)
        let internalOnly = try each("internal_only_headers", message.internalOnlyHeaders) { name throws(Refusal) in
            try HeaderName.decode(name)
        }
        let requestHeaders = try HeaderOperations(
            add: message.requestHeadersToAdd, remove: message.requestHeadersToRemove, field: "request_headers")
        let responseHeaders = try HeaderOperations(
            add: message.responseHeadersToAdd, remove: message.responseHeadersToRemove, field: "response_headers")
        context = working
        self.init(
            name: message.name, version: version, virtualHosts: hosts, requestHeaders: requestHeaders,
            responseHeaders: responseHeaders,
            mostSpecificHeaderMutationsWin: message.mostSpecificHeaderMutationsWins,
            ignoresPortInHost: message.ignorePortInHostMatching, internalOnlyHeaders: internalOnly, mirrors: mirrors,
            overrides: overrides)
    }
}

extension VirtualHost {
    convenience init(
        _ message: Envoy_Config_Route_V3_VirtualHost, bodyLimit: Int, context: inout DecodingContext
    ) throws(Refusal) {
        guard !message.name.isEmpty else { throw Refusal("name", "empty") }
        guard !message.domains.isEmpty else { throw Refusal("domains", "empty") }
        for (index, domain) in message.domains.enumerated() {
            let stars = domain.utf8.count { $0 == UInt8(ascii: "*") }
            guard !domain.isEmpty, stars == 0 || (stars == 1 && (domain.hasPrefix("*") || domain.hasSuffix("*"))) else {
                throw Refusal("domains[\(index)]", "'\(domain)': a star may only be the first or last character")
            }
        }
        let hedges = try at("hedge_policy") { () throws(Refusal) in try HedgeDecoding.hedges(message.hedgePolicy) }
        let tls: TLSRequirement
        switch message.requireTls {
        case .none: tls = .none
        case .externalOnly: tls = .externalOnly
        case .all: tls = .all
        case .UNRECOGNIZED: throw Refusal("require_tls", "unknown value")
        }
        let retry =
            message.hasRetryPolicy
            ? try at("retry_policy") { () throws(Refusal) in try RetryPolicy.decode(message.retryPolicy) } : nil
        var working = context
        let mirrors = try each("request_mirror_policies", message.requestMirrorPolicies) { policy throws(Refusal) in
            try MirrorPolicy(policy, context: &working)
        }
        let routes = try each("routes", message.routes) { route throws(Refusal) in
            try Route.decode(
                route, retry: retry, mirrors: mirrors, hedges: hedges, bodyLimit: bodyLimit,
                bufferLimit: message.hasRequestBodyBufferLimit ? message.requestBodyBufferLimit.value : nil,
                context: &working)
        }
        let overrides = try FilterOverride.decode(message.typedPerFilterConfig, context: &working)
        let requestHeaders = try HeaderOperations(
            add: message.requestHeadersToAdd, remove: message.requestHeadersToRemove, field: "request_headers")
        let responseHeaders = try HeaderOperations(
            add: message.responseHeadersToAdd, remove: message.responseHeadersToRemove, field: "response_headers")
        context = working
        self.init(
            name: message.name, domains: message.domains, routes: routes, tls: tls, requestHeaders: requestHeaders,
            responseHeaders: responseHeaders, overrides: overrides,
            addsAttemptCountToRequest: message.includeRequestAttemptCount,
            addsAttemptCountToResponse: message.includeAttemptCountInResponse,
            rateLimits: try each("rate_limits", message.rateLimits) { rule throws(Refusal) in
                try RateLimitRule.decode(rule)
            },
            tellsTimeoutRetries: message.includeIsTimeoutRetryHeader)
    }
}

extension Route {
    /// - Parameters:
    ///   - retry: the virtual host's policy, for routes without one; `mirrors` likewise.
    ///   - bodyLimit: bytes of a direct response.
    ///   - bufferLimit: the virtual host's limit on what is kept of a request's body.
    static func decode(
        _ message: Envoy_Config_Route_V3_Route, retry: RetryPolicy?, mirrors: [MirrorPolicy], hedges: Bool = false,
        bodyLimit: Int,
        bufferLimit: UInt64?, context: inout DecodingContext
    ) throws(Refusal) -> Route {
        guard message.hasMatch else { throw Refusal("match", "missing") }
        let match = try at("match") { () throws(Refusal) in try RouteMatch(message.match) }
        let action: RouteAction
        switch message.action {
        case .route(let route):
            var working = context
            action = .forward(
                try at("route") { () throws(Refusal) in
                    try ForwardAction.decode(
                        route, retry: retry, mirrors: mirrors, defaultHedging: hedges, context: &working)
                })
            context = working
        case .redirect(let redirect):
            action = .redirect(try at("redirect") { () throws(Refusal) in try RedirectAction(redirect) })
        case .directResponse(let direct):
            action = .direct(
                try at("direct_response") { () throws(Refusal) in try DirectResponse(direct, bodyLimit: bodyLimit) })
        case .nonForwardingAction: throw Refusal.unsupported("non_forwarding_action")
        case nil: throw Refusal("", "the route has no action")
        }
        let overrides = try FilterOverride.decode(message.typedPerFilterConfig, context: &context)
        return Route(
            name: message.name, match: match, action: action,
            requestHeaders: try HeaderOperations(
                add: message.requestHeadersToAdd, remove: message.requestHeadersToRemove, field: "request_headers"),
            responseHeaders: try HeaderOperations(
                add: message.responseHeadersToAdd, remove: message.responseHeadersToRemove,
                field: "response_headers"),
            overrides: overrides,
            bufferLimit: (message.hasRequestBodyBufferLimit ? message.requestBodyBufferLimit.value : bufferLimit)
                .map { UInt32(clamping: $0) })
    }
}

extension RouteMatch {
    convenience init(_ message: Envoy_Config_Route_V3_RouteMatch) throws(Refusal) {
        let path: Path
        switch message.pathSpecifier {
        case .prefix(let text): path = .prefix(Array(text.utf8))
        case .path(let text): path = .exact(Array(text.utf8))
        case .safeRegex(let regex):
            path = .regex(try at("safe_regex") { () throws(Refusal) in try RE2Pattern.compile(regex) })
        case .pathSeparatedPrefix(let text):
            guard text.hasPrefix("/"), !text.hasSuffix("/"), !text.contains("?"), !text.contains("#") else {
                throw Refusal("path_separated_prefix", "'\(text)' must begin with / and have no / at its end")
            }
            path = .separatedPrefix(Array(text.utf8))
        case .connectMatcher: path = .connect
        case .pathMatchPolicy: throw Refusal.unsupported("path_match_policy")
        case nil: throw Refusal("", "no path specifier")
        }
        let queries = try each("query_parameters", message.queryParameters) { query throws(Refusal) in
            try QueryMatch(query)
        }
        self.init(
            path: path, ignoresCase: message.hasCaseSensitive && !message.caseSensitive.value,
            headers: try each("headers", message.headers) { header throws(Refusal) in try HeaderMatch(header) },
            queries: queries,
            share: message.hasRuntimeFraction
                ? try at("runtime_fraction") { () throws(Refusal) in try Fraction(message.runtimeFraction) } : .all,
            grpcOnly: message.hasGrpc,
            metadata: try each("dynamic_metadata", message.dynamicMetadata) { match throws(Refusal) in
                try MetadataMatch(match)
            })
    }
}

extension QueryMatch {
    init(_ message: Envoy_Config_Route_V3_QueryParameterMatcher) throws(Refusal) {
        guard !message.name.isEmpty, message.name.utf8.count <= 1024 else {
            throw Refusal("name", "empty or longer than 1024 bytes")
        }
        switch message.queryParameterMatchSpecifier {
        case .stringMatch(let match):
            self.init(
                name: message.name, value: try at("string_match") { () throws(Refusal) in try StringMatch(match) })
        case .presentMatch(true), nil: self.init(name: message.name, value: nil)
        case .presentMatch(false): throw Refusal.unsupported("present_match", "present_match: false")
        }
    }
}

extension ForwardAction {
    static func decode(
        _ message: Envoy_Config_Route_V3_RouteAction, retry: RetryPolicy?, mirrors: [MirrorPolicy],
        defaultHedging: Bool, context: inout DecodingContext
    ) throws(Refusal) -> ForwardAction {
        var working = context
        let criteria = message.hasMetadataMatch ? MetadataCriteria.decode(message.metadataMatch) : nil
        let clusters: ClusterSpecifier
        switch message.clusterSpecifier {
        case .cluster(let name):
            clusters = .cluster(try at("cluster") { () throws(Refusal) in try working.cluster(name) })
        case .clusterHeader(let name):
            clusters = .header(try at("cluster_header") { () throws(Refusal) in try HeaderName.decode(name) })
        case .weightedClusters(let weighted):
            clusters = try at("weighted_clusters") { () throws(Refusal) in
                try ClusterSpecifier.decode(weighted, metadata: criteria, context: &working)
            }
        case .clusterSpecifierPlugin: throw Refusal.unsupported("cluster_specifier_plugin")
        case nil: throw Refusal("", "no cluster")
        }
        let hedges =
            message.hasHedgePolicy
            ? try at("hedge_policy") { () throws(Refusal) in try HedgeDecoding.hedges(message.hedgePolicy) }
            : defaultHedging
        let notFound: UInt16
        switch message.clusterNotFoundResponseCode {
        case .serviceUnavailable: notFound = 503
        case .notFound: notFound = 404
        case .internalServerError: notFound = 500
        case .UNRECOGNIZED: throw Refusal("cluster_not_found_response_code", "unknown value")
        }
        guard !(message.hasRegexRewrite && !message.prefixRewrite.isEmpty) else {
            throw Refusal("regex_rewrite", "only one of prefix_rewrite and regex_rewrite may be given")
        }
        let pathRewrite: PathRewrite
        if message.hasRegexRewrite {
            pathRewrite = .regex(
                try at("regex_rewrite") { () throws(Refusal) in try RegexRewrite(message.regexRewrite) })
        } else if !message.prefixRewrite.isEmpty {
            guard HTTPSyntax.isSafeValue(message.prefixRewrite.utf8) else {
                throw Refusal("prefix_rewrite", "has a line break or NUL")
            }
            pathRewrite = .prefix(Array(message.prefixRewrite.utf8))
        } else {
            pathRewrite = .none
        }
        let hostRewrite: HostRewrite
        switch message.hostRewriteSpecifier {
        case nil: hostRewrite = .none
        case .hostRewriteLiteral(let host):
            guard HTTPSyntax.isSafeValue(host.utf8) else {
                throw Refusal("host_rewrite_literal", "has a line break or NUL")
            }
            hostRewrite = .literal(Array(host.utf8))
        case .autoHostRewrite(let automatic): hostRewrite = automatic.value ? .automatic : .none
        case .hostRewriteHeader(let name):
            hostRewrite = .header(try at("host_rewrite_header") { () throws(Refusal) in try HeaderName.decode(name) })
        case .hostRewritePathRegex(let regex):
            hostRewrite = .pathRegex(
                try at("host_rewrite_path_regex") { () throws(Refusal) in try RegexRewrite(regex) })
        case .hostRewrite: throw Refusal.unsupported("host_rewrite")
        }
        func duration(
            _ field: String, _ has: Bool, _ value: Google_Protobuf_Duration
        ) throws(Refusal) -> Duration? {
            has ? try at(field) { () throws(Refusal) in try value.value() } : nil
        }
        let timeout = try duration("timeout", message.hasTimeout, message.timeout) ?? .seconds(15)
        let stream = message.maxStreamDuration
        let policies = try each("request_mirror_policies", message.requestMirrorPolicies) { policy throws(Refusal) in
            try MirrorPolicy(policy, context: &working)
        }
        let high: Bool
        switch message.priority {
        case .default: high = false
        case .high: high = true
        case .UNRECOGNIZED: throw Refusal("priority", "unknown value")
        }
        let action = ForwardAction(
            clusters: clusters, clusterNotFoundStatus: notFound, pathRewrite: pathRewrite, hostRewrite: hostRewrite,
            appendsForwardedHost: message.appendXForwardedHost, timeout: timeout == .zero ? nil : timeout,
            idleTimeout: try duration("idle_timeout", message.hasIdleTimeout, message.idleTimeout),
            maxStreamDuration: try duration(
                "max_stream_duration.max_stream_duration", stream.hasMaxStreamDuration, stream.maxStreamDuration),
            grpcTimeoutMax: try duration(
                "max_stream_duration.grpc_timeout_header_max", stream.hasGrpcTimeoutHeaderMax,
                stream.grpcTimeoutHeaderMax),
            grpcTimeoutOffset: try duration(
                "max_stream_duration.grpc_timeout_header_offset", stream.hasGrpcTimeoutHeaderOffset,
                stream.grpcTimeoutHeaderOffset),
            grpcRequestTimeoutMax: try duration(
                "max_grpc_timeout", message.hasMaxGrpcTimeout, message.maxGrpcTimeout),
            grpcRequestTimeoutOffset: try duration(
                "grpc_timeout_offset", message.hasGrpcTimeoutOffset, message.grpcTimeoutOffset),
            retry: message.hasRetryPolicy
                ? try at("retry_policy") { () throws(Refusal) in try RetryPolicy.decode(message.retryPolicy) } : retry,
            mirrors: policies.isEmpty ? mirrors : policies,
            hashPolicies: try each("hash_policy", message.hashPolicy) { policy throws(Refusal) in
                try HashPolicy(policy)
            },
            upgrades: try each("upgrade_configs", message.upgradeConfigs) { upgrade throws(Refusal) in
                guard !upgrade.upgradeType.isEmpty else { throw Refusal("upgrade_type", "empty") }
                let isConnect = upgrade.upgradeType.uppercased() == "CONNECT"
                guard isConnect || !upgrade.hasConnectConfig else {
                    throw Refusal("connect_config", "only for upgrades of type CONNECT")
                }
                return UpgradePolicy(
                    type: upgrade.upgradeType, enabled: !upgrade.hasEnabled || upgrade.enabled.value,
                    tunnel: upgrade.hasConnectConfig
                        ? UpgradePolicy.Tunnel(allowsPost: upgrade.connectConfig.allowPost) : nil)
            },
            highPriority: high, metadata: criteria,
            rateLimits: try each("rate_limits", message.rateLimits) { rule throws(Refusal) in
                try RateLimitRule.decode(rule)
            },
            internalRedirects: message.hasInternalRedirectPolicy
                ? try at("internal_redirect_policy") { () throws(Refusal) in
                    try InternalRedirectPolicy.decode(message.internalRedirectPolicy)
                } : nil,
            hedgesSlowTries: hedges)
        context = working
        return action
    }
}

extension ClusterSpecifier {
    static func decode(
        _ message: Envoy_Config_Route_V3_WeightedCluster, metadata: MetadataCriteria?,
        context: inout DecodingContext
    ) throws(Refusal) -> ClusterSpecifier {
        var working = context
        let clusters = try each("clusters", message.clusters) { entry throws(Refusal) in
            let target: WeightedCluster.Target
            if entry.clusterHeader.isEmpty {
                target = .cluster(try at("name") { () throws(Refusal) in try working.cluster(entry.name) })
            } else {
                guard entry.name.isEmpty else { throw Refusal("cluster_header", "only one of name and cluster_header") }
                target = .header(
                    try at("cluster_header") { () throws(Refusal) in try HeaderName.decode(entry.clusterHeader) })
            }
            guard entry.hasWeight else { throw Refusal("weight", "missing") }
            return WeightedCluster(
                target: target, weight: entry.weight.value,
                requestHeaders: try HeaderOperations(
                    add: entry.requestHeadersToAdd, remove: entry.requestHeadersToRemove, field: "request_headers"),
                responseHeaders: try HeaderOperations(
                    add: entry.responseHeadersToAdd, remove: entry.responseHeadersToRemove,
                    field: "response_headers"),
                hostRewrite: entry.hostRewriteLiteral.isEmpty ? nil : Array(entry.hostRewriteLiteral.utf8),
                overrides: try FilterOverride.decode(entry.typedPerFilterConfig, context: &working),
                metadata: MetadataCriteria.merging(
                    metadata, entry.hasMetadataMatch ? MetadataCriteria.decode(entry.metadataMatch) : nil))
        }
        let total = clusters.reduce(UInt64(0)) { $0 &+ UInt64($1.weight) }
        guard total > 0, total <= UInt64(UInt32.max) else {
            throw Refusal("clusters", "the weights must add up to something between 1 and 4294967295")
        }
        let header =
            message.headerName.isEmpty
            ? nil : try at("header_name") { () throws(Refusal) in try HeaderName.decode(message.headerName) }
        context = working
        return .weighted(clusters, total: total, randomHeader: header)
    }
}

extension MirrorPolicy {
    init(
        _ message: Envoy_Config_Route_V3_RouteAction.RequestMirrorPolicy, context: inout DecodingContext
    ) throws(Refusal) {
        let target: Target
        if message.clusterHeader.isEmpty {
            var working = context
            target = .cluster(try at("cluster") { () throws(Refusal) in try working.cluster(message.cluster) })
            context = working
        } else {
            target = .header(
                try at("cluster_header") { () throws(Refusal) in try HeaderName.decode(message.clusterHeader) })
        }
        self.init(
            target: target,
            share: message.hasRuntimeFraction
                ? try at("runtime_fraction") { () throws(Refusal) in try Fraction(message.runtimeFraction) } : .all,
            appendsShadowSuffix: !message.disableShadowHostSuffixAppend,
            hostRewrite: message.hostRewriteLiteral.isEmpty ? nil : Array(message.hostRewriteLiteral.utf8),
            mutations: try each("request_headers_mutations", message.requestHeadersMutations) {
                mutation throws(Refusal) in try HeaderMutation.decode(mutation)
            })
        guard HTTPSyntax.isSafeValue(message.hostRewriteLiteral.utf8) else {
            throw Refusal("host_rewrite_literal", "has a line break or NUL")
        }
    }
}

extension HashPolicy {
    init(_ message: Envoy_Config_Route_V3_RouteAction.HashPolicy) throws(Refusal) {
        let source: Source
        switch message.policySpecifier {
        case .header(let header):
            source = .header(
                try at("header.header_name") { () throws(Refusal) in try HeaderName.decode(header.headerName) },
                rewrite: header.hasRegexRewrite
                    ? try at("header.regex_rewrite") { () throws(Refusal) in try RegexRewrite(header.regexRewrite) }
                    : nil)
        case .cookie(let cookie):
            guard !cookie.name.isEmpty, cookie.name.utf8.allSatisfy(HTTPSyntax.isTokenCharacter) else {
                throw Refusal("cookie.name", "not a cookie name")
            }
            guard HTTPSyntax.isSafeValue(cookie.path.utf8),
                cookie.attributes.allSatisfy({
                    HTTPSyntax.isSafeValue($0.name.utf8) && HTTPSyntax.isSafeValue($0.value.utf8)
                })
            else { throw Refusal("cookie", "has a line break or NUL") }
            source = .cookie(
                name: cookie.name,
                ttl: cookie.hasTtl ? try at("cookie.ttl") { () throws(Refusal) in try cookie.ttl.value() } : nil,
                path: cookie.path, attributes: cookie.attributes.map { ($0.name, $0.value) })
        case .connectionProperties(let properties):
            guard properties.sourceIp else { throw Refusal("connection_properties", "names no property") }
            source = .sourceIP
        case .queryParameter(let parameter):
            guard !parameter.name.isEmpty else { throw Refusal("query_parameter.name", "empty") }
            source = .query(Array(parameter.name.utf8))
        case .filterState: throw Refusal.unsupported("filter_state")
        case nil: throw Refusal("", "no policy")
        }
        self.init(source: source, terminal: message.terminal)
    }
}

extension RedirectAction {
    init(_ message: Envoy_Config_Route_V3_RedirectAction) throws(Refusal) {
        var scheme: String?
        switch message.schemeRewriteSpecifier {
        case .httpsRedirect(true): scheme = "https"
        case .schemeRedirect(let text): scheme = text.isEmpty ? nil : text
        case .httpsRedirect(false), nil: break
        }
        let path: Path
        switch message.pathRewriteSpecifier {
        case nil: path = .keep
        case .pathRedirect(let text): path = .replace(Array(text.utf8))
        case .prefixRewrite(let text): path = .prefix(Array(text.utf8))
        case .regexRewrite(let regex):
            path = .regex(try at("regex_rewrite") { () throws(Refusal) in try RegexRewrite(regex) })
        }
        let status: UInt16
        switch message.responseCode {
        case .movedPermanently: status = 301
        case .found: status = 302
        case .seeOther: status = 303
        case .temporaryRedirect: status = 307
        case .permanentRedirect: status = 308
        case .UNRECOGNIZED: throw Refusal("response_code", "unknown value")
        }
        guard message.portRedirect <= 65535 else { throw Refusal("port_redirect", "not a port") }
        for text in [scheme ?? "", message.hostRedirect, message.pathRedirect, message.prefixRewrite] {
            guard HTTPSyntax.isSafeValue(text.utf8) else { throw Refusal("", "has a line break or NUL") }
        }
        self.init(
            scheme: scheme, host: message.hostRedirect.isEmpty ? nil : message.hostRedirect,
            port: message.portRedirect == 0 ? nil : message.portRedirect, path: path, status: status,
            stripsQuery: message.stripQuery)
    }
}

extension DirectResponse {
    init(_ message: Envoy_Config_Route_V3_DirectResponseAction, bodyLimit: Int) throws(Refusal) {
        guard (200..<600).contains(message.status) else { throw Refusal("status", "must be from 200 to 599") }
        let body: [UInt8]
        switch message.body.specifier {
        case .inlineBytes(let data): body = Array(data)
        case .inlineString(let text): body = Array(text.utf8)
        case nil: body = []
        case .filename, .environmentVariable: throw Refusal.unsupported("body", "a body from outside of the resource")
        }
        guard body.count <= bodyLimit else { throw Refusal("body", "longer than \(bodyLimit) bytes") }
        self.init(
            status: UInt16(message.status), body: body,
            format: message.hasBodyFormat
                ? try at("body_format") { () throws(Refusal) in try LocalReplyPolicy.body(message.bodyFormat) } : nil)
    }
}
