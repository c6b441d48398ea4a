import ApusTraffic
import Testing

@Suite struct PathNormalizationTests {
    /// What Envoy 1.40 made of the same paths.
    @Test(
        "paths are made canonical as Envoy makes them",
        arguments: [
            ("/a/./b", "/a/b"), ("/a/../b", "/b"), ("/../../x", "/x"), ("/a//b", "/a//b"), ("/a\\b", "/a/b"),
            ("/%2e%2e/x", "/x"), ("/a/%2E/b", "/a/b"), ("/%41%2d%7e", "/A-~"), ("/%zz", "/%zz"), ("/%2fa", "/%2fa"),
            ("/a<b>\"`{}|^", "/a%3Cb%3E%22%60%7B%7D%7C%5E"), ("/a/..?x=/../y", "/?x=/../y"), ("/a/..", "/"),
            ("/a/.", "/a/"), ("/a/b/..%2f", "/a/b/..%2f"), ("/%c3%a4%2F%5c", "/%c3%a4%2F%5c"), ("/", "/"),
            ("/a.b/..c/.d", "/a.b/..c/.d"), ("/..", "/"), ("/a/b/../../../c", "/c"), ("/a/b/.././c/", "/a/c/"),
            ("/?a=%41", "/?a=%41"), ("/a/.../b", "/a/.../b"),
        ])
    func canonical(path: String, wanted: String) throws {
        let result = try #require(Array(path.utf8).withUnsafeBytes { PathNormalization.canonical($0) })
        #expect(result.isEmpty ? path == wanted : String(decoding: result, as: UTF8.self) == wanted)
    }

    @Test("an escaped NUL is refused")
    func escapedNUL() {
        #expect(Array("/%00".utf8).withUnsafeBytes { PathNormalization.canonical($0) } == nil)
    }

    private func reply(_ path: String, _ change: (inout HTTPConnectionManager.Normalization) -> Void) -> (
        LocalReply?, String
    ) {
        var normalization = HTTPConnectionManager.Normalization()
        change(&normalization)
        let manager = HTTPConnectionManager(
            statPrefix: "", routes: .inline(RouteTable(name: "", virtualHosts: [])), normalization: normalization)
        var head = HTTPHead(method: "GET", path: path, authority: "a.:80")
        let reply = manager.normalize(&head, localPort: 8080)
        return (reply, head.text(head.path) + " " + head.text(head.authority))
    }

    @Test("fragments and paths without a slash are refused whatever the options")
    func always() {
        #expect(reply("/a#b") { _ in }.0?.status == 400)
        #expect(reply("*") { _ in }.0?.status == 404)
        #expect(reply("/a/../b") { _ in }.1 == "/a/../b a.:80")
    }

    @Test("escaped slashes are kept, refused, redirected or decoded as configured")
    func escapedSlashes() {
        #expect(reply("/a%2fb") { $0.escapedSlashes = .keep }.1.hasPrefix("/a%2fb "))
        #expect(reply("/a%5Cb") { $0.escapedSlashes = .reject }.0?.status == 400)
        #expect(reply("/a%2Fb") { $0.escapedSlashes = .unescapeAndForward }.1.hasPrefix("/a/b "))
        let redirect = reply("/a%2Fb?%2f") { $0.escapedSlashes = .unescapeAndRedirect }.0
        #expect(redirect?.status == 307)
        #expect(redirect?.headers.first.map { String(decoding: $0.1, as: UTF8.self) } == "/a/b?%2f")
    }

    @Test("slashes merge, ports and trailing dots go where asked for")
    func others() {
        #expect(reply("//a///b?//") { $0.mergesSlashes = true }.1.hasPrefix("/a/b?// "))
        #expect(reply("/") { $0.stripsPort = .any }.1 == "/ a.")
        #expect(reply("/") { $0.stripsPort = .matching }.1 == "/ a.:80")
        #expect(reply("/") { $0.stripsTrailingHostDot = true }.1 == "/ a:80")
    }
}
