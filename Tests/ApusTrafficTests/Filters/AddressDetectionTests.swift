import ApusAPI
import ApusCore
import ApusTraffic
import SwiftProtobuf
import Testing

@Suite struct AddressDetectionTests {
    private func identity(
        _ detections: [HTTPConnectionManager.AddressDetection], _ fields: [(String, String)], peer: String = "10.0.0.9"
    ) -> RequestIdentity {
        var options = HTTPConnectionManager.Identity()
        options.detections = detections
        options.internalRanges = [CIDR("10.0.0.0/8")!]
        let manager = HTTPConnectionManager(
            statPrefix: "s", routes: .inline(RouteTable(name: "r", virtualHosts: [])), identity: options)
        var head = get("/", fields)
        var random = SeededRandom(seed: 1)
        return manager.prepare(
            &head, connection: ConnectionIdentity(remoteAddress: IPAddress(peer), localAddress: nil), isUpgrade: false,
            random: &random)
    }

    @Test(
        "behind trusted ranges the first address from the right that is in none of them is the client's",
        arguments: [
            ("192.0.2.1", "192.0.2.1"), ("192.0.2.1, 10.0.0.1", "192.0.2.1"), ("192.0.2.2,192.0.2.1", "192.0.2.1"),
            ("10.0.0.2, 10.0.0.1", "10.0.0.2"), ("192.0.2.1, junk", "10.0.0.9"), ("", "10.0.0.9"),
        ])
    func trusted(list: String, client: String) {
        let found = identity([.trusted([CIDR("10.0.0.0/8")!])], [("x-forwarded-for", list)])
        #expect(found.clientAddress == IPAddress(client))
    }

    @Test func `a peer that is not trusted itself is the client, whatever it says`() {
        let found = identity(
            [.trusted([CIDR("10.0.0.0/8")!])], [("x-forwarded-for", "192.0.2.1")], peer: "198.51.100.1")
        #expect(found.clientAddress == IPAddress("198.51.100.1"))
    }

    @Test func `a header gives the address, and may be demanded`() {
        let header = HTTPConnectionManager.AddressDetection.header(
            HeaderName("x-real"), isTrusted: true, rejection: 401)
        let found = identity([header], [("x-real", "10.1.1.1")])
        #expect(found.clientAddress == IPAddress("10.1.1.1") && found.isInternal && found.rejection == nil)
        #expect(identity([header], []).rejection == 401)
        #expect(identity([header], [("x-real", "me")]).rejection == 401)
        let optional = HTTPConnectionManager.AddressDetection.header(
            HeaderName("x-real"), isTrusted: false, rejection: nil)
        #expect(identity([optional], [("x-real", "10.1.1.1")]).isInternal == false)
        #expect(
            identity([optional, .hops(0)], [("x-forwarded-for", "192.0.2.4")]).clientAddress == IPAddress("192.0.2.4"))
    }

    @Test func `what is left to a further try is never nothing`() {
        let timeouts = RequestTimeouts(global: .seconds(15), perTry: .seconds(4))
        #expect(timeouts.expected(after: .seconds(1)) == 4000)
        #expect(timeouts.expected(after: .seconds(13)) == 2000)
        #expect(timeouts.expected(after: .seconds(15)) == 1)
        #expect(timeouts.expected(after: .seconds(14) + .microseconds(999_999)) == 1)
        #expect(RequestTimeouts(perTry: .seconds(4)).expected(after: .seconds(9)) == 4000)
        #expect(RequestTimeouts().expected(after: .zero) == nil)
    }

    @Test func `the router is never dormant, and detection does not stand beside the usual options`() throws {
        let config = try packed(
            Envoy_Extensions_Http_OriginalIpDetection_Xff_V3_XffConfig.with { $0.xffNumTrustedHops = 1 })
        let both = try Sample.manager {
            $0.originalIpDetectionExtensions = [.with { $0.typedConfig = config }]
            $0.useRemoteAddress = .init(true)
        }
        #expect(try refusal(.listener, "l", Sample.listener(manager: both))?.contains("cannot stand beside") == true)
        let asleep = try Sample.manager { $0.httpFilters[0].disabled = true }
        #expect(try refusal(.listener, "l", Sample.listener(manager: asleep))?.contains("cannot be disabled") == true)
        let lax = try Sample.manager { $0.streamErrorOnInvalidHTTPMessage = .init(true) }
        #expect(try refusal(.listener, "l", Sample.listener(manager: lax))?.contains("stream_error_on") == true)
    }
}
