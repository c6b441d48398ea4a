internal import ApusTraffic
internal import NIOCore

/// A try that took too long and goes on beside the newest one, until one of them answers.
internal final class HedgedTry: UpstreamSink {
    /// Set until this try, or the request, is over.
    var exchange: HTTPExchange?
    let stream: UpstreamStream
    let pool: HostPool?

    init(_ exchange: HTTPExchange, _ stream: UpstreamStream, _ pool: HostPool?) {
        self.exchange = exchange
        self.stream = stream
        self.pool = pool
    }

    override func upstreamHead(_ stream: UpstreamStream) {
        if !stream.facts.isInterim { exchange?.hedgeAnswered(self) }
    }

    override func upstreamFailed(_ reason: UpstreamReset, transportFailure: String) { exchange?.hedgeFailed(self) }
    override func upstreamEnded() { exchange?.hedgeFailed(self) }
    /// Of the turn in which the answer went over to the exchange.
    override func upstreamReadComplete() { exchange?.downstream?.flush() }
}

extension HTTPExchange {
    /// Lets a try that takes too long go on, and begins the next one if there is one left.
    ///
    /// - Returns: false if the try has to end.
    func hedges(_ answer: LocalReply) -> Bool {
        guard timeouts.hedges, retry != nil, let stream = connection, requestComplete,
            answer.details == LocalReply.perTryTimeout.details
        else { return false }
        // Without a try left the slow one has until the limit over all of them.
        guard shouldHedge() else { return true }
        let hedge = HedgedTry(self, stream, pool)
        stream.handOver(to: hedge)
        hedges.append(hedge)
        connection = nil
        timedOutBefore = true
        backOff()
        return true
    }

    func hedgeAnswered(_ hedge: HedgedTry) {
        guard let index = hedges.firstIndex(where: { $0 === hedge }) else { return }
        guard phase == .trying || phase == .backingOff, !isRedirecting, !dropsAnswer else { return }
        if retry?.callsForRetry(hedge.stream.head) ?? false {
            // No better than what is being tried.
            hedges.remove(at: index)
            hedge.exchange = nil
            hedge.pool?.stats.errors += 1
            hedge.stream.abandon()
            return giveUpIfAlone()
        }
        hedges.remove(at: index)
        // What was newest makes room.
        let old = connection
        let oldPool = pool
        connection = nil
        if let old {
            cluster?.stats.resetsSent += 1
            old.abandon()
        } else if case .trying = phase {
            oldPool?.cancel(self)
        }
        lastFailure = nil
        wakeDeadline = .distantFuture
        phase = .trying
        headWritten = true
        connection = hedge.stream
        pool = hedge.pool
        if let pool { facts.upstreamHost = pool.name }
        hedge.stream.handOver(to: self)
        dropHedges()
        headReceived(hedge.stream)
    }

    func hedgeFailed(_ hedge: HedgedTry) {
        guard let index = hedges.firstIndex(where: { $0 === hedge }) else { return }
        hedges.remove(at: index)
        hedge.exchange = nil
        hedge.pool?.stats.errors += 1
        giveUpIfAlone()
    }

    /// The newest try is lost: its answer waits for the older ones.
    func waitsForHedges(_ answer: LocalReply) -> Bool {
        guard !hedges.isEmpty else { return false }
        lastFailure = answer
        pool = nil
        return true
    }

    private func giveUpIfAlone() {
        guard hedges.isEmpty, let answer = lastFailure else { return }
        lastFailure = nil
        reply(answer)
    }

    func dropHedges() {
        let all = hedges
        hedges = []
        for hedge in all {
            hedge.exchange = nil
            cluster?.stats.resetsSent += 1
            hedge.stream.abandon()
        }
    }
}
