public import ApusCore

/// A message of RFC 1035, with the extension of RFC 6891 read out of its additional records.
public struct DNSMessage: Hashable, Sendable {
    /// Answer codes that decide what is done next (RFC 1035 section 4.1.1).
    public struct Code: Hashable, Sendable, RawRepresentable {
        /// 12 bits, the upper eight from the extension.
        public let rawValue: UInt16

        public init(rawValue: UInt16) { self.rawValue = rawValue & 0xFFF }

        public static let noError = Code(rawValue: 0)
        public static let formatError = Code(rawValue: 1)
        public static let serverFailure = Code(rawValue: 2)
        public static let nameError = Code(rawValue: 3)
        public static let notImplemented = Code(rawValue: 4)
        public static let refused = Code(rawValue: 5)

        public var name: String {
            switch self {
            case .noError: "NOERROR"
            case .formatError: "FORMERR"
            case .serverFailure: "SERVFAIL"
            case .nameError: "NXDOMAIN"
            case .notImplemented: "NOTIMP"
            case .refused: "REFUSED"
            default: "RCODE\(rawValue)"
            }
        }
    }

    public var id: UInt16
    public var isResponse = false
    /// 0 is a question.
    public var operation: UInt8 = 0
    public var isAuthoritative = false
    public var isTruncated = false
    public var wantsRecursion = false
    public var offersRecursion = false
    /// The three bits of RFC 1035's Z, of which RFC 4035 uses two.
    public var reserved: UInt8 = 0
    public var code = Code.noError
    public var questions: [DNSQuestion] = []
    public var answers: [DNSRecord] = []
    public var authorities: [DNSRecord] = []
    public var additionals: [DNSRecord] = []
    public var edns: EDNS?

    /// What the OPT record says (RFC 6891 section 6.1).
    public struct EDNS: Hashable, Sendable {
        /// Bytes of one datagram that its sender takes.
        public var payloadSize: UInt16
        public var version: UInt8 = 0
        public var flags: UInt16 = 0
        public var options: [UInt8] = []

        public init(payloadSize: UInt16) { self.payloadSize = payloadSize }
    }

    public init(id: UInt16) { self.id = id }

    /// The question that a stub resolver asks.
    ///
    /// - Parameter payloadSize: nil leaves the extension out.
    public static func query(id: UInt16, _ question: DNSQuestion, payloadSize: UInt16?) -> DNSMessage {
        var message = DNSMessage(id: id)
        message.wantsRecursion = true
        message.questions = [question]
        message.edns = payloadSize.map { EDNS(payloadSize: $0) }
        return message
    }
}

public struct DNSRecordType: Hashable, Sendable, RawRepresentable {
    public let rawValue: UInt16

    public init(rawValue: UInt16) { self.rawValue = rawValue }

    public static let a = DNSRecordType(rawValue: 1)
    public static let cname = DNSRecordType(rawValue: 5)
    public static let soa = DNSRecordType(rawValue: 6)
    public static let aaaa = DNSRecordType(rawValue: 28)
    public static let opt = DNSRecordType(rawValue: 41)
}

public struct DNSQuestion: Hashable, Sendable {
    public var name: DomainName
    public var type: DNSRecordType
    /// 1 is the Internet.
    public var recordClass: UInt16 = 1

    public init(_ name: DomainName, _ type: DNSRecordType, recordClass: UInt16 = 1) {
        self.name = name
        self.type = type
        self.recordClass = recordClass
    }
}

public struct DNSRecord: Hashable, Sendable {
    public enum Content: Hashable, Sendable {
        /// A and AAAA (RFC 3596) of the Internet.
        case address(IPAddress)
        /// CNAME.
        case alias(DomainName)
        case authority(Authority)
        /// Of a type that nobody here reads; names in it are not unpacked.
        case other([UInt8])
    }

    /// SOA.
    public struct Authority: Hashable, Sendable {
        public var primary: DomainName
        public var mailbox: DomainName
        public var serial: UInt32
        public var refresh: UInt32
        public var retry: UInt32
        public var expire: UInt32
        /// Seconds that "there is none" may be believed (RFC 2308 section 4).
        public var minimum: UInt32

        public init(
            primary: DomainName, mailbox: DomainName, serial: UInt32 = 0, refresh: UInt32 = 0, retry: UInt32 = 0,
            expire: UInt32 = 0, minimum: UInt32
        ) {
            self.primary = primary
            self.mailbox = mailbox
            self.serial = serial
            self.refresh = refresh
            self.retry = retry
            self.expire = expire
            self.minimum = minimum
        }
    }

    public var name: DomainName
    public var type: DNSRecordType
    public var recordClass: UInt16 = 1
    /// Seconds, at most 2³¹ - 1.
    public var ttl: UInt32
    public var content: Content

    public init(
        _ name: DomainName, _ type: DNSRecordType, recordClass: UInt16 = 1, ttl: UInt32, _ content: Content
    ) {
        self.name = name
        self.type = type
        self.recordClass = recordClass
        self.ttl = ttl
        self.content = content
    }
}
