public import ApusCore

/// `http_connection_manager.v3.HttpConnectionManager`.
public final class HTTPConnectionManager: Sendable {
    public enum Codec: Hashable, Sendable { case automatic, http1, http2 }

    public enum RouteSource: Sendable {
        case inline(RouteTable)
        /// Read `ProxyConfiguration.routeTables[slot]` at the start of every request.
        case discovered(name: String, slot: Slot)
    }

    public enum ServerHeader: Hashable, Sendable { case overwrite, appendIfAbsent, passThrough }
    public enum Underscores: Hashable, Sendable { case allow, reject, drop }
    public enum EscapedSlashes: Hashable, Sendable { case keep, reject, unescapeAndRedirect, unescapeAndForward }
    public enum StripPort: Hashable, Sendable { case no, matching, any }
    public enum ClientCertificate: Hashable, Sendable {
        case sanitize, forwardOnly, appendForward, sanitizeSet, alwaysForwardOnly
    }

    /// `set_current_client_cert_details`: what of the peer's certificate is told beside its digest.
    public struct CertificateDetails: OptionSet, Hashable, Sendable {
        public let rawValue: UInt8

        public init(rawValue: UInt8) { self.rawValue = rawValue }

        public static let certificate = CertificateDetails(rawValue: 1)
        public static let subject = CertificateDetails(rawValue: 2)
        public static let uri = CertificateDetails(rawValue: 4)
        public static let dns = CertificateDetails(rawValue: 8)
    }

    /// One of `original_ip_detection_extensions`: where the client's address is found without `use_remote_address`.
    public enum AddressDetection: Sendable {
        /// In `x-forwarded-for`, behind so many trusted hops.
        case hops(UInt32)
        /// The rightmost address of `x-forwarded-for` that is in none of these; only if the peer is in one of them.
        case trusted([CIDR])
        /// In a header. Without a valid address the request is answered with the status, if there is one.
        case header(HeaderName, isTrusted: Bool, rejection: UInt16?)
    }

    /// Handling of `x-forwarded-*`, request ids and the like.
    public struct Identity: Sendable {
        public var usesRemoteAddress = false
        public var trustedHops: UInt32 = 0
        public var skipsForwardedForAppend = false
        /// Written into `via`; empty: none.
        public var via = ""
        public var generatesRequestID = true
        public var preservesExternalRequestID = false
        public var alwaysSetsRequestIDInResponse = false
        public var clientCertificate = ClientCertificate.sanitize
        public var certificateDetails: CertificateDetails = []
        public var appendsForwardedPort = false
        /// `internal_address_config.cidr_ranges`; empty: no address is internal.
        public var internalRanges: [CIDR] = []
        /// nil: the scheme is that of the connection (or the authority form).
        public var schemeOverwrite: String?
        /// The first that finds an address decides; empty: `x-forwarded-for` behind `trustedHops`.
        public var detections: [AddressDetection] = []

        public init() {}
    }

    /// How request paths and hosts are cleaned before routing.
    public struct Normalization: Sendable {
        public var normalizesPath = false
        public var mergesSlashes = false
        public var escapedSlashes = EscapedSlashes.keep
        public var stripsPort = StripPort.no
        public var stripsTrailingHostDot = false

        public init() {}
    }

    /// Limits of the messages.
    public struct Limits: Sendable {
        /// Bytes of one request head: 60 KiB by default.
        public var maxHeaderBytes = 60 << 10
        public var maxHeaders = 100
        /// nil: no limit.
        public var maxRequestsPerConnection: UInt32?
        public var underscores = Underscores.allow

        public init() {}
    }

    /// nil turns a time-out off.
    public struct Timeouts: Sendable {
        public var streamIdle: Duration? = .seconds(300)
        public var request: Duration?
        public var requestHeaders: Duration?
        public var drain: Duration? = .seconds(5)
        public var delayedClose: Duration? = .seconds(1)
        public var connectionIdle: Duration? = .seconds(3600)
        public var maxConnection: Duration?
        public var maxStream: Duration?

        public init() {}
    }

    public let statPrefix: String
    public let codec: Codec
    public let routes: RouteSource
    public let filters: [HTTPFilter]
    public let accessLogs: [AccessLog]
    public let identity: Identity
    public let normalization: Normalization
    public let limits: Limits
    public let http1: HTTP1ProtocolOptions
    public let http2: HTTP2ProtocolOptions
    public let timeouts: Timeouts
    public let serverName: String
    public let serverHeader: ServerHeader
    public let upgrades: [UpgradePolicy]
    public let proxies100Continue: Bool
    /// Router: neither `x-envoy-*` debug headers nor the time-out header.
    public let suppressesEnvoyHeaders: Bool
    public let respectsExpectedTimeout: Bool
    /// nil: the proxy's own answers leave as they are.
    public let localReplies: LocalReplyPolicy?
    /// Done to every request before it is routed.
    public let earlyMutations: [HeaderMutation]
    /// Filters that only serve routes which say so, by their place in `filters`; empty: none.
    public let dormantFilters: [Bool]

    public init(
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
public final class TCPProxy: Sendable {
    public enum Target: Sendable {
        case cluster(ClusterReference)
        case weighted([(cluster: ClusterReference, weight: UInt32, metadata: MetadataCriteria?)], total: UInt64)
    }

    public let statPrefix: String
    public let target: Target
    /// No byte in either direction for so long closes the connection; nil: never.
    public let idleTimeout: Duration?
    public let maxConnectionDuration: Duration?
    public let maxConnectAttempts: UInt32
    /// Only the source address can be the key of a raw connection.
    public let hashesSourceIP: Bool
    /// `metadata_match`: what an endpoint's metadata must say; weighted clusters have their own.
    public let metadata: MetadataCriteria?
    public let accessLogs: [AccessLog]

    public init(
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
