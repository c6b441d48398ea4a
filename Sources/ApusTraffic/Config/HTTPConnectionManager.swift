package import ApusCore

/// `http_connection_manager.v3.HttpConnectionManager`.
package final class HTTPConnectionManager: Sendable {
    package enum Codec: Hashable, Sendable { case automatic, http1, http2 }

    package enum RouteSource: Sendable {
        case inline(RouteTable)
        /// Read `ProxyConfiguration.routeTables[slot]` at the start of every request.
        case discovered(name: String, slot: Slot)
    }

    package enum ServerHeader: Hashable, Sendable { case overwrite, appendIfAbsent, passThrough }
    package enum Underscores: Hashable, Sendable { case allow, reject, drop }
    package enum EscapedSlashes: Hashable, Sendable { case keep, reject, unescapeAndRedirect, unescapeAndForward }
    package enum StripPort: Hashable, Sendable { case no, matching, any }
    package enum ClientCertificate: Hashable, Sendable {
        case sanitize, forwardOnly, appendForward, sanitizeSet, alwaysForwardOnly
    }

    /// `set_current_client_cert_details`: what of the peer's certificate is told beside its digest.
    package struct CertificateDetails: OptionSet, Hashable, Sendable {
        package let rawValue: UInt8

        package init(rawValue: UInt8) { self.rawValue = rawValue }

        package static let certificate = CertificateDetails(rawValue: 1)
        package static let subject = CertificateDetails(rawValue: 2)
        package static let uri = CertificateDetails(rawValue: 4)
        package static let dns = CertificateDetails(rawValue: 8)
    }

    /// One of `original_ip_detection_extensions`: where the client's address is found without `use_remote_address`.
    package enum AddressDetection: Sendable {
        /// In `x-forwarded-for`, behind so many trusted hops.
        case hops(UInt32)
        /// The rightmost address of `x-forwarded-for` that is in none of these; only if the peer is in one of them.
        case trusted([CIDR])
        /// In a header. Without a valid address the request is answered with the status, if there is one.
        case header(HeaderName, isTrusted: Bool, rejection: UInt16?)
    }

    /// Handling of `x-forwarded-*`, request ids and the like.
    package struct Identity: Sendable {
        package var usesRemoteAddress = false
        package var trustedHops: UInt32 = 0
        package var skipsForwardedForAppend = false
        /// Written into `via`; empty: none.
        package var via = ""
        package var generatesRequestID = true
        package var preservesExternalRequestID = false
        package var alwaysSetsRequestIDInResponse = false
        package var clientCertificate = ClientCertificate.sanitize
        package var certificateDetails: CertificateDetails = []
        package var appendsForwardedPort = false
        /// `internal_address_config.cidr_ranges`; empty: no address is internal.
        package var internalRanges: [CIDR] = []
        /// nil: the scheme is that of the connection (or the authority form).
        package var schemeOverwrite: String?
        /// The first that finds an address decides; empty: `x-forwarded-for` behind `trustedHops`.
        package var detections: [AddressDetection] = []

        package init() {}
    }

    /// How request paths and hosts are cleaned before routing.
    package struct Normalization: Sendable {
        package var normalizesPath = false
        package var mergesSlashes = false
        package var escapedSlashes = EscapedSlashes.keep
        package var stripsPort = StripPort.no
        package var stripsTrailingHostDot = false

        package init() {}
    }

    /// Limits of the messages.
    package struct Limits: Sendable {
        /// Bytes of one request head: 60 KiB by default.
        package var maxHeaderBytes = 60 << 10
        package var maxHeaders = 100
        /// nil: no limit.
        package var maxRequestsPerConnection: UInt32?
        package var underscores = Underscores.allow

        package init() {}
    }

    /// nil turns a time-out off.
    package struct Timeouts: Sendable {
        package var streamIdle: Duration? = .seconds(300)
        package var request: Duration?
        package var requestHeaders: Duration?
        package var drain: Duration? = .seconds(5)
        package var delayedClose: Duration? = .seconds(1)
        package var connectionIdle: Duration? = .seconds(3600)
        package var maxConnection: Duration?
        package var maxStream: Duration?

        package init() {}
    }

    package let statPrefix: String
    package let codec: Codec
    package let routes: RouteSource
    package let filters: [HTTPFilter]
    package let accessLogs: [AccessLog]
    package let identity: Identity
    package let normalization: Normalization
    package let limits: Limits
    package let http1: HTTP1ProtocolOptions
    package let http2: HTTP2ProtocolOptions
    package let timeouts: Timeouts
    package let serverName: String
    package let serverHeader: ServerHeader
    package let upgrades: [UpgradePolicy]
    package let proxies100Continue: Bool
    /// Router: neither `x-envoy-*` debug headers nor the time-out header.
    package let suppressesEnvoyHeaders: Bool
    package let respectsExpectedTimeout: Bool
    /// nil: the proxy's own answers leave as they are.
    package let localReplies: LocalReplyPolicy?
    /// Done to every request before it is routed.
    package let earlyMutations: [HeaderMutation]
    /// Filters that only serve routes which say so, by their place in `filters`; empty: none.
    package let dormantFilters: [Bool]

    package init(
        statPrefix: String, codec: Codec = .automatic, routes: RouteSource, filters: [HTTPFilter] = [],
        accessLogs: [AccessLog] = [], identity: Identity = Identity(), normalization: Normalization = Normalization(),
        limits: Limits = Limits(), http1: HTTP1ProtocolOptions = HTTP1ProtocolOptions(),
        http2: HTTP2ProtocolOptions = HTTP2ProtocolOptions(), timeouts: Timeouts = Timeouts(),
        serverName: String = "envoy",
        serverHeader: ServerHeader = .overwrite, upgrades: [UpgradePolicy] = [], proxies100Continue: Bool = false,
        suppressesEnvoyHeaders: Bool = false, respectsExpectedTimeout: Bool = false,
        localReplies: LocalReplyPolicy? = nil, earlyMutations: [HeaderMutation] = [], dormantFilters: [Bool] = []
    ) {
        self.statPrefix = statPrefix
        self.codec = codec
        self.routes = routes
        self.filters = filters
        self.accessLogs = accessLogs
        self.identity = identity
        self.normalization = normalization
        self.limits = limits
        self.http1 = http1
        self.http2 = http2
        self.timeouts = timeouts
        self.serverName = serverName
        self.serverHeader = serverHeader
        self.upgrades = upgrades
        self.proxies100Continue = proxies100Continue
        self.suppressesEnvoyHeaders = suppressesEnvoyHeaders
        self.respectsExpectedTimeout = respectsExpectedTimeout
        self.localReplies = localReplies
        self.earlyMutations = earlyMutations
        self.dormantFilters = dormantFilters
    }
}

/// `tcp_proxy.v3.TcpProxy`.
package final class TCPProxy: Sendable {
    package enum Target: Sendable {
        case cluster(ClusterReference)
        case weighted([(cluster: ClusterReference, weight: UInt32, metadata: MetadataCriteria?)], total: UInt64)
    }

    package let statPrefix: String
    package let target: Target
    /// No byte in either direction for so long closes the connection; nil: never.
    package let idleTimeout: Duration?
    package let maxConnectionDuration: Duration?
    package let maxConnectAttempts: UInt32
    /// Only the source address can be the key of a raw connection.
    package let hashesSourceIP: Bool
    /// `metadata_match`: what an endpoint's metadata must say; weighted clusters have their own.
    package let metadata: MetadataCriteria?
    package let accessLogs: [AccessLog]

    package init(
        statPrefix: String, target: Target, idleTimeout: Duration? = .seconds(3600),
        maxConnectionDuration: Duration? = nil, maxConnectAttempts: UInt32 = 1, hashesSourceIP: Bool = false,
        metadata: MetadataCriteria? = nil, accessLogs: [AccessLog] = []
    ) {
        self.statPrefix = statPrefix
        self.target = target
        self.idleTimeout = idleTimeout
        self.maxConnectionDuration = maxConnectionDuration
        self.maxConnectAttempts = maxConnectAttempts
        self.hashesSourceIP = hashesSourceIP
        self.metadata = metadata
        self.accessLogs = accessLogs
    }
}
