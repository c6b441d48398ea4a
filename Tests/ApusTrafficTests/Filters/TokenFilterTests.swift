import ApusAPI
import ApusCore
import ApusIdentity
import ApusTraffic
import Crypto
import SwiftProtobuf
import Testing

/// Tokens signed with a secret: what is tested here is what happens with good and bad ones.
private struct Issuer {
    let name: String
    let key: SymmetricKey

    init(_ name: String) {
        self.name = name
        key = SymmetricKey(data: Array("the secret of \(name)".utf8))
    }

    var keys: String {
        #"{"keys":[{"kty":"oct","k":"\#(Base64URL.encode(key.withUnsafeBytes { Array($0) }))"}]}"#
    }

    func token(_ more: String = "", expires: Int = 2000) -> String {
        let claims = #"{"iss":"\#(name)","sub":"alice","exp":\#(expires)\#(more)}"#
        let content = Base64URL.encode(#"{"alg":"HS256"}"#.utf8) + "." + Base64URL.encode(claims.utf8)
        return content + "."
            + Base64URL.encode(HMAC<SHA256>.authenticationCode(for: Array(content.utf8), using: key))
    }

    func provider(_ change: (inout Message) -> Void = { _ in }) -> Message {
        var message = Message()
        message.issuer = name
        message.localJwks.inlineString = keys
        message.payloadInMetadata = "payload"
        change(&message)
        return message
    }

    typealias Message = Envoy_Extensions_Filters_Http_JwtAuthn_V3_JwtProvider
}

@Suite struct TokenFilterTests {
    private typealias Config = Envoy_Extensions_Filters_Http_JwtAuthn_V3_JwtAuthentication
    private typealias Requirement = Envoy_Extensions_Filters_Http_JwtAuthn_V3_JwtRequirement

    private let one = Issuer("one")
    private let two = Issuer("two")

    private func provider(_ name: String) -> Requirement { .with { $0.providerName = name } }

    private var missing: Requirement { .with { $0.allowMissing = Google_Protobuf_Empty() } }

    private func any(_ parts: [Requirement]) -> Requirement { .with { $0.requiresAny.requirements = parts } }

    /// As Istio asks: a token may be missing, and is good if it is there.
    private func config(_ providers: [Issuer.Message]) -> Config {
        var config = Config()
        config.bypassCorsPreflight = true
        let names = providers.indices.map { "origins-\($0)" }
        for (name, provider) in zip(names, providers) { config.providers[name] = provider }
        let optional = names.map { any([provider($0), missing]) }
        let all =
            optional.count == 1
            ? optional[0] : any(names.map(provider) + [.with { $0.requiresAll.requirements = optional }])
        config.rules = [
            .with {
                $0.match.prefix = "/"
                $0.requires = all
            }
        ]
        return config
    }

    private func listener(_ config: Config) throws -> ListenerMessage {
        let config = try packed(config)
        var manager = try Sample.manager()
        manager.httpFilters.insert(
            .with {
                $0.name = "envoy.filters.http.jwt_authn"
                $0.typedConfig = config
            }, at: 0)
        return try Sample.listener(manager: manager)
    }

    private func manager(_ config: Config) throws -> String? { try refusal(.listener, "l", listener(config)) }

    private func filter(_ providers: [Issuer.Message]) throws -> TokenFilter {
        var store = ConfigStore()
        _ = try store.put(.listener, "l", listener(config(providers)))
        _ = try store.put(.route, "r", Sample.routes())
        guard case .http(let manager)? = store.configuration.listeners.first?.chains[0].filter,
            case .tokens(let filter, _)? = manager.filters.first
        else { throw Missing() }
        return filter
    }

    private struct Missing: Error {}

    private func judge(_ filter: TokenFilter, _ head: inout HTTPHead) -> TokenVerdict {
        var lookups: UInt64 = 0
        return filter.judge(&head, now: 1500, draw: Draw(1), lookups: &lookups)
    }

    private func status(_ filter: TokenFilter, _ head: HTTPHead) -> TokenStatus? {
        var head = head
        if case .denied(let status) = judge(filter, &head) { return status }
        return nil
    }

    @Test func `a token may be missing, and must be good if it is there`() throws {
        let filter = try filter([one.provider()])
        #expect(status(filter, get("/")) == nil)
        #expect(status(filter, get("/", [("authorization", "Bearer \(one.token())")])) == nil)
        #expect(status(filter, get("/", [("authorization", "Basic YTpi")])) == nil)
        #expect(status(filter, get("/", [("authorization", "Bearer \(two.token())")])) == .unknownIssuer)
        #expect(status(filter, get("/", [("authorization", "Bearer \(one.token(expires: 1))")])) == .expired)
        #expect(status(filter, get("/?access_token=\(one.token())")) == nil)
        #expect(status(filter, get("/?access_token=x")) == .badFormat)
        // A good one beside a bad one, in either place.
        let (good, bad) = (one.token(), one.token(expires: 1))
        #expect(status(filter, get("/?access_token=\(bad)", [("authorization", "Bearer \(good)")])) == .expired)
        #expect(status(filter, get("/?access_token=\(good)", [("authorization", "Bearer \(bad)")])) == .expired)
    }

    @Test func `of several issuers in one place any may have signed`() throws {
        let filter = try filter([one.provider(), two.provider()])
        for token in [one.token(), two.token()] {
            #expect(status(filter, get("/", [("authorization", "Bearer \(token)")])) == nil)
        }
        #expect(status(filter, get("/")) == nil)
        #expect(status(filter, get("/", [("authorization", "Bearer \(Issuer("three").token())")])) == .unknownIssuer)
        #expect(status(filter, get("/", [("authorization", "Bearer \(two.token(expires: 1))")])) == .expired)
    }

    @Test func `the token is taken out, claims are put in, and what the client sent there is gone`() throws {
        let claims = #","level":7,"half":-1.5,"ok":true,"a":{"b":"c"},"list":["x"],"line":"a\r\nb: c""#
        let names = ["sub", "level", "half", "ok", "a.b", "list", "line", "none"]
        let filter = try filter([
            one.provider {
                $0.forwardPayloadHeader = "x-payload"
                $0.claimToHeaders = names.map { name in
                    .with {
                        $0.headerName = "x-\(name)"
                        $0.claimName = name
                    }
                }
            }
        ])
        var head = get(
            "/a?b=1&access_token=\(one.token(claims))&c=2", [("x-sub", "root"), ("x-none", "y"), ("x-payload", "z")])
        guard case .allowed(let said, _) = judge(filter, &head) else {
            Issue.record("denied")
            return
        }
        #expect(head.text(head.path) == "/a?b=1&c=2")
        #expect(head.text("x-sub") == "alice")
        #expect(head.text("x-level") == "7")
        #expect(head.text("x-half") == "-1.500000")
        #expect(head.text("x-ok") == "true")
        #expect(head.text("x-a.b") == "c")
        #expect(head.text("x-list") == Base64.encode(bytes(#"["x"]"#)))
        #expect(head.text("x-line") == nil)
        #expect(head.text("x-none") == nil)
        #expect(head.count(HeaderName("x-payload")) == 1)
        #expect(said?.value(at: ["payload", "a", "b"]) == .string("c"))

        head = get("/?access_token=\(one.token())")
        _ = judge(filter, &head)
        #expect(head.text(head.path) == "/")
        head = get("/", [("x-sub", "root")])
        _ = judge(filter, &head)
        #expect(head.text("x-sub") == nil)
    }

    @Test func `places that are named take the place of the usual ones`() throws {
        let filter = try filter([
            one.provider {
                $0.fromHeaders = [
                    .with {
                        $0.name = "x-token"
                        $0.valuePrefix = "Token "
                    }
                ]
                $0.fromParams = ["t"]
                $0.fromCookies = ["session"]
                $0.forward = true
            }
        ])
        let bad = one.token(expires: 1)
        #expect(status(filter, get("/", [("authorization", "Bearer \(bad)")])) == nil)
        #expect(status(filter, get("/", [("x-token", "Token \(bad)")])) == .expired)
        #expect(status(filter, get("/", [("x-token", bad)])) == nil)
        #expect(status(filter, get("/?t=\(bad)")) == .expired)
        #expect(status(filter, get("/?%74=\(bad)")) == .expired)
        #expect(status(filter, get("/", [("cookie", "a=b; session=\(bad)")])) == .expired)
        var head = get("/", [("x-token", "Token \(one.token())")])
        _ = judge(filter, &head)
        #expect(head.contains(HeaderName("x-token")))
    }

    @Test func `a preflight carries no token`() throws {
        let filter = try filter([one.provider()])
        func ask(_ fields: [(String, String)]) -> HTTPHead {
            HTTPHead(
                method: "OPTIONS", path: "/", authority: "a", fields: fields + [("authorization", "Bearer x")])
        }
        #expect(status(filter, ask([("origin", "http://a"), ("access-control-request-method", "GET")])) == nil)
        #expect(status(filter, ask([("origin", "http://a")])) == .badFormat)
    }

    @Test func `words of scope are a list for conditions`() throws {
        let filter = try filter([one.provider { $0.normalizePayloadInMetadata.spaceDelimitedClaims = ["scope"] }])
        var head = get("/", [("authorization", "Bearer \(one.token(#","scope":"read write""#))")])
        guard case .allowed(let said?, _) = judge(filter, &head) else {
            Issue.record("nothing was said")
            return
        }
        let metadata: DynamicMetadata = [TokenFilter.name: said]
        func matches(_ value: MetadataMatch.Value, _ path: [String] = ["payload", "scope"]) -> Bool {
            MetadataMatch(filter: TokenFilter.name, path: path, value: value).matches(metadata)
        }
        #expect(matches(.listWith(.string(.exact("write")))))
        #expect(!matches(.listWith(.string(.exact("writ")))))
        #expect(!matches(.string(.exact("read write"))))
        #expect(matches(.either([.null, .listWith(.string(.exact("read")))])))
        #expect(matches(.string(.exact("alice")), ["payload", "sub"]))
        #expect(matches(.exactly(2000), ["payload", "exp"]))
        #expect(matches(.number(from: 2000, until: 2001), ["payload", "exp"]))
        #expect(matches(.present(true), ["payload", "sub"]))
        #expect(!matches(.present(true), ["payload", "subject"]))
        let inverted = MetadataMatch(
            filter: TokenFilter.name, path: ["payload", "x"], value: .string(.exact("y")), isInverted: true)
        #expect(inverted.matches(metadata))
        #expect(inverted.matches([:]))
    }

    @Test func `a good token has the request routed again, by its claims`() throws {
        let filter = try filter([one.provider { $0.clearRouteCache_p = true }])
        let match = MetadataMatch(
            filter: TokenFilter.name, path: ["payload", "sub"], value: .string(.exact("alice")))
        let table = table([
            VirtualHost(
                name: "v", domains: ["*"],
                routes: [
                    forwarding("claimed", RouteMatch(path: .prefix(bytes("/")), metadata: [match])),
                    forwarding("usual", RouteMatch(path: .prefix(bytes("/")))),
                ])
        ])
        var head = get("/", [("authorization", "Bearer \(one.token())")])
        #expect(table.decide(head: head, draw: Draw(1)).clusterName == "usual")
        guard case .allowed(let said?, true) = judge(filter, &head) else {
            Issue.record("not routed again")
            return
        }
        let metadata = [TokenFilter.name: said]
        #expect(table.decide(head: head, draw: Draw(1), metadata: metadata).clusterName == "claimed")
        var without = get("/")
        guard case .allowed(_, false) = judge(filter, &without) else {
            Issue.record("routed again without a token")
            return
        }
    }

    @Test func `the answer says what is wrong and where`() throws {
        let filter = try filter([one.provider()])
        let request = get("/a?b", host: "shop", [("x-forwarded-proto", "https")])
        let reply = LocalReply.tokenDenied(.expired, filter, request: request)
        #expect(reply.status == 401)
        #expect(text(reply.body) == "Jwt is expired")
        #expect(reply.details == "jwt_authn_access_denied{Jwt_is_expired}")
        #expect(
            reply.headers.map { "\($0.0): \(text($0.1))" }
                == [#"www-authenticate: Bearer realm="https://shop/a?b", error="invalid_token""#])
        #expect(LocalReply.tokenDenied(.audienceNotAllowed, filter, request: request).status == 403)
        let missing = LocalReply.tokenDenied(.missing, filter, request: request)
        #expect(missing.headers.map { text($0.1) } == [#"Bearer realm="https://shop/a?b""#])
    }

    @Test func `what is not enforced is refused by the name of its field`() throws {
        #expect(try manager(config([one.provider()])) == nil)
        let cases: [(String, (inout Issuer.Message) -> Void)] = [
            ("providers[origins-0].local_jwks: none of its keys", { $0.localJwks.inlineString = #"{"keys":[]}"# }),
            ("providers[origins-0].remote_jwks", { $0.remoteJwks.httpUri.uri = "https://a/" }),
            ("providers[origins-0].require_expiration", { $0.requireExpiration = true }),
            ("providers[origins-0].subjects", { $0.subjects.exact = "a" }),
            ("providers[origins-0]: no keys", { $0.jwksSourceSpecifier = nil }),
            ("providers[origins-0].forward_payload_header", { $0.forwardPayloadHeader = ":path" }),
            ("providers[origins-0].from_params[0]", { $0.fromParams = [""] }),
        ]
        for (field, change) in cases {
            let found = try manager(config([one.provider(change)]))
            #expect(found?.contains(field) == true, "\(field): \(found ?? "accepted")")
        }
        var alone = config([one.provider()])
        alone.rules[0].requires = missing
        #expect(try manager(alone)?.contains("allow_missing") == true)
        alone.rules[0].requires = provider("nobody")
        #expect(try manager(alone)?.contains("there is no provider 'nobody'") == true)
    }
}
