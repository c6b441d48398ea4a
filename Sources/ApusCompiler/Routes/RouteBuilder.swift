internal import ApusAPI
internal import ApusCore
internal import ApusMesh
internal import ApusModel
internal import SwiftProtobuf

/// Builds the routes of one VirtualService for one listener, and collects the objects they came from.
struct RouteBuilder {
    let virtualService: ResolvedVirtualService
    let listenerPort: UInt32
    let isTLS: Bool
    let context: CompileContext
    var sources: Set<ObjectKey>

    init(virtualService: ResolvedVirtualService, listenerPort: UInt32, isTLS: Bool, context: CompileContext) {
        self.virtualService = virtualService
        self.listenerPort = listenerPort
        self.isTLS = isTLS
        self.context = context
        sources = [virtualService.object.key]
    }

    /// nil for a rule that does nothing (a delegate that was not found).
    mutating func route(_ rule: HTTPRule, match: HTTPMatch?) -> XDS.Route? {
        var route = XDS.Route()
        route.name = name(rule, match)
        route.match = RouteMatching.routeMatch(match)
        if let redirect = rule.redirect {
            route.redirect = self.redirect(redirect)
        } else if let response = rule.directResponse {
            route.directResponse = directResponse(response)
        } else if !rule.route.isEmpty {
            route.route = action(rule)
            if rule.route.count == 1 { mutate(&route, HeaderMutations(rule.route[0].headers)) }
        } else {
            return nil
        }
        mutate(&route, HeaderMutations(rule.headers))
        route.metadata = IstioMetadata.config(virtualService.object.key)
        route.decorator = .with { $0.operation = operation(route) }
        if let prefix = match?.statPrefix { route.statPrefix = prefix }
        if let fault = rule.fault, let config = FaultInjection.config(fault) {
            route.typedPerFilterConfig[FaultInjection.filterName] = config
        }
        // A gRPC client refuses settings of a filter it does not have, and browsers do not speak to it.
        if let cors = rule.corsPolicy, !context.isProxyless {
            route.typedPerFilterConfig[CORSPolicies.filterName] = CORSPolicies.config(cors)
        }
        return route
    }

    private func name(_ rule: HTTPRule, _ match: HTTPMatch?) -> String {
        guard let suffix = match?.name, !suffix.isEmpty else { return rule.name }
        return rule.name.isEmpty ? suffix : "\(rule.name).\(suffix)"
    }

    // MARK: Actions

    private mutating func action(_ rule: HTTPRule) -> XDS.RouteAction {
        var action = XDS.RouteAction()
        RouteTimeouts.apply(rule.timeout, context, to: &action)
        if let rewrite = rule.rewrite {
            if let uri = rewrite.uri { action.prefixRewrite = uri }
            if let regex = rewrite.uriRegexRewrite {
                action.regexRewrite = .with {
                    $0.pattern = RouteMatching.regex(regex.match)
                    $0.substitution = regex.rewrite
                }
            }
        }
        let ruleHeaders = HeaderMutations(rule.headers)
        if let host = rule.rewrite?.authority ?? ruleHeaders.authority { action.hostRewriteLiteral = host }
        action.requestMirrorPolicies = mirrors(rule)
        var isSticky = false
        // A sum of zero is refused by Envoy, and by validation before.
        if rule.route.count == 1 || !rule.route.contains(where: { $0.weight > 0 }) {
            let target = target(rule.route[0].destination)
            action.cluster = target.cluster
            if let hash = HashPolicies.policy(target.hash) {
                action.hashPolicy = [hash]
                isSticky = true
            }
            let authority = HeaderMutations(rule.route[0].headers).authority
            if let authority, rule.rewrite?.authority == nil { action.hostRewriteLiteral = authority }
        } else {
            action.weightedClusters = weighted(rule, hashPolicies: &action.hashPolicy)
        }
        let policy = RetryPolicies.policy(rule.retries, mesh: context.snapshot.meshConfig, isSticky: isSticky)
        if let policy { action.retryPolicy = policy }
        return action
    }

    private mutating func weighted(
        _ rule: HTTPRule, hashPolicies: inout [XDS.HashPolicy]
    ) -> Envoy_Config_Route_V3_WeightedCluster {
        var result = Envoy_Config_Route_V3_WeightedCluster()
        // Envoy wants the sum to fit into 32 bits.
        let total = rule.route.reduce(UInt64(0)) { $0 + UInt64(max(0, $1.weight)) }
        let divisor = UInt32(clamping: total / UInt64(UInt32.max) + 1)
        for destination in rule.route where destination.weight > 0 {
            let target = target(destination.destination)
            if let hash = HashPolicies.policy(target.hash) { hashPolicies.append(hash) }
            let headers = HeaderMutations(destination.headers)
            var cluster = Envoy_Config_Route_V3_WeightedCluster.ClusterWeight()
            cluster.name = target.cluster
            cluster.weight = Google_Protobuf_UInt32Value(max(1, UInt32(clamping: destination.weight) / divisor))
            cluster.requestHeadersToAdd = headers.requestAdd
            cluster.requestHeadersToRemove = headers.requestRemove
            cluster.responseHeadersToAdd = headers.responseAdd
            cluster.responseHeadersToRemove = headers.responseRemove
            if let authority = headers.authority, rule.rewrite?.authority == nil {
                cluster.hostRewriteLiteral = authority
            }
            result.clusters.append(cluster)
        }
        return result
    }

    private mutating func target(_ destination: Destination) -> RouteTarget {
        let target = RouteDestinations.target(destination, listenerPort: listenerPort, context)
        sources.formUnion(target.sources)
        return target
    }

    private mutating func mirrors(_ rule: HTTPRule) -> [XDS.RouteAction.RequestMirrorPolicy] {
        var mirrors = rule.mirrors.map { ($0.destination, $0.percentage ?? 100) }
        if let mirror = rule.mirror { mirrors.append((mirror, rule.mirrorPercentage ?? 100)) }
        return mirrors.filter { $0.1 > 0 }.map { destination, percentage in
            let target = target(destination)
            return .with {
                $0.cluster = target.cluster
                $0.runtimeFraction = Envoy_Config_Core_V3_RuntimeFractionalPercent(percent: percentage)
                $0.traceSampled = Google_Protobuf_BoolValue(false)
                $0.disableShadowHostSuffixAppend = true
            }
        }
    }

    private func redirect(_ redirect: HTTPRedirect) -> Envoy_Config_Route_V3_RedirectAction {
        var action = Envoy_Config_Route_V3_RedirectAction()
        if let uri = redirect.uri, !uri.isEmpty {
            action.pathRedirect = uri
        } else if let prefix = redirect.prefixRewrite, !prefix.isEmpty {
            action.prefixRewrite = prefix
        }
        if let authority = redirect.authority { action.hostRedirect = authority }
        if let scheme = redirect.scheme, !scheme.isEmpty { action.schemeRedirect = scheme }
        switch redirect.port {
        case .number(let port): action.portRedirect = port
        case .fromRequestPort: action.portRedirect = listenerPort
        case .fromProtocolDefault, nil: break
        }
        let scheme = redirect.scheme.flatMap { $0.isEmpty ? nil : $0 } ?? (isTLS ? "https" : "http")
        if (scheme, action.portRedirect) == ("http", 80) || (scheme, action.portRedirect) == ("https", 443) {
            action.portRedirect = 0
        }
        switch redirect.redirectCode {
        case 302: action.responseCode = .found
        case 303: action.responseCode = .seeOther
        case 307: action.responseCode = .temporaryRedirect
        case 308: action.responseCode = .permanentRedirect
        default: action.responseCode = .movedPermanently
        }
        return action
    }

    private func directResponse(_ response: HTTPDirectResponse) -> Envoy_Config_Route_V3_DirectResponseAction {
        .with {
            $0.status = response.status
            switch response.body {
            case .string(let text): $0.body = .with { $0.inlineString = text }
            case .bytes(let bytes): $0.body = .with { $0.inlineBytes = contiguous(bytes) }
            case nil: break
            }
        }
    }

    // MARK: Around the action

    private func mutate(_ route: inout XDS.Route, _ headers: HeaderMutations) {
        route.requestHeadersToAdd += headers.requestAdd
        route.requestHeadersToRemove += headers.requestRemove
        route.responseHeadersToAdd += headers.responseAdd
        route.responseHeadersToRemove += headers.responseRemove
    }

    /// What tracing calls the request: the destination if there is one, else the VirtualService.
    private func operation(_ route: XDS.Route) -> String {
        var path = "/*"
        switch route.match.pathSpecifier {
        case .prefix(let prefix): path = prefix + "*"
        case .path(let exact): path = exact
        case .safeRegex(let matcher): path = matcher.regex
        default: break
        }
        if case .cluster(let cluster) = route.route.clusterSpecifier,
            let parts = ClusterName.outboundParts(of: cluster)
        {
            return "\(parts.host.text):\(parts.port)\(path)"
        }
        return "\(virtualService.object.metadata.name):\(listenerPort)\(path)"
    }
}
