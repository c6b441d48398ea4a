/// What the fault filter does to one request.
public struct FaultDecision: Sendable {
    /// Wait first; flag DI.
    public var delay: Duration?
    /// Then answer; flag FI.
    public var abort: LocalReply?

    public var isNone: Bool { delay == nil && abort == nil }
}

extension FaultPolicy {
    /// - Parameters:
    ///   - cluster: name of the cluster the request is routed to; nil: none.
    ///   - active: faults being injected now.
    public func decide(head: HTTPHead, cluster: String?, active: UInt32, draw: Draw) -> FaultDecision {
        var decision = FaultDecision()
        if let upstreamCluster, upstreamCluster != cluster { return decision }
        for header in headers where !header.matches(head) { return decision }
        if let maxActive, active >= maxActive { return decision }
        if let delay, delay.time > .zero, delay.share.contains(draw: draw.derived(Draw.Question.faultDelay)) {
            decision.delay = delay.time
        }
        if let abort, abort.share.contains(draw: draw.derived(Draw.Question.faultAbort)) {
            switch abort.status {
            case .http(let status):
                decision.abort = LocalReply(
                    status, "fault filter abort", flags: .faultInjected, details: "fault_filter_abort")
            case .grpc(let status):
                decision.abort = LocalReply(
                    LocalReply.httpStatus(ofGRPC: status), "fault filter abort", flags: .faultInjected,
                    details: "fault_filter_abort", grpcStatus: status)
            }
        }
        return decision
    }
}
