internal import ApusCore
internal import ApusTraffic
internal import NIOCore

// Answers on their way to the client, and time.
extension HTTPExchange {
    /// Answers in the upstream's place. Whatever was being tried is let go of.
    ///
    /// - Parameter operations: of the filter that answers.
    func reply(_ reply: LocalReply, operations own: HeaderOperations = .none) {
        guard phase != .done, phase != .idle, phase != .answering else { return }
        dropUpstream()
        if activeFault != nil {
            activeFault = nil
            worker.activeFaults -= 1
        }
        phase = .answering
        let now = worker.now
        facts.flags.insert(reply.flags)
        facts.responseCodeDetails = reply.details
        var reply = reply
        let operations = manager.localReplies?.rewrite(&reply, request: request, facts: &facts, draw: draw)
        var bytes: [UInt8] = []
        if let grpcWeb {
            grpcWeb.write(reply, into: &response)
        } else {
            bytes = reply.write(into: &response, request: request)
        }
        own.apply(to: &response, request: request, response: nil, facts: facts)
        operations?.apply(to: &response, request: request, response: nil, facts: facts)
        facts.responseCode = response.status
        grpcCount?.status(grpcStatus(response))
        if attempts > 0, decision?.virtualHost?.addsAttemptCountToResponse ?? false {
            response.replace(.xEnvoyAttemptCount, decimal: UInt64(attempts))
        }
        applyResponseOperations()
        runResponseFilters(endsHere: bytes.isEmpty)
        finishResponse(now, isUpgrade: false)
        if reply.flags.contains(.downstreamProtocolError) || closesAfterReply { downstream?.closeAfterAnswer() }
        downstream?.writeHead(response, isUpgrade: false, endsHere: bytes.isEmpty)
        if !bytes.isEmpty {
            facts.bytesSent += UInt64(bytes.count)
            let data = ByteBuffer(bytes: bytes)
            if let compressor {
                if let packed = compressor.compress(data) { downstream?.writeData(packed) }
            } else {
                downstream?.writeData(data)
            }
        }
        complete()
        downstream?.flush()
    }

    /// The upstream's head becomes the client's.
    func finishUpstreamResponse(_ now: NIODeadline, endsHere: Bool) {
        if !manager.suppressesEnvoyHeaders, requestComplete, let completed = facts.requestCompleted {
            let milliseconds = max(0, (now - started).nanoseconds / 1000 - completed) / 1000
            response.replace(.xEnvoyUpstreamServiceTime, decimal: UInt64(milliseconds))
        }
        if decision?.virtualHost?.addsAttemptCountToResponse ?? false {
            response.replace(.xEnvoyAttemptCount, decimal: UInt64(attempts))
        }
        if !cookies.isEmpty {
            for cookie in cookies { response.append(.setCookie, cookie.header) }
        }
        applyResponseOperations()
        runResponseFilters(endsHere: endsHere)
        finishResponse(now, isUpgrade: isUpgraded)
    }

    private func finishResponse(_ now: NIODeadline, isUpgrade: Bool) {
        // Handing a head over copies it.
        let request = manager.identity.alwaysSetsRequestIDInResponse ? self.request : nil
        manager.finish(&response, request: request, isUpgrade: isUpgrade, date: worker.date(now))
    }

    /// Most routes change nothing; then nothing is handed over, since handing over copies.
    private func applyResponseOperations() {
        guard let table, let decision else { return }
        guard decision.changesResponseHeaders || !table.responseHeaders.isEmpty else { return }
        table.applyResponseHeaders(decision, to: &response, request: request, facts: facts)
    }

    /// - Parameter endsHere: the head is the whole answer.
    func countAnswer(_ status: Int, endsHere: Bool) {
        cluster?.stats.countAnswer(status, isInternal: identity.isInternal)
        if attempts > 1, status < 500 { cluster?.stats.retrySuccesses += 1 }
        guard request.isGRPC, status == 200 else {
            count(success: status < 500)
            judge(UInt16(clamping: status))
            return
        }
        // What a call came to stands in the head if it is all there is, else in the trailers.
        let call = grpcStatus(response)
        judge(call.map(LocalReply.httpStatus(ofGRPC:)) ?? UInt16(clamping: status))
        if endsHere || call != nil { count(success: call.map { LocalReply.httpStatus(ofGRPC: $0) < 500 } ?? false) }
    }

    /// The trailers of an answer whose head did not say what the call came to.
    func countGRPC(_ trailers: HTTPHead) {
        guard request.isGRPC, response.status == 200, grpcStatus(response) == nil else { return }
        count(success: grpcStatus(trailers).map { LocalReply.httpStatus(ofGRPC: $0) < 500 } ?? false)
    }

    private func count(success: Bool) {
        if success { pool?.stats.successes += 1 } else { pool?.stats.errors += 1 }
    }

    func grpcStatus(_ head: HTTPHead) -> UInt32? {
        guard let range = head.value(.grpcStatus),
            let status = head.withBytes(range, { Decimal.unsigned($0) })
        else { return nil }
        return UInt32(clamping: status)
    }

    /// Tells outlier detection of the answer.
    ///
    /// - Parameter status: of the answer, that of a gRPC call made into one of HTTP.
    private func judge(_ status: UInt16) {
        guard let cluster, cluster.detectsOutliers else { return }
        var status = status
        if let matcher = cluster.config.errorMatcher {
            // What is an error by its code stays that; what is made one is like any other.
            status = matcher.matches(response) ? (500...599).contains(response.status) ? response.status : 500 : 200
        }
        cluster.record(.response(status: status), host: pool?.index ?? -1)
    }

    // MARK: Time

    func armRequestTimers() {
        let timeouts = manager.timeouts
        if let limit = timeouts.request, !requestComplete { requestDeadline = started + limit.timeAmount }
        if let limit = timeouts.maxStream, limit > .zero { lifeDeadline = started + limit.timeAmount }
        if let limit = timeouts.streamIdle, limit > .zero {
            streamIdle = limit.timeAmount
            idleDeadline = started + limit.timeAmount
        }
        if requestDeadline < .distantFuture || lifeDeadline < .distantFuture || idleDeadline < .distantFuture {
            armTimer()
        }
    }

    /// The time-outs of the route take the place of those of the connection manager.
    func armRouteTimers(_ now: NIODeadline) {
        streamIdle = timeouts.idle?.timeAmount
        idleDeadline = streamIdle.map { now + $0 } ?? .distantFuture
        lifeDeadline = timeouts.maxStream.map { started + $0.timeAmount } ?? .distantFuture
        if idleDeadline < .distantFuture || lifeDeadline < .distantFuture { armTimer() }
    }

    /// The request is complete and routed: the limit over all tries begins.
    func startRouteTimer(_ now: NIODeadline) {
        guard cluster != nil, phase != .done else { return }
        if let limit = timeouts.global, routeDeadline == .distantFuture {
            routeDeadline = now + limit.timeAmount
            armTimer()
        }
        if connection != nil { startTryTimer(now) }
    }

    func startTryTimer(_ now: NIODeadline) {
        guard case .trying = phase else { return }
        if let limit = timeouts.perTry { tryDeadline = now + limit.timeAmount }
        if let limit = timeouts.perTryIdle { tryIdleDeadline = now + limit.timeAmount }
        if tryDeadline < .distantFuture || tryIdleDeadline < .distantFuture { armTimer() }
    }

    /// A byte has moved.
    func touch() {
        if let streamIdle { idleDeadline = worker.now + streamIdle }
        if let limit = timeouts.perTryIdle, tryIdleDeadline < .distantFuture {
            tryIdleDeadline = worker.now + limit.timeAmount
        }
    }

    func armTimer() {
        hasTimers = true
        var next = min(routeDeadline, tryDeadline)
        next = min(next, min(tryIdleDeadline, idleDeadline))
        next = min(next, min(lifeDeadline, requestDeadline))
        next = min(next, min(wakeDeadline, tryLifeDeadline))
        if next < .distantFuture { worker.timers.arm(timer, next) }
    }

    func timeReached(_ now: NIODeadline) {
        guard phase != .done, phase != .idle else { return }
        act(now)
        // What the actions left over; an exchange that has ended has no deadline, and one that was begun anew has armed.
        if phase != .done, phase != .idle { armTimer() }
        downstream?.flush()
    }

    private func act(_ now: NIODeadline) {
        if wakeDeadline <= now {
            wakeDeadline = .distantFuture
            if case .delayed = phase { return delayOver() }
            if case .backingOff = phase { return retryNow() }
        }
        if lifeDeadline <= now {
            lifeDeadline = .distantFuture
            return end(with: .maxStreamDuration(requestComplete: requestComplete))
        }
        if requestDeadline <= now {
            requestDeadline = .distantFuture
            server.stats.requestTimeouts += 1
            return end(with: .requestTimeout)
        }
        if routeDeadline <= now {
            routeDeadline = .distantFuture
            cluster?.stats.timeouts += 1
            pool?.stats.timeouts += 1
            if case .trying = phase, connection != nil { cluster?.record(.localTimeout, host: pool?.index ?? -1) }
            return end(with: .responseTimeout)
        }
        if idleDeadline <= now {
            idleDeadline = .distantFuture
            server.stats.idleTimeouts += 1
            return end(with: .streamIdleTimeout(requestComplete: requestComplete))
        }
        if tryLifeDeadline <= now {
            tryLifeDeadline = .distantFuture
            return tryLivedTooLong()
        }
        if tryDeadline <= now || tryIdleDeadline <= now {
            let isIdle = tryDeadline > now
            tryDeadline = .distantFuture
            tryIdleDeadline = .distantFuture
            tryTimedOut(isIdle ? .perTryIdleTimeout : .perTryTimeout)
        }
    }

    private func tryLivedTooLong() {
        cluster?.stats.requestsMaxDuration += 1
        let answer = LocalReply.upstreamMaxStreamDuration(requestComplete: requestComplete)
        guard case .trying = phase else {
            if case .answering = phase { end(with: answer) }
            return
        }
        dropUpstream()
        if shouldRetry(after: .localReset, wasWritten: true) { backOff() } else { reply(answer) }
    }

    private func tryTimedOut(_ answer: LocalReply) {
        guard case .trying = phase else {
            if case .answering = phase { end(with: answer) }
            return
        }
        cluster?.stats.perTryTimeouts += 1
        pool?.stats.timeouts += 1
        cluster?.record(.localTimeout, host: pool?.index ?? -1)
        if hedges(answer) { return }
        dropUpstream()
        if shouldRetryAfterTryTimeout() {
            timedOutBefore = true
            backOff()
        } else {
            reply(answer)
        }
    }

    /// A limit of time is reached: an answer if none was begun, else the client sees its connection end.
    private func end(with answer: LocalReply) {
        guard case .answering = phase else {
            reply(answer)
            return
        }
        facts.flags.insert(answer.flags)
        facts.responseCodeDetails = answer.details
        dropUpstream()
        let downstream = self.downstream
        finish()
        downstream?.abort()
    }
}
