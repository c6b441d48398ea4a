/// How the body of a message is delimited (RFC 9112 section 6.3).
package enum BodyFraming: Hashable, Sendable {
    case none
    case length(UInt64)
    case chunked
    /// Responses only: the body ends with the connection.
    case untilClose
}

/// Takes a body apart: bytes in, ranges of payload out. Chunk extensions are skipped; trailers are checked and
/// dropped unless the caller wants them, as Envoy does. Never looks back, so the caller may discard what it has consumed.
package struct HTTP1BodyDecoder: Sendable {
    package enum Event: Hashable, Sendable {
        /// Everything given was used; more is needed.
        case needMore
        /// Payload, as a range of the bytes given.
        case data(Range<Int>)
        /// The message is complete; what follows belongs to the next one.
        case end
    }

    private enum State: Sendable {
        case ended
        case length(UInt64)
        case untilClose
        case size(value: UInt64, digits: Int)
        case extensionText
        case sizeLineFeed
        case payload(UInt64)
        case payloadReturn
        case payloadLineFeed
        /// At the start of a trailer line.
        case trailerStart
        /// Inside a trailer's name, then inside its value.
        case trailerName
        case trailerValue
        case trailerLineFeed
        case finalLineFeed
    }

    private var state: State
    private var size: UInt64 = 0
    /// Bytes of chunk extensions and trailers so far: neither may grow without end.
    private var overhead = 0
    private var trailers = 0
    private let limits: HTTP1Limits
    private let keepsTrailers: Bool
    /// The lines of the trailers, once the body has ended; empty without `keepsTrailers`.
    package private(set) var trailerLines: [UInt8] = []

    package init(_ framing: BodyFraming, limits: HTTP1Limits = HTTP1Limits(), keepsTrailers: Bool = false) {
        self.limits = limits
        self.keepsTrailers = keepsTrailers
        switch framing {
        case .none: state = .ended
        case .length(0): state = .ended
        case .length(let count): state = .length(count)
        case .chunked: state = .size(value: 0, digits: 0)
        case .untilClose: state = .untilClose
        }
    }

    package var isEnded: Bool {
        if case .ended = state { return true }
        return false
    }

    /// True if the end of the connection ends this body in good order.
    package var endsWithConnection: Bool {
        if case .untilClose = state { return true }
        return false
    }

    /// - Parameter offset: where to go on in `bytes`; moved past what was used.
    package mutating func next(_ bytes: Span<UInt8>, _ offset: inout Int) throws(HTTP1Error) -> Event {
        let count = bytes.count
        switch state {
        case .ended:
            return .end
        case .length(let left):
            guard offset < count else { return .needMore }
            let start = offset
            let take = Int(min(left, UInt64(count - start)))
            offset = start + take
            let rest = left - UInt64(take)
            state = rest == 0 ? .ended : .length(rest)
            return .data(start..<offset)
        case .untilClose:
            guard offset < count else { return .needMore }
            let start = offset
            offset = count
            return .data(start..<count)
        default:
            return try nextOfChunked(bytes, &offset)
        }
    }

    private mutating func nextOfChunked(_ bytes: Span<UInt8>, _ offset: inout Int) throws(HTTP1Error) -> Event {
        let count = bytes.count
        while offset < count {
            if case .payload(let left) = state {
                let start = offset
                let take = Int(min(left, UInt64(count - start)))
                offset = start + take
                let rest = left - UInt64(take)
                state = rest == 0 ? .payloadReturn : .payload(rest)
                return .data(start..<offset)
            }
            let byte = bytes[offset]
            offset += 1
            switch state {
            case .size(let value, let digits):
                if let digit = Self.hexadecimal(byte) {
                    // Fifteen digits are 2^60 bytes; more could overflow and mean another length to another parser.
                    guard digits < 15 else { throw .malformed }
                    state = .size(value: value << 4 | digit, digits: digits + 1)
                } else {
                    guard digits > 0 else { throw .malformed }
                    size = value
                    switch byte {
                    case 0x0D: state = .sizeLineFeed
                    case UInt8(ascii: ";"): state = .extensionText
                    default: throw .malformed
                    }
                }
            case .extensionText:
                try countOverhead()
                if byte == 0x0D {
                    state = .sizeLineFeed
                } else if !CharacterClass.isFieldValue(byte) {
                    throw .malformed
                }
            case .sizeLineFeed:
                guard byte == 0x0A else { throw .malformed }
                state = size == 0 ? .trailerStart : .payload(size)
            case .payloadReturn:
                guard byte == 0x0D else { throw .malformed }
                state = .payloadLineFeed
            case .payloadLineFeed:
                guard byte == 0x0A else { throw .malformed }
                state = .size(value: 0, digits: 0)
            case .trailerStart:
                if byte == 0x0D {
                    state = .finalLineFeed
                } else {
                    trailers += 1
                    guard trailers <= limits.fields else { throw .tooManyFields }
                    guard CharacterClass.isToken(byte) else { throw .malformed }
                    keep(byte)
                    state = .trailerName
                }
            case .trailerName:
                try countOverhead()
                keep(byte)
                if byte == UInt8(ascii: ":") {
                    state = .trailerValue
                } else if !CharacterClass.isToken(byte) {
                    throw .malformed
                }
            case .trailerValue:
                try countOverhead()
                keep(byte)
                if byte == 0x0D {
                    state = .trailerLineFeed
                } else if !CharacterClass.isFieldValue(byte) {
                    throw .malformed
                }
            case .trailerLineFeed:
                guard byte == 0x0A else { throw .malformed }
                keep(byte)
                state = .trailerStart
            case .finalLineFeed:
                guard byte == 0x0A else { throw .malformed }
                state = .ended
                return .end
            case .ended, .length, .untilClose, .payload:
                return .end
            }
        }
        return .needMore
    }

    /// What is kept is bounded by the limit on the overhead.
    private mutating func keep(_ byte: UInt8) {
        if keepsTrailers { trailerLines.append(byte) }
    }

    private mutating func countOverhead() throws(HTTP1Error) {
        overhead += 1
        guard overhead <= limits.headBytes else { throw .trailersTooLarge }
    }

    private static func hexadecimal(_ byte: UInt8) -> UInt64? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte &- UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte &- UInt8(ascii: "a") &+ 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte &- UInt8(ascii: "A") &+ 10)
        default: nil
        }
    }
}
