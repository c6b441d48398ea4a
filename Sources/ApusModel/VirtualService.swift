package struct VirtualService: Hashable, Sendable {
    package var hosts: [String] = []
    /// Empty means `mesh`.
    package var gateways: [String] = []
    package var http: [HTTPRule] = []
    package var tls: [TLSRule] = []
    package var tcp: [TCPRule] = []
    package var exportTo: [String] = []
    package init() {}

    /// Delegates are found by name, not by host.
    package var isDelegate: Bool { hosts.isEmpty }
}

package struct HTTPRule: Hashable, Sendable {
    package var name = ""
    package var match: [HTTPMatch] = []
    package var route: [HTTPDestination] = []
    package var redirect: HTTPRedirect?
    package var directResponse: HTTPDirectResponse?
    package var delegate: Delegate?
    package var rewrite: HTTPRewrite?
    package var timeout: Duration?
    package var retries: HTTPRetry?
    package var fault: HTTPFault?
    package var mirror: Destination?
    /// Percent, 0 to 100.
    package var mirrorPercentage: Double?
    package var mirrors: [HTTPMirror] = []
    package var corsPolicy: CORSPolicy?
    package var headers: Headers?
    package init() {}
}

package struct Delegate: Hashable, Sendable {
    package var name = ""
    package var namespace = ""
    package init() {}
}

package struct HTTPMatch: Hashable, Sendable {
    package var name = ""
    package var uri: StringMatch?
    package var ignoreUriCase = false
    package var scheme: StringMatch?
    package var method: StringMatch?
    package var authority: StringMatch?
    package var headers: [String: StringMatch] = [:]
    package var withoutHeaders: [String: StringMatch] = [:]
    package var queryParams: [String: StringMatch] = [:]
    package var port: UInt32?
    package var sourceLabels: [String: String] = [:]
    package var sourceNamespace = ""
    package var gateways: [String] = []
    package var statPrefix = ""
    package init() {}
}

package struct Destination: Hashable, Sendable {
    package var host = ""
    package var subset = ""
    package var port: UInt32?
    package init(host: String = "", subset: String = "", port: UInt32? = nil) {
        self.host = host
        self.subset = subset
        self.port = port
    }
}

package struct HTTPDestination: Hashable, Sendable {
    package var destination = Destination()
    package var weight: Int32 = 0
    package var headers: Headers?
    package init() {}
}

package struct HTTPMirror: Hashable, Sendable {
    package var destination = Destination()
    package var percentage: Double?
    package init() {}
}

package struct HeaderOperations: Hashable, Sendable {
    package var set: [String: String] = [:]
    package var add: [String: String] = [:]
    package var remove: [String] = []
    package init() {}
}

package struct Headers: Hashable, Sendable {
    package var request = HeaderOperations()
    package var response = HeaderOperations()
    package init() {}
}

package struct HTTPRedirect: Hashable, Sendable {
    package enum Port: Hashable, Sendable {
        case number(UInt32)
        case fromProtocolDefault
        case fromRequestPort
    }

    package var uri: String?
    package var prefixRewrite: String?
    package var authority: String?
    package var scheme: String?
    package var port: Port?
    package var redirectCode: UInt32?
    package init() {}
}

package struct HTTPDirectResponse: Hashable, Sendable {
    package enum Body: Hashable, Sendable {
        case string(String)
        case bytes([UInt8])
    }

    package var status: UInt32 = 0
    package var body: Body?
    package init() {}
}

package struct HTTPRewrite: Hashable, Sendable {
    package struct Regex: Hashable, Sendable {
        package var match = ""
        package var rewrite = ""
        package init() {}
    }

    package var uri: String?
    package var authority: String?
    package var uriRegexRewrite: Regex?
    package init() {}
}

package struct HTTPRetry: Hashable, Sendable {
    package var attempts: Int32 = 0
    package var perTryTimeout: Duration?
    package var retryOn: String?
    package var retryRemoteLocalities: Bool?
    package var retryIgnorePreviousHosts: Bool?
    package var backoff: Duration?
    package init() {}
}

package struct HTTPFault: Hashable, Sendable {
    package struct Delay: Hashable, Sendable {
        package var fixedDelay: Duration?
        /// Percent, 0 to 100; nil means never.
        package var percentage: Double?
        package init() {}
    }

    package struct Abort: Hashable, Sendable {
        package enum Kind: Hashable, Sendable {
            case httpStatus(Int32)
            case grpcStatus(String)
        }

        package var kind: Kind?
        package var percentage: Double?
        package init() {}
    }

    package var delay: Delay?
    package var abort: Abort?
    package init() {}
}

package struct CORSPolicy: Hashable, Sendable {
    package enum UnmatchedPreflights: String, Hashable, Sendable, CaseIterable {
        case unspecified = "UNSPECIFIED"
        case forward = "FORWARD"
        case ignore = "IGNORE"
    }

    package var allowOrigins: [StringMatch] = []
    package var allowMethods: [String] = []
    package var allowHeaders: [String] = []
    package var exposeHeaders: [String] = []
    package var maxAge: Duration?
    package var allowCredentials: Bool?
    package var unmatchedPreflights = UnmatchedPreflights.unspecified
    package init() {}
}

package struct TLSRule: Hashable, Sendable {
    package var match: [TLSMatch] = []
    package var route: [RouteDestination] = []
    package init() {}
}

package struct TLSMatch: Hashable, Sendable {
    package var sniHosts: [String] = []
    package var destinationSubnets: [String] = []
    package var port: UInt32?
    package var sourceLabels: [String: String] = [:]
    package var sourceNamespace = ""
    package var gateways: [String] = []
    package init() {}
}

package struct TCPRule: Hashable, Sendable {
    package var match: [L4Match] = []
    package var route: [RouteDestination] = []
    package init() {}
}

package struct L4Match: Hashable, Sendable {
    package var destinationSubnets: [String] = []
    package var port: UInt32?
    package var sourceSubnet = ""
    package var sourceLabels: [String: String] = [:]
    package var sourceNamespace = ""
    package var gateways: [String] = []
    package init() {}
}

package struct RouteDestination: Hashable, Sendable {
    package var destination = Destination()
    package var weight: Int32 = 0
    package init() {}
}
