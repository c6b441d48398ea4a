/// ALPN values by what they say about a connection (semantics 2.7).
enum ALPN {
    /// What the HTTP inspector reports; never part of a TLS handshake.
    static let plaintextHTTP = ["http/1.1", "h2c"]
    static let plaintextHTTP10 = "http/1.0"
    static let mutualTLSHTTP = ["istio-http/1.0", "istio-http/1.1", "istio-h2"]
    static let mutualTLSTCP = ["istio-peer-exchange", "istio"]
    static let anyMutualTLS = mutualTLSTCP + mutualTLSHTTP
    static let serverHTTP = ["h2", "http/1.1"]
    static let serverTCP = ["istio-peer-exchange", "h2", "http/1.1"]

    static func plaintextHTTP(http10: Bool) -> [String] { http10 ? [plaintextHTTP10] + plaintextHTTP : plaintextHTTP }
}
