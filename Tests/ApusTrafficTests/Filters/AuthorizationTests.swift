import ApusAPI
import ApusCore
import ApusTraffic
import SwiftProtobuf
import Testing

@Suite struct AuthorizationTests {
    private typealias Rules = AuthorizationRules

    private func facts(
        port: UInt16 = 80, peer: String = "10.0.0.9", client: String = "192.0.2.1", names: [String]? = nil
    ) -> AuthorizationFacts {
        AuthorizationFacts(
            destination: IPAddress("10.1.0.1"), destinationPort: port, serverName: "a.example",
            peerAddress: IPAddress(peer), clientAddress: IPAddress(client), peerNames: names)
    }

    private func rules(
        _ action: Rules.Action, _ permission: Rules.Condition = .always, _ principal: Rules.Condition = .always
    ) -> Rules {
        Rules(action: action, policies: [.init(name: "p", permissions: [permission], principals: [principal])])
    }

    @Test func `ALLOW lets in what a policy matches, DENY what none matches, LOG everything`() {
        let never = Rules.Condition.never
        #expect(rules(.allow).judge(get("/"), facts()) == .init(isAllowed: true, policy: "p"))
        #expect(!rules(.allow, never).judge(get("/"), facts()).isAllowed)
        #expect(!rules(.deny).judge(get("/"), facts()).isAllowed)
        #expect(rules(.deny, .always, never).judge(get("/"), facts()) == .init(isAllowed: true, policy: nil))
        #expect(rules(.log).judge(get("/"), facts()).isAllowed)
        #expect(!Rules(action: .allow, policies: []).judge(get("/"), facts()).isAllowed)
        #expect(Rules(action: .deny, policies: []).judge(get("/"), facts()).isAllowed)
    }

    @Test func `the first policy by name is the one that is told`() {
        let both = Rules(
            action: .deny,
            policies: ["b", "a"].map { .init(name: $0, permissions: [.always], principals: [.always]) })
        #expect(both.judge(nil, facts()).policy == "a")
        #expect(LocalReply.accessDenied(policy: "ns a").details == "rbac_access_denied_matched_policy[ns_a]")
        #expect(LocalReply.accessDenied(policy: nil).details == "rbac_access_denied_matched_policy[none]")
    }

    @Test(
        "every condition has a request it holds for and one it does not",
        arguments: [
            (Rules.Condition.path(.exact("/a")), true), (.path(.exact("/a?x")), false),
            (.header(HeaderMatch(name: HeaderName("x"), test: .string(.exact("1")))), true),
            (.header(HeaderMatch(name: HeaderName("y"), test: .present)), false),
            (.destination(CIDR("10.1.0.0/16")!), true), (.destination(CIDR("10.2.0.0/16")!), false),
            (.destinationPort(from: 80, until: 81), true), (.destinationPort(from: 81, until: 90), false),
            (.serverName(.exact("a.example")), true), (.serverName(.exact("b.example")), false),
            (.peerAddress(CIDR("10.0.0.0/24")!), true), (.peerAddress(CIDR("192.0.2.0/24")!), false),
            (.clientAddress(CIDR("192.0.2.0/24")!), true), (.clientAddress(CIDR("10.0.0.0/24")!), false),
            (.not(.never), true), (.not(.always), false),
            (.all([.always, .never]), false), (.all([]), true), (.either([.always, .never]), true),
            (.either([]), false),
            (.authenticated(nil), true), (.authenticated(.exact("spiffe://x")), true),
            (.authenticated(.exact("spiffe://y")), false),
        ])
    private func condition(condition: Rules.Condition, holds: Bool) {
        let head = get("/a?x=1", [("x", "1")])
        let facts = facts(names: ["spiffe://x"])
        #expect(rules(.allow, condition).judge(head, facts).isAllowed == holds)
        #expect(rules(.allow, .always, condition).judge(head, facts).isAllowed == holds)
    }

    @Test func `nobody without a certificate is authenticated, and a raw connection has no path and no header`() {
        #expect(!rules(.allow, .always, .authenticated(nil)).judge(get("/"), facts()).isAllowed)
        #expect(!rules(.allow, .path(StringMatch(.prefix(bytes("/"))))).judge(nil, facts()).isAllowed)
        let absent = HeaderMatch(name: HeaderName("x"), test: .absent)
        #expect(rules(.allow, .header(absent)).judge(nil, facts()).isAllowed)
    }

    private func filter(_ change: (inout Envoy_Config_Rbac_V3_RBAC) -> Void) throws -> String? {
        var message = Envoy_Config_Rbac_V3_RBAC.with {
            $0.policies["p"] = .with {
                $0.permissions = [.with { $0.any = true }]
                $0.principals = [.with { $0.any = true }]
            }
        }
        change(&message)
        let config = try packed(Envoy_Extensions_Filters_Http_Rbac_V3_RBAC.with { $0.rules = message })
        var manager = try Sample.manager()
        manager.httpFilters.insert(
            .with {
                $0.name = "envoy.filters.http.rbac"
                $0.typedConfig = config
            }, at: 0)
        return try refusal(.listener, "l", Sample.listener(manager: manager))
    }

    @Test func `what cannot be judged is refused, what can never be there is accepted`() throws {
        #expect(try filter { _ in } == nil)
        #expect(
            try filter { $0.policies["p"]?.permissions = [.with { $0.matcher.name = "cel" }] }?
                .contains("policies[p].permissions[0].matcher: cel is not supported") == true)
        #expect(try filter { $0.policies["p"]?.principals = [] }?.contains("principals: empty") == true)
        let unknown: [UInt8] = [0x1A, 0x00]
        let condition = try Envoy_Config_Rbac_V3_Policy(serializedBytes: unknown).unknownFields
        #expect(try filter { $0.policies["p"]?.unknownFields = condition }?.contains("field 3 is not known") == true)
        let claim = Envoy_Type_Matcher_V3_MetadataMatcher.with {
            $0.filter = "envoy.filters.http.jwt_authn"
            $0.path = [.with { $0.key = "payload" }]
            $0.value.presentMatch = true
        }
        #expect(try filter { $0.policies["p"]?.principals = [.with { $0.metadata = claim }] } == nil)
        #expect(
            try filter { $0.policies["p"]?.principals = [.with { $0.metadata.filter = "x" }] }?
                .contains("principals[0].metadata.path: empty") == true)
        #expect(
            try filter { $0.policies["p"]?.principals = [.with { $0.sourcedMetadata.metadataSource = .route }] }?
                .contains("ROUTE is not supported") == true)
        var deep = Envoy_Config_Rbac_V3_Permission.with { $0.any = true }
        for _ in 0..<70 { deep = .with { [deep] in $0.notRule = deep } }
        let nested = deep
        #expect(try filter { $0.policies["p"]?.permissions = [nested] }?.contains("nested too deeply") == true)
    }
}
