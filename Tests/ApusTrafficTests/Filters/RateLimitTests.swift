import ApusCore
import ApusTraffic
import Testing

@Suite struct RateLimitTests {
    private let second: Int64 = 1_000_000_000

    @Test func `a bucket begins full, and fills evenly up to its size`() {
        let bucket = TokenBucket(maxTokens: 2, tokensPerFill: 2, fillInterval: .seconds(2))
        let start = 5 * second
        #expect(bucket.remaining(now: start) == 2)
        #expect(bucket.take(now: start) && bucket.take(now: start) && !bucket.take(now: start))
        #expect(bucket.remaining(now: start) == 0)
        #expect(!bucket.take(now: start + second - 1))
        #expect(bucket.take(now: start + second))
        #expect(!bucket.take(now: start + second))
        #expect(bucket.remaining(now: start + 100 * second) == 2)
        #expect(bucket.secondsToNext(now: start + 100 * second) == 0)
    }

    @Test func `a bucket that never fills, or a clock at its end, does not trap`() {
        let slow = TokenBucket(maxTokens: .max, tokensPerFill: 1, fillInterval: .seconds(315_576_000_000))
        #expect(slow.take(now: .max))
        #expect(!slow.take(now: 0) && !slow.take(now: .min))
        let none = TokenBucket(maxTokens: 0, tokensPerFill: 0, fillInterval: .zero)
        #expect(!none.take(now: second))
    }

    private func descriptor(_ entries: [RateLimitEntry], _ tokens: UInt32, every: Duration) -> LocalRateLimit.Descriptor
    {
        .init(entries: entries, bucket: TokenBucket(maxTokens: tokens, tokensPerFill: 1, fillInterval: every))
    }

    @Test func `of matched descriptors the slowest takes first, and the default bucket last`() {
        let a = RateLimitEntry("k", "a")
        let b = RateLimitEntry("k", "b")
        let limit = LocalRateLimit(
            bucket: TokenBucket(maxTokens: 2, tokensPerFill: 1, fillInterval: .seconds(60)),
            descriptors: [descriptor([a], 5, every: .seconds(1)), descriptor([b], 1, every: .seconds(60))])
        #expect(limit.admit([[a], [b]], now: 0).bucket?.maxTokens == 1)
        let second = limit.admit([[a], [b]], now: 0)
        #expect(!second.isAllowed && second.bucket?.maxTokens == 1)
        // The refusal took nothing from the default bucket.
        #expect(limit.admit([], now: 0).isAllowed)
        #expect(!limit.admit([], now: 0).isAllowed)
        let third = limit.admit([[a]], now: 0)
        #expect(!third.isAllowed && third.bucket?.maxTokens == 2)
        let apart = LocalRateLimit(
            bucket: TokenBucket(maxTokens: 1, tokensPerFill: 1, fillInterval: .seconds(60)),
            descriptors: [descriptor([a], 5, every: .seconds(1))], alwaysTakesDefault: false)
        for _ in 0..<3 { #expect(apart.admit([[a]], now: 0).isAllowed) }
        #expect(LocalRateLimit(bucket: nil).admit([], now: 0).isAllowed)
    }

    @Test(
        "actions describe a request, or leave their rule out",
        arguments: [
            (RateLimitRule.Action.destinationCluster, RateLimitEntry("destination_cluster", "c")),
            (.clientAddress, RateLimitEntry("remote_address", "192.0.2.77")),
            (.maskedClientAddress(v4: 24, v6: 64), RateLimitEntry("masked_remote_address", "192.0.2.0/24")),
            (.constant(key: "generic_key", value: "v"), RateLimitEntry("generic_key", "v")),
            (.requestHeader(HeaderName("x-user"), key: "u", skipsIfAbsent: false), RateLimitEntry("u", "me")),
            (.requestHeader(HeaderName("x-none"), key: "u", skipsIfAbsent: false), nil),
            (.query(bytes("q"), key: "q", skipsIfAbsent: false), RateLimitEntry("q", "1")),
            (.query(bytes("z"), key: "q", skipsIfAbsent: false), nil),
            (
                .headers(
                    [HeaderMatch(name: HeaderName("x-user"), test: .present)], key: "header_match", value: "y",
                    expected: true), RateLimitEntry("header_match", "y")
            ),
            (
                .headers(
                    [HeaderMatch(name: HeaderName("x-user"), test: .present)], key: "header_match", value: "y",
                    expected: false), nil
            ),
            (
                .queries([QueryMatch(name: "q", value: nil)], key: "query_match", value: "y", expected: true),
                RateLimitEntry("query_match", "y")
            ),
        ] as [(RateLimitRule.Action, RateLimitEntry?)])
    func describe(action: RateLimitRule.Action, entry: RateLimitEntry?) {
        let head = get("/p?q=1", [("x-user", "me")])
        let found = RateLimitRule(actions: [action]).describe(head, cluster: "c", client: IPAddress("192.0.2.77"))
        #expect(found == entry.map { [$0] })
    }

    @Test func `an absent header that may be skipped leaves the other entries`() {
        let rule = RateLimitRule(actions: [
            .requestHeader(HeaderName("x"), key: "x", skipsIfAbsent: true), .constant(key: "k", value: "v"),
        ])
        #expect(rule.describe(get("/"), cluster: "", client: nil) == [RateLimitEntry("k", "v")])
        let alone = RateLimitRule(actions: [.requestHeader(HeaderName("x"), key: "x", skipsIfAbsent: true)])
        #expect(alone.describe(get("/"), cluster: "", client: nil) == nil)
    }

    @Test(
        "rules of the virtual host come in as the filter says",
        arguments: [
            (LocalRateLimit.VirtualHostRules.override, true, ["route"]), (.override, false, ["host"]),
            (.include, true, ["route", "host"]), (.ignore, true, ["route"]), (.ignore, false, []),
        ])
    func levels(option: LocalRateLimit.VirtualHostRules, routeHasRules: Bool, expected: [String]) {
        func rule(_ value: String) -> RateLimitRule { RateLimitRule(actions: [.constant(key: "k", value: value)]) }
        let forward = ForwardAction(
            clusters: .cluster(ClusterReference(name: "c", slot: Slot(0))),
            rateLimits: routeHasRules ? [rule("route")] : [])
        let host = VirtualHost(name: "v", domains: ["*"], routes: [], rateLimits: [rule("host")])
        let decision = RouteDecision(
            outcome: .forward(forward, .known(ClusterReference(name: "c", slot: Slot(0)))), virtualHost: host)
        let limit = LocalRateLimit(
            bucket: nil, descriptors: [descriptor([RateLimitEntry("k", "x")], 1, every: .seconds(1))],
            virtualHostRules: option)
        let found = limit.descriptions(decision, head: get("/"), cluster: "c", client: nil)
        #expect(found.map { $0[0].value } == expected)
    }
}
