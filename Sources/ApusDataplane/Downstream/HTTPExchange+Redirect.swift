internal import ApusTraffic
internal import NIOCore

// Redirects that the proxy follows itself: the same exchange, routed once more.
extension HTTPExchange {
    func decide(_ table: RouteTable) -> RouteDecision {
        let decision = table.decide(
            head: request, draw: draw, isSecure: identity.isSecure, isInternal: identity.isInternal, metadata: metadata)
        self.decision = decision
        mayOverride = decision.hasOverrides || !table.overrides.isEmpty
        if let route = decision.route { facts.routeName = route.name }
        if let host = decision.virtualHost { facts.virtualHostName = host.name }
        return decision
    }

    /// Turns `request` into the one that the answer in `response` asks for.
    func followsRedirect() -> Bool {
        guard let policy = forward?.internalRedirects, policy.statuses.contains(response.status), let table,
            let decision, !wantsUpgrade
        else { return false }
        // The body has to be sent again: all of it must be here.
        guard requestComplete, keepsBody || framing == .none else {
            cluster?.stats.internalRedirectFailures += 1
            return false
        }
        let objection = policy.follow(
            &request, response: response, routeName: decision.route?.name ?? "", state: &redirects
        ) { new in
            table.decide(head: new, draw: draw, isSecure: identity.isSecure, isInternal: identity.isInternal).route?
                .name
        }
        if objection != nil {
            cluster?.stats.internalRedirectFailures += 1
            return false
        }
        cluster?.stats.internalRedirects += 1
        if request.method == .get, framing != .none, !request.contains(.contentLength) {
            framing = .none
            body = ByteBuffer()
        }
        isRedirecting = true
        return true
    }

    func afterDroppedAnswer() {
        if isRedirecting { startRedirect() } else { backOff() }
    }

    /// In a turn of its own, as a retry.
    func startRedirect() {
        isRedirecting = true
        phase = .backingOff
        headWritten = false
        if let cluster, attempts > 0 { cluster.stats.requestsActive -= 1 }
        releaseRetry()
        cluster = nil
        pool = nil
        retry = nil
        forward = nil
        attempts = 0
        shadows = []
        if !hedges.isEmpty { dropHedges() }
        routeDeadline = .distantFuture
        tryDeadline = .distantFuture
        tryIdleDeadline = .distantFuture
        wakeDeadline = worker.now
        armTimer()
    }

    func redirectNow() {
        isRedirecting = false
        phase = .trying
        guard let table else { return }
        // The token is gone from the request, and what was said about the first one is not true of this.
        if !metadata.isEmpty { metadata = [:] }
        _ = decide(table)
        runFilters(from: 0)
    }
}
