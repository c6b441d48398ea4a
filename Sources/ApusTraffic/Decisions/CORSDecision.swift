/// What the CORS filter does to one request.
public enum CORSDecision: Sendable {
    /// Not a CORS request, or the origin is not allowed: on it goes.
    case pass
    /// An actual request of an allowed origin: its response gets the headers.
    case annotate
    /// A preflight, answered here.
    case reply(LocalReply)
}

extension CORSPolicy {
    /// What this policy leaves open is taken from one further out, each field for itself; the share is this policy's.
    public func filled(from outer: CORSPolicy) -> CORSPolicy {
        CORSPolicy(
            allowedOrigins: allowedOrigins.isEmpty ? outer.allowedOrigins : allowedOrigins,
            allowedMethods: allowedMethods.isEmpty ? outer.allowedMethods : allowedMethods,
            allowedHeaders: allowedHeaders.isEmpty ? outer.allowedHeaders : allowedHeaders,
            exposedHeaders: exposedHeaders.isEmpty ? outer.exposedHeaders : exposedHeaders,
            maxAge: maxAge.isEmpty ? outer.maxAge : maxAge,
            allowsCredentials: allowsCredentials ?? outer.allowsCredentials,
            allowsPrivateNetwork: allowsPrivateNetwork ?? outer.allowsPrivateNetwork, enabled: enabled,
            forwardsNotMatchingPreflights: forwardsNotMatchingPreflights ?? outer.forwardsNotMatchingPreflights)
    }

    public func decide(head: HTTPHead, draw: Draw) -> CORSDecision {
        guard enabled.contains(draw: draw.derived(Draw.Question.cors)) else { return .pass }
        guard let origin = head.value(.origin), !origin.isEmpty else { return .pass }
        let isPreflight =
            head.method == .options
            && head.value(.accessControlRequestMethod).map { !$0.isEmpty } ?? false
        guard allows(origin, head) else {
            return isPreflight && !(forwardsNotMatchingPreflights ?? true)
                ? .reply(LocalReply(200, details: "cors_response")) : .pass
        }
        guard isPreflight else { return .annotate }
        var reply = LocalReply(200, details: "cors_response")
        reply.headers.append((HeaderToken.accessControlAllowOrigin.name, head.withBytes(origin) { Array($0) }))
        if allowsCredentials ?? false {
            reply.headers.append((HeaderToken.accessControlAllowCredentials.name, Array("true".utf8)))
        }
        func add(_ token: HeaderToken, _ value: String) {
            if !value.isEmpty { reply.headers.append((token.name, Array(value.utf8))) }
        }
        add(.accessControlAllowMethods, allowedMethods)
        add(.accessControlAllowHeaders, allowedHeaders)
        add(.accessControlMaxAge, maxAge)
        add(.accessControlExposeHeaders, exposedHeaders)
        if allowsPrivateNetwork ?? false, head.text("access-control-request-private-network") == "true" {
            add(.accessControlAllowPrivateNetwork, "true")
        }
        return .reply(reply)
    }

    /// Adds the headers to the response of an actual request.
    public func annotate(_ response: inout HTTPHead, request: HTTPHead) {
        guard let origin = request.value(.origin) else { return }
        let bytes = request.withBytes(origin) { Array($0) }
        response.replace(.accessControlAllowOrigin, bytes)
        if allowsCredentials ?? false { response.replace(.accessControlAllowCredentials, "true" as StaticString) }
        if !exposedHeaders.isEmpty { response.replace(.accessControlExposeHeaders, exposedHeaders) }
    }

    private func allows(_ origin: ByteRange, _ head: HTTPHead) -> Bool {
        head.withBytes(origin) { bytes in
            allowedOrigins.contains { match in
                // An exact `*` is any origin.
                if case .exact(let text) = match.pattern, text == [UInt8(ascii: "*")] { return true }
                return match.matches(bytes)
            }
        }
    }
}
