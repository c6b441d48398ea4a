internal import ApusCore
internal import ApusModel
internal import ApusYAML

extension VirtualService: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("hosts", &hosts)
        fields.read("gateways", &gateways)
        fields.read("http", &http)
        fields.read("tls", &tls)
        fields.read("tcp", &tcp)
        fields.read("exportTo", &exportTo)
    }
}

extension HTTPRule: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("name", &name)
        fields.read("match", &match)
        fields.read("route", &route)
        fields.read("redirect", &redirect)
        fields.read("directResponse", &directResponse)
        fields.read("delegate", &delegate)
        fields.read("rewrite", &rewrite)
        fields.read("timeout", &timeout)
        fields.read("retries", &retries)
        fields.read("fault", &fault)
        fields.read("mirror", &mirror)
        var oldPercent: UInt32?
        fields.read("mirrorPercent", &oldPercent)
        if let oldPercent {
            mirrorPercentage = Double(oldPercent)
            fields.deprecated("mirrorPercent", instead: "mirrorPercentage")
        }
        fields.readPercent("mirrorPercentage", &mirrorPercentage)
        fields.read("mirrors", &mirrors)
        fields.read("corsPolicy", &corsPolicy)
        fields.read("headers", &headers)
    }
}

extension Fields {
    /// Istio's `Percent`: a mapping with `value`.
    mutating func readPercent(_ name: StaticString, _ target: inout Double?) {
        var value: Double?
        // A written percentage without a value is zero, as protobuf has it.
        if nested(name, { $0.read("value", &value) }) { target = value ?? 0 }
    }

    func deprecated(_ name: StaticString, instead: String) {
        guard let key = key(name) else { return }
        decoding.report(
            .warning, FindingCode.deprecated, "\(name) is deprecated", hint: "use \(instead)", at: key)
    }
}

extension StringMatch: FieldValue {
    static func decode(_ node: YAMLNode, _ decoding: Decoding) -> StringMatch? {
        if node.isNull { return .present }
        if node.kind == .scalar {
            decoding.wrongType(
                node, expected: "a mapping with exact, prefix or regex",
                hint: "write {exact: \"\(node.text)\"}")
            return nil
        }
        var exact: String?
        var prefix: String?
        var regex: String?
        let isRead = Fields.read(node, decoding) {
            $0.read("exact", &exact)
            $0.read("prefix", &prefix)
            $0.read("regex", &regex)
        }
        guard isRead else { return nil }
        if [exact, prefix, regex].compactMap({ $0 }).count > 1 {
            decoding.report(
                .error, FindingCode.schemaError,
                "\(decoding.name(of: node)) has more than one of exact, prefix and regex", hint: "keep one of them",
                at: node)
            return nil
        }
        if let exact { return .exact(exact) }
        if let prefix { return .prefix(prefix) }
        if let regex { return .regex(regex) }
        return .present
    }
}

extension HTTPMatch: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("name", &name)
        fields.read("uri", &uri)
        fields.read("ignoreUriCase", &ignoreUriCase)
        fields.read("scheme", &scheme)
        fields.read("method", &method)
        fields.read("authority", &authority)
        fields.read("headers", &headers)
        fields.read("withoutHeaders", &withoutHeaders)
        fields.read("queryParams", &queryParams)
        fields.read("port", &port)
        fields.read("sourceLabels", &sourceLabels)
        fields.read("sourceNamespace", &sourceNamespace)
        fields.read("gateways", &gateways)
        fields.read("statPrefix", &statPrefix)
    }
}

extension Destination: FieldMessage {
    // The model's initialiser has defaults for every argument; the protocol asks for one without.
    init() { self.init(host: "") }

    mutating func read(_ fields: inout Fields) {
        fields.read("host", &host)
        fields.read("subset", &subset)
        fields.nested("port") { $0.read("number", &port) }
    }
}

extension HTTPDestination: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("destination", &destination)
        fields.read("weight", &weight)
        fields.read("headers", &headers)
    }
}

extension HTTPMirror: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("destination", &destination)
        fields.readPercent("percentage", &percentage)
    }
}

extension HeaderOperations: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("set", &set)
        fields.read("add", &add)
        fields.read("remove", &remove)
    }
}

extension Headers: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("request", &request)
        fields.read("response", &response)
    }
}

extension HTTPRedirect: FieldMessage {
    private enum DerivedPort: String, FieldEnum {
        case fromProtocolDefault = "FROM_PROTOCOL_DEFAULT"
        case fromRequestPort = "FROM_REQUEST_PORT"
    }

    mutating func read(_ fields: inout Fields) {
        fields.read("uri", &uri)
        fields.read("prefixRewrite", &prefixRewrite)
        fields.read("authority", &authority)
        fields.read("scheme", &scheme)
        fields.read("redirectCode", &redirectCode)
        var number: UInt32?
        var derived: DerivedPort?
        fields.read("port", &number)
        fields.read("derivePort", &derived)
        if let number { port = .number(number) }
        if let derived { port = derived == .fromProtocolDefault ? .fromProtocolDefault : .fromRequestPort }
        if number != nil, derived != nil, let key = fields.key("derivePort") {
            fields.decoding.report(
                .error, FindingCode.schemaError, "a redirect has either port or derivePort, not both",
                hint: "keep one of them", at: key)
        }
    }
}

extension HTTPDirectResponse: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("status", &status)
        var body: Body?
        fields.nested("body") { inner in
            var text: String?
            inner.read("string", &text)
            if let text { body = .string(text) }
            if let node = inner.take("bytes") {
                if node.kind == .scalar, let bytes = Base64.decode(node.text, allowsURLAlphabet: true) {
                    if text != nil {
                        inner.decoding.report(
                            .error, FindingCode.schemaError, "a body has either string or bytes, not both",
                            hint: "keep one of them", at: node)
                    }
                    body = .bytes(bytes)
                } else {
                    inner.decoding.wrongType(node, expected: "base 64 text")
                }
            }
        }
        self.body = body
    }
}

extension Delegate: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("name", &name)
        fields.read("namespace", &namespace)
    }
}

extension HTTPRewrite: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("uri", &uri)
        fields.read("authority", &authority)
        fields.read("uriRegexRewrite", &uriRegexRewrite)
    }
}

extension HTTPRewrite.Regex: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("match", &match)
        fields.read("rewrite", &rewrite)
    }
}

extension HTTPRetry: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("attempts", &attempts)
        fields.read("perTryTimeout", &perTryTimeout)
        fields.read("retryOn", &retryOn)
        fields.read("retryRemoteLocalities", &retryRemoteLocalities)
        fields.read("retryIgnorePreviousHosts", &retryIgnorePreviousHosts)
        fields.read("backoff", &backoff)
    }
}

extension HTTPFault: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("delay", &delay)
        fields.read("abort", &abort)
    }
}

extension HTTPFault.Delay: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("fixedDelay", &fixedDelay)
        fields.readOldPercent(&percentage)
        fields.readPercent("percentage", &percentage)
        fields.refuse("exponentialDelay", "an exponential delay is not supported", hint: "use fixedDelay")
    }
}

extension HTTPFault.Abort: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        var status: Int32?
        var grpc: String?
        fields.read("httpStatus", &status)
        fields.read("grpcStatus", &grpc)
        if let status { kind = .httpStatus(status) }
        if let grpc { kind = .grpcStatus(grpc) }
        if status != nil, grpc != nil, let key = fields.key("grpcStatus") {
            fields.decoding.report(
                .error, FindingCode.schemaError, "an abort has either httpStatus or grpcStatus, not both",
                hint: "keep one of them", at: key)
        }
        fields.readOldPercent(&percentage)
        fields.readPercent("percentage", &percentage)
        fields.refuse("http2Error", "an HTTP/2 abort is not supported", hint: "use httpStatus or grpcStatus")
    }
}

extension Fields {
    /// The whole-number `percent` that `percentage` replaced.
    fileprivate mutating func readOldPercent(_ target: inout Double?) {
        var old: Int32?
        read("percent", &old)
        guard let old else { return }
        target = Double(old)
        deprecated("percent", instead: "percentage")
    }

    /// A field that Istio's validation refuses.
    mutating func refuse(_ name: StaticString, _ message: String, hint: String?) {
        guard let node = take(name) else { return }
        decoding.report(.error, FindingCode.schemaError, message, hint: hint, at: key(name) ?? node)
    }
}

extension CORSPolicy.UnmatchedPreflights: FieldEnum {}

extension CORSPolicy: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        var old: [String] = []
        fields.read("allowOrigin", &old)
        if !old.isEmpty { fields.deprecated("allowOrigin", instead: "allowOrigins") }
        fields.read("allowOrigins", &allowOrigins)
        if allowOrigins.isEmpty { allowOrigins = old.map { $0 == "*" ? .regex(".*") : .exact($0) } }
        fields.read("allowMethods", &allowMethods)
        fields.read("allowHeaders", &allowHeaders)
        fields.read("exposeHeaders", &exposeHeaders)
        fields.read("maxAge", &maxAge)
        fields.read("allowCredentials", &allowCredentials)
        fields.read("unmatchedPreflights", &unmatchedPreflights)
    }
}

extension TLSRule: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("match", &match)
        fields.read("route", &route)
    }
}

extension TLSMatch: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("sniHosts", &sniHosts)
        fields.read("destinationSubnets", &destinationSubnets)
        fields.read("port", &port)
        fields.read("sourceLabels", &sourceLabels)
        fields.read("sourceNamespace", &sourceNamespace)
        fields.read("gateways", &gateways)
    }
}

extension TCPRule: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("match", &match)
        fields.read("route", &route)
    }
}

extension L4Match: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("destinationSubnets", &destinationSubnets)
        fields.read("port", &port)
        fields.read("sourceSubnet", &sourceSubnet)
        fields.read("sourceLabels", &sourceLabels)
        fields.read("sourceNamespace", &sourceNamespace)
        fields.read("gateways", &gateways)
    }
}

extension RouteDestination: FieldMessage {
    mutating func read(_ fields: inout Fields) {
        fields.read("destination", &destination)
        fields.read("weight", &weight)
    }
}
