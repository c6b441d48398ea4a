internal import ApusMesh

/// Which connections an inbound port takes, and as what: the matrix of semantics 3.6.
enum InboundPolicy {
    /// `refuse`: a proxy that cannot end mutual TLS and must not do without; it takes no connection at all.
    enum MutualTLS: Hashable, Sendable { case disable, permissive, strict, refuse }

    /// How the port's bytes are read.
    enum Reading: Hashable, Sendable { case http, tcp, detected }

    /// One filter chain.
    struct Row: Hashable, Sendable {
        let transport: String
        let applicationProtocols: [String]
        /// The proxy ends the mesh's mutual TLS here.
        let terminates: Bool
        let isHTTP: Bool
    }

    /// The one place that decides the mode of an inbound port. A proxy without an identity of its own cannot end mutual
    /// TLS: what may be plain is plain, and what must not be is closed.
    static func mode(wanted: MutualTLSMode, hasIdentity: Bool) -> MutualTLS {
        switch wanted {
        case .disable: .disable
        case .permissive: hasIdentity ? .permissive : .disable
        case .strict: hasIdentity ? .strict : .refuse
        }
    }

    static func reading(_ spoken: PortProtocol) -> Reading {
        if spoken.isHTTP { return .http }
        return spoken == .auto ? .detected : .tcp
    }

    static func rows(_ reading: Reading, _ mode: MutualTLS, http10: Bool = false) -> [Row] {
        let plainHTTP = ALPN.plaintextHTTP(http10: http10)
        switch (reading, mode) {
        case (_, .refuse):
            return []
        case (.http, .disable):
            return [plain([], http: true)]
        case (.http, .permissive):
            return [tls(ALPN.anyMutualTLS, ends: true, http: true), plain([], http: true)]
        case (.http, .strict):
            return [tls([], ends: true, http: true)]
        case (.tcp, .disable):
            return [plain([], http: false)]
        case (.tcp, .permissive):
            return [
                tls(ALPN.anyMutualTLS, ends: true, http: false), tls([], ends: false, http: false),
                plain([], http: false),
            ]
        case (.tcp, .strict):
            return [tls([], ends: true, http: false)]
        case (.detected, .disable):
            return [plain(plainHTTP, http: true), plain([], http: false)]
        case (.detected, .permissive):
            return [
                tls(ALPN.mutualTLSHTTP, ends: true, http: true), plain(plainHTTP, http: true),
                tls(ALPN.mutualTLSTCP, ends: true, http: false), plain([], http: false),
                tls([], ends: false, http: false),
            ]
        case (.detected, .strict):
            return [tls(ALPN.mutualTLSHTTP, ends: true, http: true), tls([], ends: true, http: false)]
        }
    }

    private static func plain(_ protocols: [String], http: Bool) -> Row {
        Row(transport: "raw_buffer", applicationProtocols: protocols, terminates: false, isHTTP: http)
    }

    private static func tls(_ protocols: [String], ends: Bool, http: Bool) -> Row {
        Row(transport: "tls", applicationProtocols: protocols, terminates: ends, isHTTP: http)
    }
}
