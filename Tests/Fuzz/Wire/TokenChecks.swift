internal import ApusIdentity
internal import ApusTraffic

/// JSON as it stands in tokens and key sets: what is read is written and read again alike.
enum JSONCheck: WireCheck {
    static let name = "json"

    static func run(_ input: [UInt8]) -> WireOutcome {
        var outcome = WireOutcome()
        guard let value = JSONValue(parsing: input) else {
            outcome.features.insert("refused after \(input.first.map(String.init) ?? "nothing")")
            return outcome
        }
        if JSONValue(parsing: Array(value.text.utf8)) != value {
            outcome.problems.append("it is read differently again")
        }
        outcome.features.insert("\(String(describing: value).prefix { $0 != "(" })")
        do {
            outcome.features.insert("\(try KeySet(parsing: input).count) keys")
        } catch {
            outcome.features.insert("\(error)")
        }
        return outcome
    }
}

/// A token in a request: twice the same verdict, none is believed that a key set without a key would have to verify, and
/// what is taken out of the request is gone.
enum TokenCheck: WireCheck {
    static let name = "token"

    /// Its one key is no point of the curve, as the control plane fills the gap.
    private static let nobody =
        #"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}"#

    private static let filter: TokenFilter? = (try? KeySet(parsing: nobody.utf8)).map { keys in
        let provider = TokenFilter.Provider(
            name: "p", issuer: "",
            keys: keys, payloadKey: "payload", claimHeaders: [(HeaderName("x-claim"), "sub")])
        return TokenFilter(
            providers: [provider],
            rules: [.init(match: RouteMatch(path: .prefix([])), requirement: .provider(0, audiences: nil))])
    }

    static func run(_ input: [UInt8]) -> WireOutcome {
        var outcome = WireOutcome()
        guard let filter else {
            outcome.problems.append("the key set is refused")
            return outcome
        }
        let text = String(decoding: input, as: UTF8.self)
        for fields in [[("authorization", "Bearer " + text)], []] {
            var head = HTTPHead(
                method: "GET", path: fields.isEmpty ? "/a?b=c&access_token=" + text : "/", authority: "host",
                fields: fields + [("x-claim", "forged")])
            var (first, second) = (head, head)
            let verdict = judge(filter, &first)
            if verdict != judge(filter, &second) { outcome.problems.append("a second run gives something else") }
            if verdict == "allowed" { outcome.problems.append("a token is believed that nobody could sign") }
            if first.contains(HeaderName("x-claim")) { outcome.problems.append("a claim is forged") }
            outcome.features.insert(verdict)
            TokenLocation.usual.forEach { $0.remove(from: &head) }
            if case .denied(.missing) = verdictOf(filter, &head) {
            } else {
                outcome.problems.append("a token is left where it was taken out")
            }
        }
        return outcome
    }

    private static func verdictOf(_ filter: TokenFilter, _ head: inout HTTPHead) -> TokenVerdict {
        var lookups: UInt64 = 0
        return filter.judge(&head, now: 1_700_000_000, draw: Draw(1), lookups: &lookups)
    }

    private static func judge(_ filter: TokenFilter, _ head: inout HTTPHead) -> String {
        switch verdictOf(filter, &head) {
        case .bypassed: "bypassed"
        case .allowed: "allowed"
        case .denied(let status): status.text
        }
    }
}
