import ApusAPI
import ApusCore
import ApusTraffic
import SwiftProtobuf
import Testing

@Suite struct RetryExtensionTests {
    private func state(_ policy: RetryPolicy, _ fields: [(String, String)] = []) -> RetryState? {
        var head = get("/", fields)
        return RetryState(policy: policy, head: &head)
    }

    private func wait(_ answer: RetryState.Answer?) -> Duration? {
        if case .retry(let after)? = answer { after } else { nil }
    }

    @Test func `an answer that says when to come back is obeyed, up to the limit`() {
        let policy = RetryPolicy(
            conditions: .serverError, retries: 9,
            resetHeaders: [
                .init(name: HeaderName("retry-after"), format: .seconds),
                .init(name: HeaderName("x-reset"), format: .unixTimestamp),
            ], maxResetInterval: .seconds(10))
        var state = state(policy)
        func answer(_ fields: [(String, String)]) -> Duration? {
            wait(
                state?.responseReceived(
                    HTTPHead(status: 503, fields: fields), breakerAllows: true, random: 3, wallSeconds: 1000))
        }
        #expect(answer([("retry-after", "2")]) == .seconds(2) + .nanoseconds(3))
        #expect(answer([("x-reset", "1004")]) == .seconds(4) + .nanoseconds(3))
        // In the past, too far away, no number: the usual back-off.
        for fields in [[("x-reset", "999")], [("retry-after", "11")], [("retry-after", "soon")], []] {
            #expect(answer(fields) == .nanoseconds(3))
        }
    }

    @Test func `the client may name headers that call for a retry`() {
        let policy = RetryPolicy(conditions: .retriableHeaders)
        var state = state(policy, [("x-envoy-retriable-header-names", "X-Again, x-more")])
        let plain = HTTPHead(status: 200)
        #expect(state?.responseReceived(plain, breakerAllows: true, random: 0) == .no)
        let marked = HTTPHead(status: 200, fields: [("x-again", "")])
        #expect(state?.responseReceived(marked, breakerAllows: true, random: 0) != .no)
    }

    @Test func `hosts are passed over by address, canary mark and metadata`() {
        let host = SocketAddress.ip(IPAddress("10.0.0.1")!, port: 80)
        var previous = state(RetryPolicy(conditions: .reset, avoidsPreviousHosts: true))
        #expect(previous?.rejects(host) == false)
        previous?.hostTried(host)
        #expect(previous?.rejects(host) == true)
        let canaries = state(RetryPolicy(conditions: .reset, avoidsCanaries: true))
        #expect(canaries?.rejects(host, metadata: ["canary": .bool(true)]) == true)
        #expect(canaries?.rejects(host, metadata: ["canary": .bool(false)]) == false)
        let marked = state(RetryPolicy(conditions: .reset, avoidedMetadata: ["v": .string("1"), "z": .string("a")]))
        #expect(marked?.rejects(host, metadata: ["v": .string("1"), "z": .string("a"), "more": .null]) == true)
        #expect(marked?.rejects(host, metadata: ["v": .string("1")]) == false)
    }

    @Test func `priorities tried are left out after every so many tries`() {
        var state = state(RetryPolicy(conditions: .reset, leavesPrioritiesEvery: 2))
        #expect(state?.leftPriorities == [])
        state?.priorityTried(0)
        #expect(state?.leftPriorities == [])
        state?.priorityTried(0)
        #expect(state?.leftPriorities == [0])
        state?.priorityTried(1)
        state?.priorityTried(2)
        #expect(state?.leftPriorities == [0, 1, 2])
    }

    @Test func `a choice without priorities falls back to all of them`() {
        func host(_ port: UInt16) -> Endpoint { Endpoint(address: .ip(IPAddress("10.0.0.1")!, port: port)) }
        let table = EndpointTable(
            name: "c",
            groups: [(Locality(), 0, nil, [host(1)]), (Locality(), 1, nil, [host(2)]), (Locality(), 2, nil, [host(3)])])
        let config = ClusterConfig(name: "c", slot: Slot(0), discovery: .fixed, endpoints: table)
        var balancer = ClusterBalancer(config: config, table: table, draw: 1)
        var random = SeededRandom(seed: 1)
        #expect(balancer.pick(withoutPriorities: [], random: &random) == 0)
        #expect(balancer.pick(withoutPriorities: [0], random: &random) == 1)
        #expect(balancer.pick(withoutPriorities: [0, 1], random: &random) == 2)
        #expect(balancer.pick(withoutPriorities: [0, 1, 2], random: &random) == 0)
    }

    @Test func `what Istio sends for retries elsewhere is accepted`() throws {
        let config = try packed(
            Envoy_Extensions_Retry_Priority_PreviousPriorities_V3_PreviousPrioritiesConfig.with {
                $0.updateFrequency = 2
            })
        let routes = Sample.routes {
            $0.virtualHosts[0].routes[0].route.retryPolicy = .with {
                $0.retryOn = "connect-failure,refused-stream"
                $0.retryPriority.name = "envoy.retry_priorities.previous_priorities"
                $0.retryPriority.typedConfig = config
            }
        }
        #expect(try refusal(.route, "r", routes) == nil)
        let never = Sample.routes { $0.virtualHosts[0].routes[0].route.hedgePolicy.hedgeOnPerTryTimeout = false }
        #expect(try refusal(.route, "r", never) == nil)
        let status = Sample.routes {
            $0.virtualHosts[0].routes[0].route.internalRedirectPolicy.redirectResponseCodes = [302, 200]
        }
        #expect(try refusal(.route, "r", status)?.contains("200 is not a redirect") == true)
    }
}
