import ApusTraffic
import Testing

@Suite struct SessionTests {
    private let cookie = SessionPolicy(
        carrier: .cookie(name: "s", ttl: .seconds(60), path: "/app", attributes: []))

    @Test func `base 64 goes both ways and takes nothing else`() {
        for text in ["", "a", "ab", "abc", "127.0.0.1:80"] {
            #expect(Base64.decode(Base64.encode(bytes(text))) == bytes(text))
        }
        #expect(Base64.encode(bytes("Man")) == "TWFu" && Base64.encode(bytes("Ma")) == "TWE=")
        for text in ["TWF", "T===", "TW=u", "TWF*", "===="] { #expect(Base64.decode(text)?.isEmpty ?? true) }
    }

    @Test func `a cookie tells the host until it expires`() {
        var response = HTTPHead(status: 200)
        cookie.tell("10.0.0.1:80", asked: nil, request: get("/app/x"), response: &response, wallSeconds: 1000)
        let header = response.text("set-cookie") ?? ""
        #expect(header.hasPrefix("s=\"") && header.hasSuffix("\"; Max-Age=60; Path=/app; HttpOnly"))
        let value = header.split(separator: "\"")[1]
        let request = get("/app", [("cookie", "a=b; s=\"\(value)\"")])
        #expect(cookie.host(request, wallSeconds: 1059) == "10.0.0.1:80")
        #expect(cookie.host(request, wallSeconds: 1060) == nil)
        #expect(cookie.host(get("/apple", [("cookie", "s=\(value)")]), wallSeconds: 0) == nil)
        #expect(cookie.host(get("/app", [("cookie", "s=garbage")]), wallSeconds: 0) == nil)
    }

    @Test func `nothing is said to a client that got the host it asked for, or outside of the cookie's path`() {
        var response = HTTPHead(status: 200)
        cookie.tell("10.0.0.1:80", asked: "10.0.0.1:80", request: get("/app"), response: &response, wallSeconds: 1)
        cookie.tell("10.0.0.1:80", asked: nil, request: get("/other"), response: &response, wallSeconds: 1)
        #expect(!response.contains(.setCookie))
    }

    @Test func `a header carries the bare address`() {
        let header = SessionPolicy(carrier: .header(HeaderName("x-host")))
        var response = HTTPHead(status: 200)
        header.tell("10.0.0.1:80", asked: nil, request: get("/"), response: &response, wallSeconds: 1)
        #expect(response.text("x-host") == "MTAuMC4wLjE6ODA=")
        #expect(header.host(get("/", [("x-host", "MTAuMC4wLjE6ODA=")]), wallSeconds: 1) == "10.0.0.1:80")
    }

    @Test(
        "bytes that are no cookie are no host",
        arguments: [
            [], [0x0A], [0x0A, 0xFF], [0x0A, 0x05, 0x31], [0x10], [0x1A, 0x00], [UInt8](repeating: 0xFF, count: 40),
        ])
    func malformed(bytes: [UInt8]) {
        #expect(SessionCookie.decode(bytes).address == nil)
    }
}
