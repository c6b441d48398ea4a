import ApusAPI
import ApusCompiler
import ApusCore
import ApusMesh
import ApusModel
import SwiftProtobuf
import Testing

@Suite("Inbound chains under RequestAuthentication")
struct RequestTokensTests {
    private typealias Filter = Envoy_Extensions_Filters_Http_JwtAuthn_V3_JwtAuthentication

    private static let point = #""x":"a6nvdJ4tMhUjg_RyfBvXC9V4LkDYR0PKlEtVxcOTVDQ""#
    /// A key of Ed25519 of nobody.
    private static let keys = #"{"keys":[{"kty":"OKP","crv":"Ed25519",\#(point)}]}"#

    private func authentication(
        selector: [String: String]? = nil, _ rules: [(inout RequestAuthentication.JWTRule) -> Void]
    ) -> RequestAuthentication {
        var spec = RequestAuthentication()
        spec.selector = selector
        spec.jwtRules = rules.map { change in
            var rule = RequestAuthentication.JWTRule()
            rule.jwks = Self.keys
            change(&rule)
            return rule
        }
        return spec
    }

    private func mesh(_ objects: [ConfigObject]) -> MeshSnapshot {
        MeshFixture.mesh(
            [
                MeshFixture.service("a", ip: "10.1.0.1", ports: [("http", 80, 8080), ("tcp", 3306, 3306)]),
                MeshFixture.pod("a-1", app: "a", ip: "10.0.0.1"),
            ] + objects)
    }

    private let proxy = Proxy(
        id: "a-1.default", namespace: "default", addresses: ["10.0.0.1"], labels: ["app": "a"], interception: .redirect)

    private func names(_ view: ResourceView) throws -> [String] {
        let listener = try #require(view.listener("virtualInbound"))
        let chain = try #require(listener.filterChains.first { $0.filterChainMatch.destinationPort.value == 8080 })
        return try #require(chain.manager).httpFilters.map(\.name)
    }

    private func filter(_ view: ResourceView) throws -> Filter? {
        let listener = try #require(view.listener("virtualInbound"))
        let chain = try #require(listener.filterChains.first { $0.filterChainMatch.destinationPort.value == 8080 })
        return try #require(chain.manager).httpFilters.first { $0.name == "envoy.filters.http.jwt_authn" }.map {
            try Filter(serializedBytes: $0.typedConfig.value)
        }
    }

    private func filter(_ policies: [(String, RequestAuthentication)]) throws -> Filter? {
        let objects = policies.map { MeshFixture.object(.requestAuthentication, $0.0, .requestAuthentication($0.1)) }
        return try filter(ResourceCompiler.view(for: proxy, in: mesh(objects)))
    }

    @Test("one rule: its token may be missing, and stands before authorization")
    func one() throws {
        let spec = authentication([{ $0.issuer = "one" }])
        var policy = AuthorizationPolicy()
        policy.rules = [AuthorizationPolicy.Rule()]
        let view = ResourceCompiler.view(
            for: proxy,
            in: mesh([
                MeshFixture.object(.requestAuthentication, "r", .requestAuthentication(spec)),
                MeshFixture.object(.authorizationPolicy, "p", .authorizationPolicy(policy)),
            ]))
        #expect(try names(view).prefix(2) == ["envoy.filters.http.jwt_authn", "envoy.filters.http.rbac"])
        let filter = try #require(try filter(view))
        #expect(filter.bypassCorsPreflight)
        #expect(filter.rules.map(\.match.prefix) == ["/"])
        let parts = filter.rules[0].requires.requiresAny.requirements
        #expect(parts.map(\.providerName) == ["origins-0", ""])
        #expect(parts[1].requiresType == .allowMissing(Google_Protobuf_Empty()))
        let provider = try #require(filter.providers["origins-0"])
        #expect(provider.localJwks.inlineString == Self.keys)
        #expect(provider.payloadInMetadata == "payload")
        #expect(provider.normalizePayloadInMetadata.spaceDelimitedClaims == ["permission", "scope"])
        #expect(!provider.forward)
    }

    @Test("rules of all objects that select the workload, by issuer; any may be good, and none may be bad")
    func several() throws {
        let filter = try #require(
            try filter([
                ("z", authentication([{ $0.issuer = "two" }])), ("y", authentication([{ $0.issuer = "one" }])),
                ("x", authentication(selector: ["app": "b"], [{ $0.issuer = "other" }])),
            ]))
        #expect(filter.providers.mapValues(\.issuer) == ["origins-0": "one", "origins-1": "two"])
        let parts = filter.rules[0].requires.requiresAny.requirements
        #expect(parts.prefix(2).map(\.providerName) == ["origins-0", "origins-1"])
        let all = try #require(parts.last?.requiresAll.requirements)
        #expect(all.map { $0.requiresAny.requirements[0].providerName } == ["origins-0", "origins-1"])
    }

    @Test("every field of a rule has its place")
    func fields() throws {
        let filter = try #require(
            try filter([
                (
                    "r",
                    authentication([
                        { rule in
                            rule.issuer = "one"
                            rule.audiences = ["shop"]
                            var location = RequestAuthentication.HeaderLocation()
                            location.name = "x-token"
                            location.prefix = "Token "
                            rule.fromHeaders = [location]
                            rule.fromParams = ["t"]
                            rule.fromCookies = ["c"]
                            rule.outputPayloadToHeader = "x-payload"
                            var claim = RequestAuthentication.ClaimToHeader()
                            claim.header = "x-sub"
                            claim.claim = "sub"
                            rule.outputClaimToHeaders = [claim]
                            rule.forwardOriginalToken = true
                            rule.spaceDelimitedClaims = ["roles", "scope"]
                        }
                    ])
                )
            ]))
        let provider = try #require(filter.providers["origins-0"])
        #expect(provider.audiences == ["shop"])
        #expect(provider.fromHeaders.map { "\($0.name) \($0.valuePrefix)" } == ["x-token Token "])
        #expect(provider.fromParams == ["t"])
        #expect(provider.fromCookies == ["c"])
        #expect(provider.forwardPayloadHeader == "x-payload")
        #expect(provider.claimToHeaders.map { "\($0.headerName) \($0.claimName)" } == ["x-sub sub"])
        #expect(provider.forward)
        #expect(provider.normalizePayloadInMetadata.spaceDelimitedClaims == ["permission", "scope", "roles"])
    }

    @Test("keys that are not there or cannot be used: a set that no token passes")
    func denied() throws {
        let changes: [(inout RequestAuthentication.JWTRule) -> Void] = [
            { $0.jwks = #"{"keys":[{"kty":"RSA"}]}"# },
            {
                $0.jwks = ""
                $0.jwksUri = "https://issuer/keys"
            },
            { $0.jwks = "" },
        ]
        for change in changes {
            let rule: (inout RequestAuthentication.JWTRule) -> Void = {
                $0.issuer = "one"
                change(&$0)
            }
            let filter = try #require(try filter([("r", authentication([rule]))]))
            let keys = try #require(filter.providers["origins-0"]?.localJwks.inlineString)
            #expect(keys.contains(#""x":"AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA""#))
        }
    }

    @Test("keys that come change the workload that asks for them, and no other")
    func fetched() throws {
        let uri = "https://issuer/keys"
        let spec = authentication(
            selector: ["app": "a"],
            [
                {
                    $0.issuer = "one"
                    $0.jwks = ""
                    $0.jwksUri = uri
                }
            ])
        let before = CompiledMesh(
            snapshot: mesh([
                MeshFixture.object(.requestAuthentication, "r", .requestAuthentication(spec)),
                MeshFixture.pod("b-1", app: "b", ip: "10.0.0.2"),
            ]))
        let other = Proxy(
            id: "b-1.default", namespace: "default", addresses: ["10.0.0.2"], labels: ["app": "b"],
            interception: .redirect)
        let (mine, others) = (before.view(for: proxy), before.view(for: other))
        #expect(KeySets.sources(of: before.snapshot.objects(of: .requestAuthentication)) == [.document(uri)])
        var keySets = KeySets()
        keySets[.document(uri)] = Self.keys
        let after = before.updated(keySets: keySets)
        #expect(try filter(after.view(for: proxy))?.providers["origins-0"]?.localJwks.inlineString == Self.keys)
        #expect(after.view(for: proxy).listeners !== mine.listeners)
        #expect(after.view(for: other).listeners === others.listeners)
        #expect(after.updated(keySets: keySets) === after)
    }

    @Test("a rule without keys and without a URL to ask is found out")
    func findings() {
        let spec = authentication([
            {
                $0.issuer = "somebody@example"
                $0.jwks = ""
            }, { $0.jwks = #"{"keys":[{"kty":"RSA"}]}"# },
        ])
        let found = FolderCompileFindings.findings(
            in: mesh([MeshFixture.object(.requestAuthentication, "r", .requestAuthentication(spec))]))
        #expect(
            found.filter { $0.code == "APUS0407" }.map(\.field) == [
                "spec.jwtRules[0].issuer", "spec.jwtRules[1].jwks",
            ])
    }

    @Test("a gateway's listeners have the filters of the policies that select it, and follow them and their keys")
    func gateways() throws {
        let labels = ["istio": "ingressgateway"]
        let router = Proxy(id: "edge.default", role: .router, namespace: "default", labels: labels)
        let uri = "https://issuer/keys"
        let spec = authentication(
            selector: labels,
            [
                {
                    $0.issuer = "one"
                    $0.jwks = ""
                    $0.jwksUri = uri
                }
            ])
        var policy = AuthorizationPolicy()
        policy.selector = labels
        let edge = MeshFixture.gateway(servers: [
            MeshFixture.server(MeshFixture.port(80, "HTTP", name: "http"), hosts: ["*"])
        ])
        let before = CompiledMesh(snapshot: mesh([edge]))
        func filters(_ mesh: CompiledMesh) throws -> [HTTPFilter] {
            let view = mesh.view(for: router)
            let name = try #require(view.listenerNames.first)
            return try #require(view.listener(name)?.filterChains.first?.manager).httpFilters
        }
        #expect(try filters(before).allSatisfy { !$0.name.hasSuffix("rbac") && !$0.name.hasSuffix("jwt_authn") })
        let changed = before.snapshot.updated(changed: [
            MeshFixture.object(.requestAuthentication, "r", .requestAuthentication(spec)),
            MeshFixture.object(.authorizationPolicy, "p", .authorizationPolicy(policy)),
        ])
        let after = before.updated(to: changed, changes: changed.changes(since: before.snapshot))
        #expect(
            try filters(after).map(\.name).prefix(2) == ["envoy.filters.http.jwt_authn", "envoy.filters.http.rbac"])
        func keys(_ mesh: CompiledMesh) throws -> String? {
            let first = try #require(filters(mesh).first)
            let filter = try Filter(serializedBytes: first.typedConfig.value)
            #expect(filter.providers["origins-0"]?.clearRouteCache_p == true)
            return filter.providers["origins-0"]?.localJwks.inlineString
        }
        #expect(try keys(after) != Self.keys)
        var keySets = KeySets()
        keySets[.document(uri)] = Self.keys
        #expect(try keys(after.updated(keySets: keySets)) == Self.keys)
    }

    private typealias HTTPFilter = Envoy_Extensions_Filters_Network_HttpConnectionManager_V3_HttpFilter
}
