internal import ApusAPI
internal import ApusCore
internal import ApusRegex
internal import SwiftProtobuf

extension Google_Protobuf_Duration {
    /// Envoy's bounds: not negative, at most 10,000 years.
    func value() throws(Refusal) -> Duration {
        guard seconds >= 0, nanos >= 0, nanos < 1_000_000_000, seconds <= 315_576_000_000 else {
            throw Refusal("", "not a valid duration")
        }
        return .seconds(seconds) + .nanoseconds(Int64(nanos))
    }

    /// Zero is "off".
    func valueOrOff() throws(Refusal) -> Duration? {
        let value = try value()
        return value == .zero ? nil : value
    }

    func positive() throws(Refusal) -> Duration {
        let value = try value()
        guard value > .zero else { throw Refusal("", "must be greater than 0") }
        return value
    }
}

extension Fraction {
    init(_ percent: Envoy_Type_V3_FractionalPercent) throws(Refusal) {
        let unit: UInt64 =
            switch percent.denominator {
            case .hundred: 10_000
            case .tenThousand: 100
            case .million: 1
            case .UNRECOGNIZED: throw Refusal("denominator", "unknown value")
            }
        self.init(millionths: UInt32(clamping: min(1_000_000, UInt64(percent.numerator) * unit)))
    }

    init(_ percent: Envoy_Config_Core_V3_RuntimeFractionalPercent) throws(Refusal) {
        self = try at("default_value") { () throws(Refusal) in try Fraction(percent.defaultValue) }
    }
}

extension SocketAddress {
    /// - Parameter allowsNames: a host name is kept for resolving.
    init(_ address: Envoy_Config_Core_V3_Address, allowsNames: Bool = false) throws(Refusal) {
        switch address.address {
        case .socketAddress(let socket):
            self = try at("socket_address") { () throws(Refusal) in try SocketAddress(socket, allowsNames: allowsNames)
            }
        case .pipe(let pipe):
            guard !pipe.path.isEmpty, pipe.path.utf8.count < 108 else {
                throw Refusal("pipe.path", "empty or longer than 107 bytes")
            }
            self = .pipe(path: pipe.path)
        case .envoyInternalAddress: throw Refusal.unsupported("envoy_internal_address")
        case nil: throw Refusal("", "no address")
        }
    }

    init(_ socket: Envoy_Config_Core_V3_SocketAddress, allowsNames: Bool) throws(Refusal) {
        guard socket.protocol == .tcp else { throw Refusal.unsupported("protocol", "UDP") }
        guard let port = UInt16(exactly: socket.portValue) else { throw Refusal("port_value", "not a port") }
        if let ip = IPAddress(socket.address) {
            self = .ip(ip, port: port)
        } else if allowsNames, !socket.address.isEmpty, socket.address.utf8.count <= 253 {
            self = .hostname(socket.address, port: port)
        } else {
            throw Refusal("address", "'\(socket.address)' is not an IP address")
        }
    }
}

extension CIDR {
    init(_ range: Envoy_Config_Core_V3_CidrRange) throws(Refusal) {
        guard let address = IPAddress(range.addressPrefix) else {
            throw Refusal("address_prefix", "'\(range.addressPrefix)' is not an IP address")
        }
        let most: UInt32 = address.family == .v4 ? 32 : 128
        guard range.prefixLen.value <= most else { throw Refusal("prefix_len", "longer than \(most)") }
        self.init(address: address, prefixLength: Int(range.prefixLen.value))
    }
}

extension RE2Pattern {
    /// - Parameter regex: RE2 syntax, matched against the whole value.
    static func compile(_ regex: Envoy_Type_Matcher_V3_RegexMatcher) throws(Refusal) -> RE2Pattern {
        guard !regex.regex.isEmpty else { throw Refusal("regex", "empty") }
        do {
            return try RE2Pattern(regex.regex)
        } catch {
            throw Refusal("regex", "not RE2 syntax: \(error.message)")
        }
    }
}

extension RegexRewrite {
    init(_ rewrite: Envoy_Type_Matcher_V3_RegexMatchAndSubstitute) throws(Refusal) {
        let pattern = try at("pattern") { () throws(Refusal) in try RE2Pattern.compile(rewrite.pattern) }
        guard pattern.accepts(substitution: rewrite.substitution) else {
            throw Refusal("substitution", "refers to a group that the pattern does not have")
        }
        self.init(pattern: pattern, substitution: rewrite.substitution)
    }
}

extension StringMatch {
    init(_ matcher: Envoy_Type_Matcher_V3_StringMatcher) throws(Refusal) {
        let pattern: Pattern
        switch matcher.matchPattern {
        case .exact(let text): pattern = .exact(Array(text.utf8))
        case .prefix(let text): pattern = .prefix(try Self.filled("prefix", text))
        case .suffix(let text): pattern = .suffix(try Self.filled("suffix", text))
        case .contains(let text): pattern = .contains(try Self.filled("contains", text))
        case .safeRegex(let regex):
            guard !matcher.ignoreCase else { throw Refusal("ignore_case", "has no meaning with safe_regex") }
            pattern = .regex(try at("safe_regex") { () throws(Refusal) in try RE2Pattern.compile(regex) })
        case .custom: throw Refusal.unsupported("custom")
        case nil: throw Refusal("", "no pattern")
        }
        self.init(pattern, ignoresCase: matcher.ignoreCase)
    }

    private static func filled(_ field: String, _ text: String) throws(Refusal) -> [UInt8] {
        guard !text.isEmpty else { throw Refusal(field, "empty") }
        return Array(text.utf8)
    }
}

extension HeaderName {
    static func decode(_ text: String) throws(Refusal) -> HeaderName {
        let name = HeaderName(text)
        guard name.isValid else { throw Refusal("", "'\(text)' is not a header name") }
        return name
    }

    /// For operations: pseudo-headers and `host` have fields of their own.
    static func modifiable(_ text: String) throws(Refusal) -> HeaderName {
        let name = try decode(text)
        guard !name.isPseudo, name.token != .host else {
            throw Refusal("", "'\(text)': pseudo-headers and host cannot be modified here")
        }
        return name
    }
}

extension HeaderMatch {
    init(_ matcher: Envoy_Config_Route_V3_HeaderMatcher) throws(Refusal) {
        let name = try at("name") { () throws(Refusal) in try HeaderName.decode(matcher.name) }
        let test: Test
        switch matcher.headerMatchSpecifier {
        case nil: test = .present
        case .presentMatch(let present): test = present ? .present : .absent
        case .exactMatch(let text): test = .string(StringMatch(.exact(Array(text.utf8))))
        case .prefixMatch(let text): test = .string(StringMatch(.prefix(Array(text.utf8))))
        case .suffixMatch(let text): test = .string(StringMatch(.suffix(Array(text.utf8))))
        case .containsMatch(let text): test = .string(StringMatch(.contains(Array(text.utf8))))
        case .safeRegexMatch(let regex):
            test = .string(
                StringMatch(.regex(try at("safe_regex_match") { () throws(Refusal) in try RE2Pattern.compile(regex) })))
        case .stringMatch(let string):
            test = .string(try at("string_match") { () throws(Refusal) in try StringMatch(string) })
        case .rangeMatch(let range): test = .range(range.start, range.end)
        }
        self.init(
            name: name, test: test, inverted: matcher.invertMatch,
            treatsMissingAsEmpty: matcher.treatMissingHeaderAsEmpty)
    }
}

extension HeaderOperations {
    init(
        add: [Envoy_Config_Core_V3_HeaderValueOption], remove: [String], field: String
    ) throws(Refusal) {
        let settings = try each("\(field)_to_add", add) { option throws(Refusal) in
            try Setting(option)
        }
        let removals = try each("\(field)_to_remove", remove) { name throws(Refusal) in
            try HeaderName.modifiable(name)
        }
        self.init(removals: removals, settings: settings)
    }
}

extension HeaderOperations.Setting {
    /// - Parameter allowsPseudo: `:path` and the like may be set too.
    init(_ option: Envoy_Config_Core_V3_HeaderValueOption, allowsPseudo: Bool = false) throws(Refusal) {
        let name = try at("header.key") { () throws(Refusal) in
            try allowsPseudo ? HeaderName.decode(option.header.key) : HeaderName.modifiable(option.header.key)
        }
        let value: FormatString
        if option.header.rawValue.isEmpty {
            value = try at("header.value") { () throws(Refusal) in try FormatParser.parse(option.header.value) }
        } else {
            value = try at("header.raw_value") { () throws(Refusal) in
                try FormatParser.parse(String(decoding: option.header.rawValue, as: UTF8.self))
            }
        }
        for case .literal(let bytes) in value.segments where !HTTPSyntax.isSafeValue(bytes) {
            throw Refusal("header.value", "has a line break or NUL")
        }
        let action: HeaderOperations.Action
        if option.hasAppend {
            // The older way to say it.
            action = option.append.value ? .appendIfExistsOrAdd : .overwriteIfExistsOrAdd
        } else {
            switch option.appendAction {
            case .appendIfExistsOrAdd: action = .appendIfExistsOrAdd
            case .addIfAbsent: action = .addIfAbsent
            case .overwriteIfExistsOrAdd: action = .overwriteIfExistsOrAdd
            case .overwriteIfExists: action = .overwriteIfExists
            case .UNRECOGNIZED: throw Refusal("append_action", "unknown value")
            }
        }
        self.init(name: name, value: value, action: action, keepsEmptyValue: option.keepEmptyValue)
    }
}
