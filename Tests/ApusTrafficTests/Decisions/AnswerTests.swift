internal import ApusRegex
internal import ApusTraffic
internal import Testing

@Suite struct RedirectTests {
    private func location(
        _ action: RedirectAction, _ path: String = "/a/b?q=1", host: String = "shop:80", scheme: String = "http",
        prefix: String = "/a"
    ) -> String {
        let head = HTTPHead(method: "GET", path: path, authority: host, scheme: scheme)
        return text(
            action.location(for: head, match: RouteMatch(path: .prefix(bytes(prefix))), isSecure: scheme == "https"))
    }

    @Test func `without changes everything stays`() {
        #expect(location(RedirectAction()) == "http://shop:80/a/b?q=1")
    }

    @Test func `a change of scheme drops the default port of the old one`() {
        #expect(location(RedirectAction(scheme: "https")) == "https://shop/a/b?q=1")
        #expect(location(RedirectAction(scheme: "https"), host: "shop:8080") == "https://shop:8080/a/b?q=1")
        #expect(location(RedirectAction(scheme: "http"), host: "shop:443", scheme: "https") == "http://shop/a/b?q=1")
    }

    @Test func `a new port replaces the old one, a new host has none`() {
        #expect(location(RedirectAction(port: 8443)) == "http://shop:8443/a/b?q=1")
        #expect(location(RedirectAction(host: "new")) == "http://new/a/b?q=1")
        #expect(location(RedirectAction(host: "new", port: 1)) == "http://new:1/a/b?q=1")
    }

    @Test func `a new path keeps the query unless it has one or it is stripped`() {
        #expect(location(RedirectAction(path: .replace(bytes("/x")))) == "http://shop:80/x?q=1")
        #expect(location(RedirectAction(path: .replace(bytes("/x?y")))) == "http://shop:80/x?y")
        #expect(location(RedirectAction(path: .replace(bytes("/x?y")), stripsQuery: true)) == "http://shop:80/x?y")
        #expect(location(RedirectAction(path: .replace(bytes("/x")), stripsQuery: true)) == "http://shop:80/x")
        #expect(location(RedirectAction(stripsQuery: true)) == "http://shop:80/a/b")
    }

    @Test func `a prefix and a regex can be rewritten`() throws {
        #expect(location(RedirectAction(path: .prefix(bytes("/z")))) == "http://shop:80/z/b?q=1")
        let regex = RegexRewrite(pattern: try RE2Pattern("^/(.)/(.)"), substitution: "/\\2/\\1")
        #expect(location(RedirectAction(path: .regex(regex))) == "http://shop:80/b/a?q=1")
    }
}

@Suite struct LocalReplyTests {
    private func write(_ reply: LocalReply, _ request: HTTPHead) -> (HTTPHead, String) {
        var head = HTTPHead()
        let body = reply.write(into: &head, request: request)
        return (head, text(body))
    }

    @Test func `a reply with a body has its length and is plain text`() {
        let (head, body) = write(.noHealthyUpstream, get("/"))
        #expect(head.status == 503 && body == "no healthy upstream")
        #expect(head.text("content-length") == "19" && head.text("content-type") == "text/plain")
    }

    @Test func `HEAD gets the length and no body`() {
        let (head, body) = write(.noHealthyUpstream, HTTPHead(method: "HEAD", path: "/", authority: "a"))
        #expect(head.text("content-length") == "19" && body.isEmpty)
    }

    @Test(arguments: [(LocalReply.noHealthyUpstream, "14"), (.routeNotFound, "12"), (.lowVersion, "2")])
    func `gRPC clients get status 200 and the mapped status`(reply: LocalReply, status: String) {
        let (head, body) = write(reply, get("/", [("content-type", "application/grpc")]))
        #expect(head.status == 200 && body.isEmpty && head.text("grpc-status") == status)
        #expect(head.text("content-type") == "application/grpc")
    }

    @Test func `a message for gRPC is percent-encoded`() {
        let reply = LocalReply(500, "50% ü\n", details: "x")
        let (head, _) = write(reply, get("/", [("content-type", "application/grpc")]))
        #expect(head.text("grpc-message") == "50%25 %C3%BC%0A")
    }

    @Test func `a reset says what happened in body, flags and details`() {
        let reply = LocalReply.upstreamReset(.connectionTimeout, transportFailure: "delayed connect error: 111")
        #expect(
            text(reply.body) == "upstream connect error or disconnect/reset before headers. reset reason: "
                + "connection timeout")
        #expect(
            reply.details == "upstream_reset_before_response_started{connection_timeout|delayed connect error: 111}")
        #expect(reply.flags.text == "UF" && reply.status == 503)
        let again = LocalReply.upstreamReset(.connectionTermination, retried: true)
        #expect(text(again.body).contains("headers. retried and the latest reset reason: connection termination"))
        #expect(again.flags.text == "UC")
        #expect(again.details == "upstream_reset_before_response_started{connection_termination}")
        let overflow = LocalReply.upstreamReset(.overflow)
        #expect(overflow.flags.text == "UO" && write(overflow, get("/")).0.text("x-envoy-overloaded") == "true")
    }

    @Test func `flags are printed in Envoy's order and nothing is a dash`() {
        #expect(ResponseFlags([.upstreamRetryLimitExceeded, .upstreamConnectionFailure]).text == "UF,URX")
        #expect(ResponseFlags().text == "-")
        for name in ResponseFlags.names { #expect(ResponseFlags(shortName: name.short)?.text == name.short) }
    }
}

@Suite struct FaultTests {
    @Test func `abort and delay are drawn apart from each other`() {
        let policy = FaultPolicy(
            delay: .init(time: .seconds(1), share: Fraction(millionths: 500_000)),
            abort: .init(status: .http(418), share: Fraction(millionths: 250_000)))
        var counts = [0, 0, 0, 0]
        for seed in 0..<20_000 as Range<UInt64> {
            let decision = policy.decide(head: get("/"), cluster: "c", active: 0, draw: Draw(seed))
            counts[(decision.delay == nil ? 0 : 1) + (decision.abort == nil ? 0 : 2)] += 1
        }
        #expect((7200...7800).contains(counts[0]) && (7200...7800).contains(counts[1]))
        #expect((2300...2700).contains(counts[2]) && (2300...2700).contains(counts[3]))
    }

    @Test func `headers, cluster and the limit keep a fault away`() {
        let policy = FaultPolicy(
            abort: .init(status: .http(503), share: .all),
            headers: [HeaderMatch(name: HeaderName("x-f"), test: .present)], upstreamCluster: "c", maxActive: 2)
        let asked = get("/", [("x-f", "1")])
        #expect(policy.decide(head: asked, cluster: "c", active: 1, draw: Draw(1)).abort?.status == 503)
        #expect(policy.decide(head: get("/"), cluster: "c", active: 1, draw: Draw(1)).isNone)
        #expect(policy.decide(head: asked, cluster: "d", active: 1, draw: Draw(1)).isNone)
        #expect(policy.decide(head: asked, cluster: "c", active: 2, draw: Draw(1)).isNone)
    }

    @Test func `a gRPC abort carries its own status`() {
        let policy = FaultPolicy(abort: .init(status: .grpc(5), share: .all))
        let reply = policy.decide(head: get("/"), cluster: nil, active: 0, draw: Draw(1)).abort
        #expect(reply?.status == 404 && reply?.grpcStatus == 5 && reply?.flags.text == "FI")
    }
}

@Suite struct CORSTests {
    private let policy = CORSPolicy(
        allowedOrigins: [.exact("https://a.example")], allowedMethods: "GET,PUT", allowedHeaders: "x-h",
        exposedHeaders: "x-e", maxAge: "60", allowsCredentials: true)

    private func preflight(_ origin: String) -> HTTPHead {
        HTTPHead(
            method: "OPTIONS", path: "/", authority: "a",
            fields: [("origin", origin), ("access-control-request-method", "PUT")])
    }

    @Test func `a preflight of an allowed origin is answered here`() {
        guard case .reply(let reply) = policy.decide(head: preflight("https://a.example"), draw: Draw(1)) else {
            Issue.record("no reply")
            return
        }
        var head = HTTPHead()
        _ = reply.write(into: &head, request: get("/"))
        #expect(head.status == 200)
        #expect(
            head.textFields.map { "\($0.name)=\($0.value)" } == [
                "access-control-allow-origin=https://a.example", "access-control-allow-credentials=true",
                "access-control-allow-methods=GET,PUT", "access-control-allow-headers=x-h", "access-control-max-age=60",
                "access-control-expose-headers=x-e",
            ])
    }

    @Test func `what a policy leaves open comes from the level further out, field by field`() {
        let outer = CORSPolicy(
            allowedOrigins: [.exact("https://a.example")], allowedMethods: "GET", maxAge: "60", allowsCredentials: true,
            enabled: .none, forwardsNotMatchingPreflights: false)
        let merged = CORSPolicy(allowedOrigins: [], allowedMethods: "PUT", allowsCredentials: false).filled(from: outer)
        #expect(merged.allowedOrigins.count == 1 && merged.maxAge == "60")
        #expect(merged.allowedMethods == "PUT" && merged.allowsCredentials == false)
        #expect(merged.forwardsNotMatchingPreflights == false && merged.enabled == .all)
    }

    @Test func `a preflight of another origin goes on, or is answered without permission`() {
        if case .pass = policy.decide(head: preflight("https://b.example"), draw: Draw(1)) {
        } else {
            Issue.record("not passed")
        }
        let strict = CORSPolicy(allowedOrigins: [], forwardsNotMatchingPreflights: false)
        if case .reply(let reply) = strict.decide(head: preflight("https://b.example"), draw: Draw(1)) {
            #expect(reply.headers.isEmpty && reply.status == 200)
        } else {
            Issue.record("not answered")
        }
    }

    @Test func `an actual request gets headers on its response, one without origin nothing`() {
        let request = get("/", [("origin", "https://a.example")])
        if case .annotate = policy.decide(head: request, draw: Draw(1)) {} else { Issue.record("not annotated") }
        if case .pass = policy.decide(head: get("/"), draw: Draw(1)) {} else { Issue.record("not passed") }
        var response = HTTPHead(status: 200, fields: [("access-control-allow-origin", "*")])
        policy.annotate(&response, request: request)
        #expect(response.text("access-control-allow-origin") == "https://a.example")
        #expect(response.text("access-control-expose-headers") == "x-e")
    }
}

@Suite struct RetryTests {
    private func state(
        _ conditions: RetryConditions, retries: UInt32 = 1, codes: [UInt16] = [], _ fields: [(String, String)] = []
    ) -> RetryState? {
        var head = get("/", fields)
        return RetryState(
            policy: RetryPolicy(conditions: conditions, retries: retries, statusCodes: codes), head: &head)
    }

    private func retries(_ answer: RetryState.Answer?) -> Bool {
        if case .retry = answer { true } else { false }
    }

    @Test(
        arguments: [
            (RetryConditions.serverError, 500, true), (.serverError, 499, false), (.gatewayError, 500, false),
            (.gatewayError, 503, true), (.retriable4xx, 409, true), (.retriable4xx, 404, false),
            (.retriableStatusCodes, 418, true), (.retriableStatusCodes, 500, false), (.connectFailure, 503, false),
        ] as [(RetryConditions, UInt16, Bool)])
    func `statuses are retried by their conditions`(condition: RetryConditions, status: UInt16, wanted: Bool) {
        var state = state(condition, codes: [418])
        #expect(
            retries(state?.responseReceived(HTTPHead(status: status), breakerAllows: true, random: 0)) == wanted)
    }

    @Test(arguments: [
        (RetryConditions.serverError, UpstreamReset.connectionTermination, true, true),
        (.gatewayError, .connectionTimeout, false, true), (.reset, .remoteReset, true, true),
        (.resetBeforeRequest, .connectionTermination, true, false),
        (.resetBeforeRequest, .connectionTermination, false, true),
        (.connectFailure, .remoteConnectionFailure, false, true), (.connectFailure, .remoteReset, false, false),
        (.refusedStream, .remoteRefusedStream, true, true), (.reset, .overflow, false, false),
    ])
    func `resets are retried by their conditions`(
        condition: RetryConditions, reason: UpstreamReset, started: Bool, wanted: Bool
    ) {
        var state = state(condition)
        #expect(
            retries(state?.resetReceived(reason, requestStarted: started, breakerAllows: true, random: 0)) == wanted)
    }

    @Test func `an overloaded answer is never retried, a rate-limited one only if asked`() {
        let overloaded = HTTPHead(status: 503, fields: [("x-envoy-overloaded", "true")])
        let limited = HTTPHead(status: 429, fields: [("x-envoy-ratelimited", "true")])
        var state = state([.serverError, .envoyRatelimited], retries: 5)
        #expect(state?.responseReceived(overloaded, breakerAllows: true, random: 0) == .no)
        #expect(retries(state?.responseReceived(limited, breakerAllows: true, random: 0)))
    }

    @Test func `gRPC statuses in the headers are retried`() {
        var state = state(.grpcUnavailable)
        let head = HTTPHead(status: 200, fields: [("grpc-status", "14")])
        #expect(retries(state?.responseReceived(head, breakerAllows: true, random: 0)))
        var other = self.state(.grpcUnavailable)
        #expect(
            other?.responseReceived(
                HTTPHead(status: 200, fields: [("grpc-status", "5")]), breakerAllows: true, random: 0)
                == .no)
    }

    @Test func `tries run out and the breaker has a word`() {
        var state = state(.serverError, retries: 1)
        let bad = HTTPHead(status: 500)
        #expect(retries(state?.responseReceived(bad, breakerAllows: true, random: 0)))
        #expect(state?.responseReceived(bad, breakerAllows: true, random: 0) == .exhausted)
        var other = self.state(.serverError)
        #expect(other?.responseReceived(bad, breakerAllows: false, random: 0) == .overflow)
    }

    @Test func `the bound of the back-off doubles up to ten times the base`() {
        var state = state(.serverError, retries: 8)
        var bounds: [Duration] = []
        for _ in 0..<6 {
            // The largest remainder below every bound in question shows the bound itself.
            var longest = Duration.zero
            var probe = state
            for random in [24_999_999, 49_999_999, 99_999_999, 199_999_999, 249_999_999] as [UInt64] {
                var copy = probe
                if case .retry(let delay) = copy?.responseReceived(
                    HTTPHead(status: 500), breakerAllows: true, random: random)
                {
                    longest = max(longest, delay)
                }
            }
            _ = probe?.responseReceived(HTTPHead(status: 500), breakerAllows: true, random: 0)
            state = probe
            bounds.append(longest + .nanoseconds(1))
        }
        #expect(bounds == [25, 50, 100, 200, 250, 250].map { Duration.milliseconds($0) })
    }

    @Test func `retry headers add to the policy and are consumed`() {
        var head = get("/", [("x-envoy-retry-on", "5xx"), ("x-envoy-max-retries", "3")])
        var state = RetryState(policy: nil, head: &head)
        #expect(head.fields.isEmpty)
        for _ in 0..<3 {
            #expect(retries(state?.responseReceived(HTTPHead(status: 500), breakerAllows: true, random: 0)))
        }
        #expect(state?.responseReceived(HTTPHead(status: 500), breakerAllows: true, random: 0) == .exhausted)
        var plain = get("/")
        #expect(RetryState(policy: nil, head: &plain) == nil)
    }

    @Test func `a policy for certain requests leaves the others alone`() {
        let policy = RetryPolicy(
            conditions: .serverError,
            requestHeaders: [HeaderMatch(name: HeaderName(":method"), test: .string(.exact("GET")))])
        var read = get("/")
        var write = HTTPHead(method: "POST", path: "/", authority: "a")
        #expect(RetryState(policy: policy, head: &read) != nil)
        #expect(RetryState(policy: policy, head: &write) == nil)
    }

    @Test func `hosts of earlier tries are passed over if the policy says so`() {
        var head = get("/")
        var state = RetryState(
            policy: RetryPolicy(conditions: .serverError, avoidsPreviousHosts: true, hostSelectionAttempts: 5),
            head: &head)
        let one = SocketAddress.pipe(path: "/1")
        state?.hostTried(one)
        #expect(state?.rejects(one) == true && state?.rejects(.pipe(path: "/2")) == false)
        #expect(state?.hostSelectionAttempts == 5)
    }

    @Test func `a retry budget is a share of the active requests, at least its minimum`() {
        var limits = CircuitBreakerLimits()
        limits.retryBudget = .init(percent: 20, minConcurrency: 3)
        var breaker = CircuitBreaker()
        breaker.retries = 3
        #expect(!breaker.allowsRetry(limits))
        breaker.requests = 100
        #expect(breaker.allowsRetry(limits))
        breaker.retries = 20
        #expect(!breaker.allowsRetry(limits))
    }
}
