internal import ApusCore
internal import ApusXDSClient
internal import Testing

@Suite("Control plane address")
struct ControlPlaneAddressTests {
    @Test(
        "hosts, addresses and sockets are told apart, and print as they were written",
        arguments: [
            ("127.0.0.1:15010", ControlPlaneAddress.address(IPAddress(v4: 0x7f00_0001), port: 15_010)),
            ("[::1]:15010", .address(IPAddress(v6: 1), port: 15_010)),
            ("apus.istio-system.svc:15012", .host("apus.istio-system.svc", port: 15_012)),
            ("unix:/run/apus.sock", .unix(path: "/run/apus.sock")),
        ])
    func reads(text: String, expected: ControlPlaneAddress) {
        #expect(ControlPlaneAddress(text) == expected)
        #expect(expected.description == text)
    }

    @Test(
        "what is no address is refused",
        arguments: [
            "", "host", ":15010", "host:", "host:0", "host:65536", "host:-1", "host:+1", "::1:80", "[::1]",
            "[1.2.3.4]:80",
            "unix:", "a:b:80",
        ])
    func refuses(text: String) {
        #expect(ControlPlaneAddress(text) == nil)
    }
}
