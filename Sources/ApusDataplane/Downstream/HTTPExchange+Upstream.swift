internal import ApusCore
internal import ApusTraffic
internal import NIOCore

// The tries: choosing a host, sending, judging the answer, trying again.
extension HTTPExchange {
    /// The decision is to forward; the head is final but for what depends on the host.
    func forwardRequest() {
        guard let cluster, let forward else { return }
        let now = worker.now
        server.stats.routedTotal += 1
        keepsBody = retry != nil || forward.internalRedirects != nil
        startShadows(forward)
        cluster.stats.requestsActive += 1
        armRouteTimers(now)
        if requestComplete { startRouteTimer(now) }
        startTry()
    }

    func startTry() {
        guard let cluster else { return }
        attempts += 1
        facts.upstreamRequestAttempts = attempts
        phase = .trying
        headWritten = false
        sawAnswer = false
        dropsAnswer = false
        tryDeadline = .distantFuture
        tryIdleDeadline = .distantFuture
        tryLifeDeadline = .distantFuture
        guard let pool = pickHost(cluster) else {
            cluster.stats.noHealthyHost += 1
            reply(.noHealthyUpstream)
            return
        }
        self.pool = pool
        facts.upstreamHost = pool.name
        if forward?.endsTunnel(request) ?? false {
            pool.tunnel(self)
        } else {
            pool.request(self, version: request.version)
        }
    }

    func tryReady(_ connection: UpstreamStream) {
        guard phase == .trying, let cluster else { return connection.abandon() }
        self.connection = connection
        cluster.record(.localSuccess, host: pool?.index ?? -1)
        let now = worker.now
        tryStarted = now
        if let limit = cluster.config.maxStreamDuration {
            tryLifeDeadline = now + limit.timeAmount
            armTimer()
        }
        facts.upstreamLocalAddress = connection.localText
        finishHeadForHost(connection)
        // What follows the head of an upgrade over HTTP/2 is no body.
        let chunked = framing == .chunked && !(wantsUpgrade && request.version == .http2)
        connection.writeHead(
            request, framing: chunked ? .chunked : .asIs, upgrade: wantsUpgrade,
            endsHere: requestComplete && body.readableBytes == 0 && framing == .none && !hasRequestTrailers)
        headWritten = true
        if body.readableBytes > 0 {
            cluster.stats.bytesSent += UInt64(body.readableBytes)
            connection.writeBody(body)
            if !keepsBody { body = ByteBuffer() }
        }
        if requestComplete {
            endUpstreamBody()
            startTryTimer(now)
        }
        resumeDownstream()
    }

    func tryWritabilityChanged(_ isWritable: Bool) {
        if isWritable { resumeDownstream() } else { pauseDownstream() }
    }

    // MARK: Answers

    func headReceived(_ connection: UpstreamStream) {
        guard phase == .trying || phase == .answering else { return }
        touch()
        if connection.facts.isInterim {
            if manager.proxies100Continue { downstream?.writeInterim(connection.head) }
            return
        }
        let now = worker.now
        sawAnswer = true
        facts.firstUpstreamResponseByte = (now - started).nanoseconds / 1000
        tryDeadline = .distantFuture
        // The connection gets this exchange's memory for its next head: nothing is copied.
        swap(&response, &connection.head)
        let status = response.status
        countAnswer(Int(status), endsHere: connection.facts.framing == .none)
        if cluster?.isActivelyChecked ?? false, response.contains(ClusterRuntime.immediateFailure) {
            cluster?.failImmediately(pool?.index ?? -1)
        }
        if shouldRetryAnswer() {
            timedOutBefore = false
            if connection.facts.framing == .none, connection.facts.close == false, requestComplete {
                // Nothing follows, so the connection is as good as new; the try begins when it has been given back.
                dropsAnswer = true
                return
            }
            let old = self.connection
            self.connection = nil
            old?.abandon()
            backOff()
            return
        }
        if followsRedirect() {
            if connection.facts.framing == .none, connection.facts.close == false {
                // As with a retry: the new round begins when the connection has been given back.
                dropsAnswer = true
                return
            }
            let old = self.connection
            self.connection = nil
            old?.abandon()
            startRedirect()
            return
        }
        phase = .answering
        if connection.facts.isUpgrade { isUpgraded = true }
        // Header operations may print these.
        facts.responseCode = status
        facts.responseCodeDetails = "via_upstream"
        if connection.facts.framing == .none { grpcCount?.status(grpcStatus(response)) }
        finishUpstreamResponse(now, endsHere: connection.facts.framing == .none)
        grpcWeb?.response(&response, endsHere: connection.facts.framing == .none)
        downstream?.writeHead(
            response, isUpgrade: connection.facts.isUpgrade, endsHere: connection.facts.framing == .none)
        if let downstream, !downstream.isWritable { connection.pauseReading() }
    }

    func dataReceived(_ data: ByteBuffer) {
        guard phase == .answering, !dropsAnswer else { return }
        touch()
        let count = UInt64(data.readableBytes)
        cluster?.stats.bytesReceived += count
        grpcCount?.response(data)
        if grpcWeb != nil {
            webAnswer(data)
        } else if let compressor {
            facts.bytesSent += count
            if let packed = compressor.compress(data) { downstream?.writeData(packed) }
        } else {
            facts.bytesSent += count
            downstream?.writeData(data)
        }
        if let downstream, !downstream.isWritable { connection?.pauseReading() }
    }

    func trailersReceived(_ stream: UpstreamStream) {
        guard phase == .answering, !dropsAnswer else { return }
        touch()
        swap(&responseTrailers, &stream.trailers)
        hasResponseTrailers = true
        countGRPC(responseTrailers)
        grpcCount?.status(grpcStatus(responseTrailers))
        if grpcWeb != nil { webTrailers() }
    }

    func answerEnded() {
        connection = nil
        if dropsAnswer {
            dropsAnswer = false
            afterDroppedAnswer()
            return
        }
        guard phase == .answering else { return }
        complete()
    }

    func tryFailed(_ reason: UpstreamReset, transportFailure: String) {
        let wasWritten = headWritten
        connection = nil
        headWritten = false
        switch phase {
        case .idle, .done, .delayed, .buffering, .backingOff:
            return
        case .answering:
            pool?.stats.errors += 1
            facts.flags.insert(reason.flag)
            facts.responseCodeDetails = "upstream_reset_after_response_started{\(reason.details)}"
            cluster?.stats.resetsReceived += 1
            let downstream = self.downstream
            finish()
            downstream?.abort()
        case .trying:
            if dropsAnswer {
                dropsAnswer = false
                afterDroppedAnswer()
                return
            }
            if reason != .overflow { pool?.stats.errors += 1 }
            if reason != .overflow { cluster?.record(.localFailure, host: pool?.index ?? -1) }
            if !reason.isConnectFailure, reason != .overflow { cluster?.stats.resetsReceived += 1 }
            if shouldRetry(after: reason, wasWritten: wasWritten) {
                timedOutBefore = false
                backOff()
                return
            }
            facts.upstreamTransportFailureReason = transportFailure
            if waitsForHedges(.upstreamReset(reason, transportFailure: transportFailure, retried: attempts > 1)) {
                return
            }
            reply(.upstreamReset(reason, transportFailure: transportFailure, retried: attempts > 1))
        }
    }

    // MARK: Trying again

    /// The verdict is to try again; `retryDelay` says when.
    func backOff() {
        phase = .backingOff
        tryLifeDeadline = .distantFuture
        headWritten = false
        pool = nil
        let now = worker.now
        let delay = retryDelay.timeAmount
        if delay <= .nanoseconds(0) {
            // In a turn of its own: a host that fails at once must not be tried again from within its own failure.
            wakeDeadline = now
        } else {
            wakeDeadline = now + delay
        }
        armTimer()
    }

    func retryNow() {
        wakeDeadline = .distantFuture
        if isRedirecting { redirectNow() } else { startTry() }
        connection?.flush()
        downstream?.flush()
    }

    // MARK: The end

    /// Lets go of the upstream in the middle of a try.
    func dropUpstream() {
        let pool = self.pool
        let connection = self.connection
        self.connection = nil
        headWritten = false
        if let connection {
            cluster?.stats.resetsSent += 1
            connection.abandon()
        } else if case .trying = phase {
            pool?.cancel(self)
        }
        for shadow in shadows where !requestComplete { shadow.cancel() }
    }

    /// The answer is complete.
    func complete() {
        let downstream = self.downstream
        if let compressor {
            if let rest = compressor.finish() { downstream?.writeData(rest) }
            self.compressor = nil
        }
        finish()
        if hasResponseTrailers, grpcWeb == nil {
            downstream?.writeEnd(trailers: responseTrailers)
        } else {
            downstream?.writeEnd()
        }
    }

    /// Counts, logs, and leaves nothing behind.
    func finish() {
        guard phase != .done, phase != .idle else { return }
        phase = .done
        let now = worker.now
        if hasTimers {
            routeDeadline = .distantFuture
            tryDeadline = .distantFuture
            tryIdleDeadline = .distantFuture
            tryLifeDeadline = .distantFuture
            idleDeadline = .distantFuture
            lifeDeadline = .distantFuture
            requestDeadline = .distantFuture
            wakeDeadline = .distantFuture
        }
        facts.lastDownstreamByte = (now - started).nanoseconds / 1000
        server.stats.requestsActive -= 1
        server.stats.requestTime.record((now - started).nanoseconds / 1_000_000)
        if facts.responseCode != 0 { server.stats.answers.countClass(Int(facts.responseCode)) }
        if let cluster, attempts > 0 { cluster.stats.requestsActive -= 1 }
        releaseRetry()
        if !manager.accessLogs.isEmpty {
            AccessLogging.write(
                manager.accessLogs, worker, request: request, response: facts.responseCode == 0 ? nil : response,
                trailers: hasResponseTrailers ? responseTrailers : nil, facts: facts, draw: draw)
        }
        pool = nil
        connection = nil
        retry = nil
        forward = nil
        if !shadows.isEmpty { shadows = [] }
        if !hedges.isEmpty { dropHedges() }
        timer.owner = nil
    }
}
