import ApusAPI
import ApusCompiler
import ApusMesh
import ApusModel
import SwiftProtobuf
import Testing

@Suite("Inbound chains under AuthorizationPolicy")
struct AuthorizationTests {
    private typealias RBAC = Envoy_Config_Rbac_V3_RBAC

    private func policy(
        _ action: AuthorizationPolicy.Action, selector: [String: String]? = nil,
        _ rules: [(inout AuthorizationPolicy.Rule) -> Void]
    ) -> AuthorizationPolicy {
        var spec = AuthorizationPolicy()
        spec.action = action
        spec.selector = selector
        spec.rules = rules.map { change in
            var rule = AuthorizationPolicy.Rule()
            change(&rule)
            return rule
        }
        return spec
    }

    private func view(_ policies: [(String, AuthorizationPolicy)]) throws -> MeshFixture.Listener {
        let objects = [
            MeshFixture.service("a", ip: "10.1.0.1", ports: [("http", 80, 8080), ("tcp", 3306, 3306)]),
            MeshFixture.pod("a-1", app: "a", ip: "10.0.0.1"),
        ]
        let proxy = Proxy(
            id: "a-1.default", namespace: "default", addresses: ["10.0.0.1"], labels: ["app": "a"],
            interception: .redirect)
        let mesh = MeshFixture.mesh(
            objects + policies.map { MeshFixture.object(.authorizationPolicy, $0.0, .authorizationPolicy($0.1)) })
        return try #require(ResourceCompiler.view(for: proxy, in: mesh).listener("virtualInbound"))
    }

    private func requests(_ listener: MeshFixture.Listener) throws -> [RBAC] {
        let chain = try #require(listener.filterChains.first { $0.filterChainMatch.destinationPort.value == 8080 })
        return try #require(chain.manager).httpFilters.filter { $0.name == "envoy.filters.http.rbac" }.map {
            try Envoy_Extensions_Filters_Http_Rbac_V3_RBAC(serializedBytes: $0.typedConfig.value).rules
        }
    }

    private func connections(_ listener: MeshFixture.Listener) throws -> [RBAC] {
        let chain = try #require(listener.filterChains.first { $0.filterChainMatch.destinationPort.value == 3306 })
        return try chain.filters.filter { $0.name == "envoy.filters.network.rbac" }.map {
            try Envoy_Extensions_Filters_Network_Rbac_V3_RBAC(serializedBytes: $0.typedConfig.value).rules
        }
    }

    private func reading(_ rule: inout AuthorizationPolicy.Rule) {
        var operation = AuthorizationPolicy.Operation()
        operation.methods = ["GET"]
        rule.to = [operation]
    }

    @Test("no policy, and one that selects others: no filter")
    func none() throws {
        #expect(try requests(view([])).isEmpty)
        let other = policy(.deny, selector: ["app": "b"], [{ _ in }])
        let listener = try view([("p", other)])
        #expect(try requests(listener).isEmpty)
        #expect(try connections(listener).isEmpty)
    }

    @Test("AUDIT, DENY, ALLOW: one filter each, in this order, before the router")
    func order() throws {
        let listener = try view([
            ("c", policy(.allow, [reading])), ("b", policy(.deny, [reading])), ("a", policy(.audit, [reading])),
        ])
        let rules = try requests(listener)
        #expect(rules.map(\.action) == [.log, .deny, .allow])
        #expect(rules[1].policies.keys.sorted() == ["ns[default]-policy[b]-rule[0]"])
    }

    @Test("ALLOW without rules lets nothing pass")
    func allowNothing() throws {
        let rules = try requests(view([("p", policy(.allow, []))]))
        #expect(rules.map(\.action) == [.allow])
        #expect(rules.first?.policies.isEmpty == true)
    }

    @Test("fields of HTTP on a raw connection: ALLOW loses the rule, DENY the field")
    func rawConnections() throws {
        let listener = try view([("a", policy(.allow, [reading])), ("d", policy(.deny, [reading]))])
        let rules = try connections(listener)
        #expect(rules.map(\.action) == [.deny, .allow])
        let deny = try #require(rules.first?.policies["ns[default]-policy[d]-rule[0]"])
        #expect(deny.permissions.map(\.any) == [true])
        #expect(rules.last?.policies.isEmpty == true)
    }

    private func source(
        _ change: @escaping (inout AuthorizationPolicy.Source) -> Void
    ) -> (inout AuthorizationPolicy.Rule) -> Void {
        { rule in
            var source = AuthorizationPolicy.Source()
            change(&source)
            rule.from = [source]
        }
    }

    private func when(_ key: String, _ values: [String]) -> (inout AuthorizationPolicy.Rule) -> Void {
        { rule in
            var condition = AuthorizationPolicy.Condition()
            condition.key = key
            condition.values = values
            rule.when = [condition]
        }
    }

    @Test("a rule on tokens asks for the claims that the token filter leaves; on a raw connection ALLOW loses it")
    func tokens() throws {
        let listener = try view([
            ("a", policy(.allow, [source { $0.requestPrincipals = ["https://issuer/*"] }])),
            ("d", policy(.deny, [source { $0.notRequestPrincipals = ["*"] }])),
        ])
        let rules = try requests(listener)
        #expect(rules.map(\.action) == [.deny, .allow])
        let allow = try #require(rules.last?.policies["ns[default]-policy[a]-rule[0]"])
        let pair = try #require(allow.principals.first?.andIds.ids.first?.orIds.ids.first?.andIds.ids)
        #expect(pair.map { $0.metadata.path.map(\.key) } == [["payload", "iss"], ["payload", "sub"]])
        #expect(pair.allSatisfy { $0.metadata.filter == "envoy.filters.http.jwt_authn" })
        #expect(pair.map(\.metadata.value.stringMatch.exact) == ["https://issuer", ""])
        #expect(pair.last?.metadata.value.stringMatch.safeRegex.regex == ".+")
        let raw = try connections(listener)
        #expect(raw.map(\.action) == [.deny, .allow])
        #expect(raw.last?.policies.isEmpty == true)
    }

    @Test("a claim is the value, or a list with it")
    func claims() throws {
        let rules = try requests(
            view([
                ("p", policy(.deny, [when("request.auth.claims[realm][roles]", ["ad*"])])),
                ("q", policy(.deny, [when("request.auth.audiences", ["shop"])])),
            ]))
        func metadata(_ name: String) throws -> Envoy_Type_Matcher_V3_MetadataMatcher {
            let found = try #require(rules.first?.policies["ns[default]-policy[\(name)]-rule[0]"])
            return try #require(found.principals.first?.andIds.ids.first?.orIds.ids.first?.metadata)
        }
        let claim = try metadata("p")
        #expect(claim.path.map(\.key) == ["payload", "realm", "roles"])
        #expect(claim.value.orMatch.valueMatchers.map(\.stringMatch.prefix) == ["ad", ""])
        #expect(claim.value.orMatch.valueMatchers.last?.listMatch.oneOf.stringMatch.prefix == "ad")
        #expect(try metadata("q").path.map(\.key) == ["payload", "aud"])
    }

    @Test("CUSTOM is denied where its rules match")
    func custom() throws {
        let rules = try requests(view([("p", policy(.custom, [reading]))]))
        #expect(rules.map(\.action) == [.deny])
        #expect(
            rules.first?.policies.keys.sorted()
                == ["ns[default]-policy[p]-rule[0]-deny-due-to-bad-CUSTOM-action"])
    }
}
