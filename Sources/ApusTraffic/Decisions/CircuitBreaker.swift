/// Counts of one cluster and priority against its limits. One per loop or shared: the arithmetic is the same.
public struct CircuitBreaker: Hashable, Sendable {
    public var connections: UInt32 = 0
    public var pendingRequests: UInt32 = 0
    public var requests: UInt32 = 0
    public var retries: UInt32 = 0

    public init() {}

    public func allowsConnection(_ limits: CircuitBreakerLimits) -> Bool { connections < limits.maxConnections }

    public func allowsPendingRequest(_ limits: CircuitBreakerLimits) -> Bool {
        pendingRequests < limits.maxPendingRequests
    }

    public func allowsRequest(_ limits: CircuitBreakerLimits) -> Bool { requests < limits.maxRequests }

    /// With a budget, the share of the active and pending requests counts instead of the fixed limit.
    public func allowsRetry(_ limits: CircuitBreakerLimits) -> Bool {
        guard let budget = limits.retryBudget else { return retries < limits.maxRetries }
        let active = Double(requests) + Double(pendingRequests)
        let share = UInt32(clamping: Int64(active * budget.percent / 100))
        return retries < max(share, budget.minConcurrency)
    }
}
