import ApusCompiler
import ApusControlPlane
import ApusModel
import Logging
import Synchronization
import Testing

/// Answers by URL, and who asked.
private final class Answers: Sendable {
    private let state = Mutex<(texts: [String: String], asked: [String])>(([:], []))

    struct Nothing: Error {}

    func set(_ url: String, _ text: String?) { state.withLock { $0.texts[url] = text } }

    var asked: [String] { state.withLock { $0.asked } }

    func get(_ url: String) throws -> [UInt8] {
        let text = state.withLock { state in
            state.asked.append(url)
            return state.texts[url]
        }
        guard let text else { throw Nothing() }
        return Array(text.utf8)
    }
}

@Suite struct KeyFetchingTests {
    private static let keys = #"{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}"#

    /// What is delivered, in order.
    private func fetching(
        _ answers: Answers, interval: Duration = .seconds(3600)
    ) -> (KeyFetching, AsyncStream<KeySets>) {
        let (stream, delivered) = AsyncStream<KeySets>.makeStream()
        let fetching = KeyFetching(
            interval: interval, firstRetry: .milliseconds(1),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            get: { try answers.get($0) }, deliver: { delivered.yield($0) })
        return (fetching, stream)
    }

    @Test func keysAreDeliveredWhenTheyComeAndFailuresAreTriedAgain() async throws {
        let answers = Answers()
        let (fetching, stream) = fetching(answers)
        let source = KeySource.document("https://a/keys")
        answers.set("https://a/keys", #"{"keys":[]}"#)
        await fetching.follow([source])
        // A set without a key that can be used is a failure, too.
        while answers.asked.count < 3 { await Task.yield() }
        answers.set("https://a/keys", Self.keys)
        var iterator = stream.makeAsyncIterator()
        #expect(await iterator.next()?[source] == Self.keys)
        await fetching.stop()
    }

    @Test func anIssuersOwnDocumentSaysWhereItsKeysAre() async throws {
        let answers = Answers()
        let (fetching, stream) = fetching(answers)
        let place = "https://issuer/.well-known/openid-configuration"
        answers.set(place, #"{"issuer":"https://other","jwks_uri":"https://a/keys"}"#)
        answers.set("https://a/keys", Self.keys)
        let source = KeySource.discovery(issuer: "https://issuer")
        await fetching.follow([source])
        while answers.asked.count < 3 { await Task.yield() }
        #expect(Set(answers.asked) == [place])
        answers.set(place, #"{"issuer":"https://issuer","jwks_uri":"https://a/keys"}"#)
        var iterator = stream.makeAsyncIterator()
        #expect(await iterator.next()?[source] == Self.keys)
        await fetching.stop()
    }

    @Test func goodKeysStayWhileTheirSourceIsAway() async throws {
        let answers = Answers()
        let (fetching, stream) = fetching(answers, interval: .milliseconds(1))
        let source = KeySource.document("https://a/keys")
        answers.set("https://a/keys", Self.keys)
        await fetching.follow([source])
        var iterator = stream.makeAsyncIterator()
        #expect(await iterator.next()?[source] == Self.keys)
        answers.set("https://a/keys", nil)
        let count = answers.asked.count
        while answers.asked.count < count + 3 { await Task.yield() }
        let newer = #"{"keys":[{"kty":"oct","k":"bmV3ZXI"}]}"#
        answers.set("https://a/keys", newer)
        // Nothing was delivered in between.
        #expect(await iterator.next()?[source] == newer)
        await fetching.stop()
    }
}

@Suite struct FetchPolicyTests {
    @Test(
        "only https to public addresses, unless a host is allowed",
        arguments: [
            ("https://issuer.example/keys", "93.184.216.34", true), ("https://issuer.example/keys", "10.0.0.1", false),
            ("https://issuer.example/keys", "127.0.0.1", false),
            ("https://issuer.example/keys", "169.254.169.254", false),
            ("https://issuer.example/keys", "100.64.0.1", false), ("https://issuer.example/keys", "::1", false),
            ("https://issuer.example/keys", "fd00::1", false), ("https://issuer.example/keys", "fe80::1", false),
            ("https://issuer.example/keys", "::ffff:10.0.0.1", false),
            ("https://issuer.example/keys", "64:ff9b::a00:1", false),
            ("https://issuer.example/keys", "2606:2800:220:1::1", true),
            ("https://issuer.example/keys", "0.0.0.0", false),
            ("http://issuer/keys", "93.184.216.34", false), ("http://inside:8080/keys", "10.0.0.1", true),
            ("http://inside:8081/keys", "10.0.0.1", false), ("https://everywhere:9/keys", "127.0.0.1", true),
        ])
    func addresses(url: String, address: String, isAllowed: Bool) {
        let check = KeyFetchCheck(allowed: ["inside:8080", "everywhere"])
        #expect(check.allows(url, at: address) == isAllowed)
    }

    @Test(
        "what is not a URL of a host is refused",
        arguments: [
            "ftp://a/", "https://", "https:///a", "https://user@a/", "https://a:0/", "https://a:99999/", "https://a b/",
            "https://a/\r\nx: y", "https://a\\@b/", "https://[::1/", "https://a:1:2/", "//a/",
        ])
    func malformed(url: String) { #expect(!KeyFetchCheck(allowed: ["a", "b"]).allows(url, at: "93.184.216.34")) }
}
