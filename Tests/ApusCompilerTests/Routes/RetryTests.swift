import ApusAPI
import ApusCompiler
import ApusModel
import SwiftProtobuf
import Testing

@Suite struct RetryTests {
    private func policy(
        with objects: [ConfigObject] = [], _ change: (inout HTTPRetry) -> Void
    ) -> XDS.RetryPolicy? {
        let action = Outbound.route(with: objects) {
            var retry = HTTPRetry()
            change(&retry)
            $0.retries = retry
        }.route
        return action.hasRetryPolicy ? action.retryPolicy : nil
    }

    private let sticky = Outbound.destinationRule("sticky", host: "reviews") {
        var hash = ConsistentHash()
        hash.key = .httpHeaderName("x")
        var balancer = LoadBalancerSettings()
        balancer.consistentHash = hash
        var policy = TrafficPolicy()
        policy.loadBalancer = balancer
        $0.trafficPolicy = policy
    }

    @Test func `a rule without retries retries twice on safe conditions, on other hosts`() {
        let policy = Outbound.route { _ in }.route.retryPolicy
        #expect(policy.numRetries.value == 2)
        #expect(policy.retryOn == "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes")
        #expect(policy.retriableStatusCodes.isEmpty)
        #expect(policy.retryHostPredicate.map(\.name) == ["envoy.retry_host_predicates.previous_hosts"])
        #expect(policy.hostSelectionRetryMaxAttempts == 5)
        #expect(!policy.hasPerTryTimeout)
    }

    @Test func `attempts zero means no retry policy`() { #expect(policy { $0.attempts = 0 } == nil) }

    @Test func `the mesh's default policy replaces the built-in one`() {
        let routes = Outbound.routes([Outbound.rule { $0.route = [Outbound.to("reviews")] }]) {
            $0.defaultHttpRetryPolicy = HTTPRetry()
            $0.defaultHttpRetryPolicy?.attempts = 7
        }
        #expect(routes[0].route.retryPolicy.numRetries.value == 7)
        let none = Outbound.routes([Outbound.rule { $0.route = [Outbound.to("reviews")] }]) {
            $0.defaultHttpRetryPolicy = HTTPRetry()
        }
        #expect(!none[0].route.hasRetryPolicy)
    }

    @Test func `attempts and perTryTimeout are taken over`() {
        let policy = policy {
            $0.attempts = 3
            $0.perTryTimeout = .seconds(5)
        }
        #expect(policy?.numRetries.value == 3)
        #expect(policy?.perTryTimeout.seconds == 5)
        #expect(policy?.retryOn == "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes")
    }

    @Test func `status codes in retryOn move to their own list`() {
        let policy = policy {
            $0.attempts = 1
            $0.retryOn = "5xx,503,429"
        }
        #expect(policy?.retryOn == "5xx,retriable-status-codes")
        #expect(policy?.retriableStatusCodes == [503, 429])
    }

    @Test func `retryOn without codes stands as written`() {
        let policy = policy {
            $0.attempts = 1
            $0.retryOn = "5xx,reset"
        }
        #expect(policy?.retryOn == "5xx,reset")
    }

    @Test func `retryRemoteLocalities moves on to other priorities`() {
        let policy = policy {
            $0.attempts = 1
            $0.retryRemoteLocalities = true
        }
        #expect(policy?.retryPriority.name == "envoy.retry_priorities.previous_priorities")
    }

    @Test func `backoff is the base interval`() {
        let policy = policy {
            $0.attempts = 1
            $0.backoff = .milliseconds(40)
        }
        #expect(policy?.retryBackOff.baseInterval.nanos == 40_000_000)
    }

    @Test func `previous hosts are avoided unless the rule or consistent hashing says otherwise`() {
        let told = policy {
            $0.attempts = 1
            $0.retryIgnorePreviousHosts = false
        }
        #expect(told?.retryHostPredicate.isEmpty == true)
        let hashed = policy(with: [sticky]) { $0.attempts = 1 }
        #expect(hashed?.retryHostPredicate.isEmpty == true)
        let both = policy(with: [sticky]) {
            $0.attempts = 1
            $0.retryIgnorePreviousHosts = true
        }
        #expect(both?.retryHostPredicate.count == 1)
    }
}
