/// Counts of one cluster and priority against its limits. One per loop or shared: the arithmetic is the same.
package struct CircuitBreaker: Hashable, Sendable {
    package var connections: UInt32 = 0
    package var pendingRequests: UInt32 = 0
    package var requests: UInt32 = 0
    package var retries: UInt32 = 0

    package init() {}

    package func allowsConnection(_ limits: CircuitBreakerLimits) -> Bool { connections < limits.maxConnections }

    package func allowsPendingRequest(_ limits: CircuitBreakerLimits) -> Bool {
        pendingRequests < limits.maxPendingRequests
    }

    package func allowsRequest(_ limits: CircuitBreakerLimits) -> Bool { requests < limits.maxRequests }

    /// With a budget, the share of the active and pending requests counts instead of the fixed limit.
    package func allowsRetry(_ limits: CircuitBreakerLimits) -> Bool {
        guard let budget = limits.retryBudget else { return retries < limits.maxRetries }
        let active = Double(requests) + Double(pendingRequests)
        let share = UInt32(clamping: Int64(active * budget.percent / 100))
        return retries < max(share, budget.minConcurrency)
    }
}
