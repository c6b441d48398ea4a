import ApusAPI
import ApusCompiler
import ApusModel
import SwiftProtobuf
import Testing

@Suite struct HashPolicyTests {
    private func rule(_ key: ConsistentHash.Key, host: String = "reviews", name: String = "hash") -> ConfigObject {
        Outbound.destinationRule(name, host: host) {
            var hash = ConsistentHash()
            hash.key = key
            var balancer = LoadBalancerSettings()
            balancer.consistentHash = hash
            var policy = TrafficPolicy()
            policy.loadBalancer = balancer
            $0.trafficPolicy = policy
        }
    }

    private func policies(_ key: ConsistentHash.Key) -> [XDS.HashPolicy] {
        Outbound.route(with: [rule(key)]) { _ in }.route.hashPolicy
    }

    @Test func `a header is hashed`() { #expect(policies(.httpHeaderName("x"))[0].header.headerName == "x") }

    @Test func `a query parameter is hashed`() {
        #expect(policies(.httpQueryParameterName("q"))[0].queryParameter.name == "q")
    }

    @Test func `the source address is hashed if asked for`() {
        #expect(policies(.useSourceIp(true))[0].connectionProperties.sourceIp)
        #expect(policies(.useSourceIp(false)).isEmpty)
    }

    @Test func `a cookie is hashed, and made when it has a lifetime`() {
        var cookie = HTTPCookie()
        cookie.name = "c"
        cookie.path = "/p"
        cookie.ttl = .zero
        var attribute = HTTPCookie.Attribute()
        attribute.name = "SameSite"
        attribute.value = "Lax"
        cookie.attributes = [attribute]
        let made = policies(.httpCookie(cookie))[0].cookie
        #expect(made.name == "c" && made.path == "/p")
        #expect(made.hasTtl && made.ttl.seconds == 0)
        #expect(made.attributes.map(\.name) == ["SameSite"])
        cookie.ttl = nil
        #expect(!policies(.httpCookie(cookie))[0].cookie.hasTtl)
    }

    @Test func `each of several destinations adds its policy`() {
        let policies = Outbound.route(
            with: [rule(.httpHeaderName("a")), rule(.httpHeaderName("b"), host: "ratings", name: "hash-b")]
        ) {
            $0.route = [Outbound.to("reviews", weight: 1), Outbound.to("ratings", weight: 1)]
        }.route.hashPolicy
        #expect(policies.map(\.header.headerName) == ["a", "b"])
    }

    @Test func `a service without a VirtualService hashes too`() {
        let context = Outbound.context(Outbound.services + [rule(.httpHeaderName("x"))])
        let host = context.virtualHost("reviews.default.svc.cluster.local:80", in: "80")
        #expect(host?.routes.first?.route.hashPolicy.first?.header.headerName == "x")
    }
}
