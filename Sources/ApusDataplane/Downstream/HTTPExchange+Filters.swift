internal import ApusCore
internal import ApusTraffic
internal import NIOCore

// The filters of a request besides faults and CORS, and those of its answer.
extension HTTPExchange {
    private static let healthCheckedCluster = HeaderName("x-envoy-upstream-healthchecked-cluster")
    private static let limitHeader = HeaderName("x-ratelimit-limit")
    private static let remainingHeader = HeaderName("x-ratelimit-remaining")
    private static let resetHeader = HeaderName("x-ratelimit-reset")

    /// The filter serves only routes that speak of it, and this one does not.
    func isDormant(_ index: Int) -> Bool {
        guard index < manager.dormantFilters.count, manager.dormantFilters[index] else { return false }
        return override(manager.filters[index].key) == nil
    }

    // MARK: Requests

    var authorizationFacts: AuthorizationFacts {
        AuthorizationFacts(
            destination: info.destination?.address, destinationPort: UInt16(clamping: info.destination?.port ?? 0),
            serverName: info.serverName, peerAddress: info.remote?.address, clientAddress: identity.clientAddress,
            peerNames: info.tls?.names, metadata: metadata)
    }

    /// - Returns: true if the request was answered.
    func runTokens(_ filter: TokenFilter, _ key: Slot, _ index: Int) -> Bool {
        if case .disabled? = override(key) { return false }
        let stats = server.filterScopes[index].tokens
        var lookups: UInt64 = 0
        let verdict = filter.judge(&request, now: wallSeconds, draw: draw, lookups: &lookups)
        stats?.stats.cacheMiss += lookups
        switch verdict {
        case .bypassed:
            stats?.stats.preflightBypassed += 1
            stats?.stats.allowed += 1
            return false
        case .allowed(let said, let reroutes):
            stats?.stats.allowed += 1
            if let said { metadata[TokenFilter.name] = said }
            if reroutes, let table { _ = decide(table) }
            return false
        case .denied(let status):
            stats?.stats.denied += 1
            reply(.tokenDenied(status, filter, request: request))
            return true
        }
    }

    /// - Returns: true if the request was answered.
    func runAuthorization(_ base: AuthorizationFilter, _ key: Slot, _ index: Int) -> Bool {
        var filter = base
        switch override(key) {
        case .disabled?: return false
        case .authorization(let other)?: filter = other
        default: break
        }
        let facts = authorizationFacts
        let scopes = server.filterScopes[index]
        if let shadow = filter.shadow {
            scopes.shadowAuthorization?.stats.count(shadow.judge(request, facts), isShadow: true)
        }
        guard let rules = filter.rules else { return false }
        let verdict = rules.judge(request, facts)
        scopes.authorization?.stats.count(verdict, isShadow: false)
        if verdict.isAllowed { return false }
        reply(.accessDenied(policy: verdict.policy))
        return true
    }

    /// - Returns: true if the request was answered.
    func runRateLimit(_ base: LocalRateLimit, _ key: Slot, _ index: Int) -> Bool {
        var limit = base
        switch override(key) {
        case .disabled?: return false
        case .rateLimit(let other)?: limit = other
        default: break
        }
        guard let decision, limit.enabled.contains(draw: draw.derived(Draw.Question.rateLimitEnabled)) else {
            return false
        }
        let scope = server.filterScopes[index].rateLimit
        scope?.stats.enabled += 1
        var cluster = ""
        if case .forward(_, let choice) = decision.outcome { cluster = choice.name }
        let descriptions = limit.descriptions(
            decision, head: request, cluster: cluster, client: identity.clientAddress)
        let (isAllowed, bucket) = limit.admit(
            descriptions, now: Int64(clamping: worker.now.uptimeNanoseconds))
        if limit.addsLimitHeaders { rateLimitBucket = bucket }
        if isAllowed {
            scope?.stats.ok += 1
            return false
        }
        scope?.stats.rateLimited += 1
        guard limit.enforced.contains(draw: draw.derived(Draw.Question.rateLimitEnforced)) else {
            let before = limit.requestHeaders.readsHeads ? request : nil
            limit.requestHeaders.apply(to: &request, request: before, response: nil, facts: facts)
            return false
        }
        scope?.stats.enforced += 1
        reply(.rateLimited(limit), operations: limit.responseHeaders)
        return true
    }

    /// The filter's own mutations first, then those of the levels of routing.
    func runHeaderMutation(_ base: HeaderMutations, _ key: Slot, _ mostSpecificWins: Bool) {
        guard let table, let decision else { return }
        if case .disabled? = override(key) { return }
        base.applyToRequest(&request, facts: facts)
        for mutations in levels(decision, key, table, mostSpecificWins) {
            mutations.applyToRequest(&request, facts: facts)
        }
    }

    private func levels(
        _ decision: RouteDecision, _ key: Slot, _ table: RouteTable, _ mostSpecificWins: Bool
    ) -> [HeaderMutations] {
        let found = decision.overrides(key, table: table).compactMap { change -> HeaderMutations? in
            if case .headerMutation(let mutations) = change { mutations } else { nil }
        }
        return mostSpecificWins ? found : found.reversed()
    }

    /// - Returns: true if the request waits for its body.
    func runBuffer(_ base: BufferLimit, _ key: Slot) -> Bool {
        var limit = base
        switch override(key) {
        case .disabled?: return false
        case .buffer(let other)?: limit = other
        default: break
        }
        guard !requestComplete, !wantsUpgrade else { return false }
        phase = .buffering
        bufferedLimit = Int(limit.maxBytes)
        return true
    }

    func collect(_ data: ByteBuffer) {
        guard body.readableBytes + data.readableBytes <= bufferedLimit else { return reply(.payloadTooLarge) }
        body.writeImmutableBuffer(data)
    }

    /// All of the request is here: its length is known now.
    func collected() {
        phase = .trying
        if framing == .chunked {
            framing = .length(UInt64(body.readableBytes))
            request.replace(.contentLength, decimal: UInt64(body.readableBytes))
        }
        runFilters(from: nextFilter)
        connection?.flush()
        downstream?.flush()
    }

    /// - Returns: true if the request was answered.
    func runHealthCheck(_ check: HealthCheckFilter) -> Bool {
        guard check.headers.allSatisfy({ $0.matches(request) }) else { return false }
        facts.isHealthCheck = true
        if check.passesThrough { return false }
        reply(worker.isDraining ? .failing : .healthy)
        return true
    }

    private func session(_ base: SessionPolicy, _ key: Slot) -> SessionPolicy? {
        switch override(key) {
        case .disabled?: nil
        case .session(let other)?: other
        default: base
        }
    }

    private var wallSeconds: Int64 { worker.wallTime(worker.now) / 1_000_000_000 }

    func runSession(_ base: SessionPolicy, _ key: Slot) {
        guard let session = session(base, key) else { return }
        sessionHost = session.host(request, wallSeconds: wallSeconds)
        sessionIsStrict = session.isStrict
    }

    func runCompressor(_ policy: CompressionPolicy, _ key: Slot) {
        if case .disabled? = override(key) { return }
        acceptsGzip = CompressionPolicy.wantsGzip(request)
        if policy.removesAcceptEncoding { request.remove(.acceptEncoding) }
    }

    // MARK: Answers

    /// From the filter next to the router to the one next to the client.
    ///
    /// - Parameter endsHere: no body follows the head.
    func runResponseFilters(endsHere: Bool) {
        for index in manager.filters.indices.reversed() where !isDormant(index) {
            switch manager.filters[index] {
            case .cors: cors?.annotate(&response, request: request)
            case .headerMutation(let mutations, let key, let mostSpecificWins):
                if case .disabled? = override(key) { continue }
                mutations.applyToResponse(&response, request: request, facts: facts)
                guard let table, let decision else { continue }
                for mutations in levels(decision, key, table, mostSpecificWins) {
                    mutations.applyToResponse(&response, request: request, facts: facts)
                }
            case .rateLimit:
                guard let bucket = rateLimitBucket else { continue }
                let now = Int64(clamping: worker.now.uptimeNanoseconds)
                response.append(Self.limitHeader, String(bucket.maxTokens))
                response.append(Self.remainingHeader, String(bucket.remaining(now: now)))
                response.append(Self.resetHeader, String(bucket.secondsToNext(now: now)))
            case .healthCheck:
                if facts.isHealthCheck {
                    response.append(Self.healthCheckedCluster, worker.shared.serviceCluster)
                }
            case .session(let base, let key):
                guard attempts > 0, !facts.upstreamHost.isEmpty, let session = session(base, key) else { continue }
                session.tell(
                    facts.upstreamHost, asked: sessionHost, request: request, response: &response,
                    wallSeconds: wallSeconds)
            case .compressor(let policy, let key):
                if case .disabled? = override(key) { continue }
                if policy.prepare(&response, wantsGzip: acceptsGzip, endsHere: endsHere) {
                    compressor = GzipCompressor(policy.gzip)
                }
            case .fault, .authorization, .tokens, .buffer, .grpcWeb, .grpcStatistics: break
            }
        }
    }
}
