internal import ApusCore
internal import ApusTraffic
internal import NIOCore

// From the request's head to the first try.
extension HTTPExchange {
    /// Cleans the head. An answer here ends the request.
    func prepare(isUpgrade: Bool) -> LocalReply? {
        let localPort = UInt16(clamping: info.destination?.port ?? 0)
        if let problem = manager.normalize(&request, localPort: localPort) { return problem }
        let connection = ConnectionIdentity(
            remoteAddress: info.remote?.address, localAddress: info.destination?.address,
            localPort: localPort, tls: info.tls)
        identity = manager.prepare(
            &request, connection: connection, isUpgrade: isUpgrade,
            internalOnlyHeaders: table?.internalOnlyHeaders ?? [], random: &worker.random)
        if let status = identity.rejection {
            return LocalReply(status, details: "rejecting_because_detection_failed")
        }
        if let client = identity.clientAddress, client != info.remote?.address {
            // The port of a client behind proxies is not known.
            facts.downstreamRemoteAddress = client.family == .v6 ? "[\(client)]:0" : "\(client):0"
        }
        for mutation in manager.earlyMutations {
            mutation.apply(to: &request, request: request, response: nil, facts: facts)
        }
        return nil
    }

    func allowsUpgrade(_ upgrade: ByteRange?) -> Bool {
        if request.method == .connect, upgrade == nil {
            return UpgradePolicy.connectType.withUnsafeBytes { findUpgrade($0) }
        }
        guard let upgrade else { return false }
        return request.withBytes(upgrade) { findUpgrade($0) }
    }

    private func findUpgrade(_ bytes: UnsafeRawBufferPointer) -> Bool {
        func find(_ policies: [UpgradePolicy]) -> Bool? {
            for policy in policies where policy.type.withUnsafeBytes({ ASCII.equalIgnoringCase($0, bytes) }) {
                return policy.enabled
            }
            return nil
        }
        if case .forward(let forward, _)? = decision?.outcome, let verdict = find(forward.upgrades) {
            return verdict
        }
        return find(manager.upgrades) ?? false
    }

    // MARK: Filters

    /// Runs the filters in order; a delay leaves here and comes back with the next index.
    func runFilters(from start: Int) {
        let filters = manager.filters
        var index = start
        while index < filters.count {
            nextFilter = index + 1
            if isDormant(index) {
                index += 1
                continue
            }
            switch filters[index] {
            case .fault(let policy, let key):
                if runFault(policy, key) { return }
            case .cors(let key):
                if runCORS(key) { return }
            case .authorization(let filter, let key):
                if runAuthorization(filter, key, index) { return }
            case .tokens(let filter, let key):
                if runTokens(filter, key, index) { return }
            case .rateLimit(let limit, let key):
                if runRateLimit(limit, key, index) { return }
            case .headerMutation(let mutations, let key, let mostSpecificWins):
                runHeaderMutation(mutations, key, mostSpecificWins)
            case .buffer(let limit, let key):
                if runBuffer(limit, key) { return }
            case .grpcWeb(let key):
                if startGRPCWeb(key) { return }
            case .grpcStatistics(let key): startGRPCStatistics(key)
            case .healthCheck(let check, _):
                if runHealthCheck(check) { return }
            case .session(let session, let key):
                runSession(session, key)
            case .compressor(let policy, let key):
                runCompressor(policy, key)
            }
            index += 1
        }
        route()
    }

    func override(_ key: Slot) -> FilterOverride.Change? {
        guard mayOverride, let table, let decision else { return nil }
        return decision.override(key, table: table)
    }

    /// - Returns: true if the request does not go on now.
    private func runFault(_ base: FaultPolicy, _ key: Slot) -> Bool {
        var policy = base
        switch override(key) {
        case .disabled?: return false
        case .fault(let other)?: policy = other
        default: break
        }
        guard policy.delay != nil || policy.abort != nil else { return false }
        var target: String?
        if case .forward(_, let choice)? = decision?.outcome { target = choice.name }
        let fault = policy.decide(head: request, cluster: target, active: worker.activeFaults, draw: draw)
        if fault.isNone { return false }
        if let delay = fault.delay {
            facts.flags.insert(.delayInjected)
            server.stats.delaysInjected += 1
            worker.activeFaults += 1
            activeFault = fault
            phase = .delayed
            wakeDeadline = worker.now + delay.timeAmount
            armTimer()
            return true
        }
        return abort(fault)
    }

    private func abort(_ fault: FaultDecision) -> Bool {
        guard let abort = fault.abort else { return false }
        server.stats.abortsInjected += 1
        reply(abort)
        return true
    }

    /// The injected delay is over.
    func delayOver() {
        guard let fault = activeFault else { return }
        activeFault = nil
        worker.activeFaults -= 1
        wakeDeadline = .distantFuture
        phase = .trying
        if !abort(fault) { runFilters(from: nextFilter) }
        connection?.flush()
        downstream?.flush()
    }

    private func runCORS(_ key: Slot) -> Bool {
        guard request.contains(.origin), let table, let decision, case .cors(var policy)? = override(key) else {
            return false
        }
        let levels = decision.overrides(key, table: table)
        if levels.count > 1 {
            for case .cors(let outer) in levels.dropLast().reversed() { policy = policy.filled(from: outer) }
        }
        switch policy.decide(head: request, draw: draw) {
        case .pass: return false
        case .annotate:
            cors = policy
            return false
        case .reply(let answer):
            reply(answer)
            return true
        }
    }

    // MARK: The router

    private func route() {
        guard let table, let decision else { return }
        switch decision.outcome {
        case .notFound:
            server.stats.noRoute += 1
            reply(.routeNotFound)
        case .requireTLS:
            server.stats.redirects += 1
            let redirect = RedirectAction.toTLS
            reply(.redirect(redirect, location: redirect.location(for: request, match: nil, isSecure: false)))
        case .redirect(let redirect):
            server.stats.redirects += 1
            let location = redirect.location(
                for: request, match: decision.route?.match, isSecure: identity.isSecure)
            reply(.redirect(redirect, location: location))
        case .direct(let direct):
            server.stats.directResponses += 1
            var answer = LocalReply.direct(direct)
            if direct.status == 201 || (300..<400).contains(direct.status) {
                // RFC 9110, section 10.2.2: these say where the thing is.
                let location = RedirectAction().location(
                    for: request, match: decision.route?.match, isSecure: identity.isSecure)
                answer.headers.append((HeaderToken.location.name, location))
            }
            if let format = direct.format {
                format.shape(&answer, request: request, response: nil, facts: &facts)
            }
            reply(answer)
        case .forward(let forward, let choice):
            facts.upstreamCluster = choice.name
            guard let cluster = cluster(of: choice) else {
                server.stats.noCluster += 1
                return reply(.clusterNotFound(forward))
            }
            self.cluster = cluster
            self.forward = forward
            if let limit = decision.route?.bufferLimit { bodyLimit = Int(limit) }
            if let share = cluster.drop(draw) { return reply(share) }
            timeouts = forward.timeouts(&request, manager: manager)
            if cluster.usesHash, !forward.hashPolicies.isEmpty {
                hash = HashPolicy.hash(
                    forward.hashPolicies, head: request, source: identity.clientAddress,
                    addresses: info.remoteText + info.localText, cookies: &cookies)
            }
            retry = RetryState(policy: forward.retry, head: &request)
            table.finishRequest(
                &request, decision: decision, forward: forward, timeouts: timeouts, manager: manager, facts: facts)
            forwardRequest()
        }
    }

    private func cluster(of choice: ClusterChoice) -> ClusterRuntime? {
        switch choice {
        case .known(let reference): return worker.cluster(reference.slot)
        case .named(let name):
            return worker.configuration.cluster(named: name).flatMap { worker.cluster($0.config.slot) }
        }
    }

    // MARK: What depends on the try

    func pickHost(_ cluster: ClusterRuntime) -> HostPool? {
        let isHigh = forward?.highPriority ?? false
        if attempts == 1, let sessionHost {
            if let host = cluster.host(named: sessionHost, isHighPriority: isHigh) {
                return connectionPool(host, of: cluster)
            }
            if sessionIsStrict { return nil }
        }
        let destination = self.destination(cluster)
        let criteria = decision?.weighted?.metadata ?? forward?.metadata
        var chosen = cluster.pick(
            hash: hash, criteria: criteria, destination: destination, isHighPriority: isHigh,
            withoutPriorities: attempts > 1 ? retry?.leftPriorities ?? [] : [])
        if attempts > 1, let retry {
            var selection = 0
            while selection < retry.hostSelectionAttempts, let host = chosen,
                retry.rejects(host.key, metadata: cluster.endpoint(host)?.metadata ?? [:])
            {
                selection += 1
                chosen = cluster.pick(
                    hash: hash, criteria: criteria, destination: destination, attempt: selection,
                    isHighPriority: isHigh, withoutPriorities: retry.leftPriorities)
            }
        }
        return chosen.flatMap { connectionPool($0, of: cluster) }
    }

    private func connectionPool(_ host: HostPool, of cluster: ClusterRuntime) -> HostPool? {
        cluster.config.usesRequestNames ? cluster.pool(host, for: request) : host
    }

    /// The host of the try that is over is one that the next may pass over.
    private func noteTried() {
        guard let pool, let cluster else { return }
        retry?.hostTried(pool.key)
        if let endpoint = cluster.endpoint(pool) { retry?.priorityTried(endpoint.priority) }
    }

    /// Where the request was going: the connection's destination before it was redirected, or what a header says if the cluster listens to one.
    private func destination(_ cluster: ClusterRuntime) -> SocketEndpoint? {
        guard let name = cluster.destinationHeader, let value = request.value(name) else {
            return info.restoredDestination
        }
        return SocketEndpoint(request.text(value))
    }

    /// The last changes to the head, per try.
    /// Also tells whether the try before ended by its time.
    func finishHeadForHost(_ connection: UpstreamStream) {
        if attempts > 1, let forward {
            let completed = facts.requestCompleted.map { TimeAmount.microseconds($0) }
            let elapsed = completed.map { (worker.now - started - $0).nanoseconds } ?? 0
            forward.writeTimeouts(timeouts, into: &request, manager: manager, elapsed: .nanoseconds(elapsed))
        }
        if attempts > 1, decision?.virtualHost?.addsAttemptCountToRequest ?? false {
            request.replace(.xEnvoyAttemptCount, decimal: UInt64(attempts))
        }
        if attempts > 1, decision?.virtualHost?.tellsTimeoutRetries ?? false {
            request.replace(.xEnvoyIsTimeoutRetry, timedOutBefore ? "true" : "false" as StaticString)
        }
        if case .automatic? = forward?.hostRewrite, !connection.pool.hostname.isEmpty {
            forward?.setHost(
                &request, Array(connection.pool.hostname.utf8), keepsOriginal: !manager.suppressesEnvoyHeaders)
        }
    }

    // MARK: Retries

    /// The place of the retry before this one is free again when the next is asked for: a request holds one at most.
    private func takeRetry() -> Bool {
        guard let cluster else { return false }
        releaseRetry()
        return cluster.takeRetry(forward?.highPriority ?? false)
    }

    private func obey(_ answer: RetryState.Answer, took: Bool) -> Bool {
        if case .retry(let after) = answer {
            noteTried()
            releaseRetry()
            holdsRetry = took
            retryDelay = after
            cluster?.stats.retries += 1
            return true
        }
        if took { cluster?.giveRetry(forward?.highPriority ?? false) }
        switch answer {
        case .exhausted:
            facts.flags.insert(.upstreamRetryLimitExceeded)
            cluster?.stats.retryLimitExceeded += 1
        case .overflow:
            facts.flags.insert(.upstreamOverflow)
            cluster?.stats.retryOverflow += 1
        default: break
        }
        return false
    }

    /// May a try follow the answer in `response`?
    func shouldRetryAnswer() -> Bool {
        guard retry != nil, !wantsUpgrade || response.status != 101 else { return false }
        releaseRetry()
        // A place among the retries is only asked for if one is called for.
        if retry?.isIndifferent(to: response.status, hasSignals: response.mayContain(RetryState.signals)) == true {
            return false
        }
        guard retry?.callsForRetry(response) == true else { return false }
        let took = takeRetry()
        guard
            let answer = retry?.responseReceived(
                response, breakerAllows: took, random: worker.random.next(),
                wallSeconds: worker.wallTime(worker.now) / 1_000_000_000)
        else {
            return false
        }
        return obey(answer, took: took)
    }

    func shouldRetry(after reason: UpstreamReset, wasWritten: Bool) -> Bool {
        guard retry != nil else { return false }
        let took = takeRetry()
        let answer = retry?.resetReceived(
            reason, requestStarted: wasWritten, breakerAllows: took, random: worker.random.next())
        return obey(answer ?? .no, took: took)
    }

    func shouldRetryAfterTryTimeout() -> Bool {
        guard retry != nil else { return false }
        let took = takeRetry()
        let answer = retry?.perTryTimedOut(breakerAllows: took, random: worker.random.next())
        return obey(answer ?? .no, took: took)
    }

    func shouldHedge() -> Bool {
        guard retry != nil else { return false }
        let took = takeRetry()
        let answer = retry?.hedged(breakerAllows: took, random: worker.random.next())
        return obey(answer ?? .no, took: took)
    }

    func releaseRetry() {
        guard holdsRetry else { return }
        holdsRetry = false
        cluster?.giveRetry(forward?.highPriority ?? false)
    }

    // MARK: Mirrors

    func startShadows(_ forward: ForwardAction) {
        let mirrors = forward.mirrors.isEmpty ? table?.mirrors ?? [] : forward.mirrors
        guard !mirrors.isEmpty, !wantsUpgrade else { return }
        for (index, mirror) in mirrors.enumerated() where mirror.applies(draw: draw, index: index) {
            let choice: ClusterChoice
            switch mirror.target {
            case .cluster(let reference): choice = .known(reference)
            case .header(let name): choice = .named(request.value(name).map { request.text($0) } ?? "")
            }
            guard let cluster = cluster(of: choice) else { continue }
            var copy = request
            mirror.prepare(&copy, facts: facts)
            let shadow = ShadowRequest(
                worker: worker, cluster: cluster, head: copy, chunked: framing == .chunked,
                isComplete: requestComplete, bodyLimit: bodyLimit, timeout: timeouts.global)
            shadows.append(shadow)
            // What arrived before the request was routed: during an injected delay, or in a buffer.
            if body.readableBytes > 0 { shadow.data(body) }
            shadow.start(destination: info.restoredDestination)
        }
    }
}
