internal import NIOCore

/// Huffman coding of strings (RFC 7541, section 5.2), by tables that are made once.
internal final class HPACKHuffman: Sendable {
    static let shared = HPACKHuffman()

    /// Codes up to so many bits are found with one look: all of letters, digits and most signs.
    private static let quickBits: UInt32 = 10

    /// By the next 10 bits: symbol << 8 | length; 0: the code is longer.
    private let quick: [UInt32]
    /// By length, 11 to 30: the first code of that length, left-aligned in 32 bits, how many there are, and where their symbols begin.
    private let firstCode: [UInt32]
    private let codeCount: [UInt32]
    private let symbolOffset: [UInt32]
    private let symbols: [UInt16]
    /// By octet: code << 8 | length.
    private let codes: [UInt64]

    private init() {
        var quick = [UInt32](repeating: 0, count: 1 << Self.quickBits)
        var firstCode = [UInt32](repeating: 0, count: 31)
        var codeCount = [UInt32](repeating: 0, count: 31)
        var symbolOffset = [UInt32](repeating: 0, count: 31)
        var symbols: [UInt16] = []
        var codes: [UInt64] = []
        for symbol in 0..<257 {
            let length = UInt32(HPACKHuffmanCode.lengths[symbol])
            let code = HPACKHuffmanCode.codes[symbol]
            codes.append(UInt64(code) << 8 | UInt64(length))
            guard length <= Self.quickBits else { continue }
            let shift = Self.quickBits - length
            for rest in 0..<(UInt32(1) << shift) {
                quick[Int(code << shift | rest)] = UInt32(symbol) << 8 | length
            }
        }
        for length in 11...30 {
            let ofLength = (0..<257).filter { HPACKHuffmanCode.lengths[$0] == length }
                .sorted { HPACKHuffmanCode.codes[$0] < HPACKHuffmanCode.codes[$1] }
            symbolOffset[length] = UInt32(symbols.count)
            codeCount[length] = UInt32(ofLength.count)
            if let first = ofLength.first { firstCode[length] = HPACKHuffmanCode.codes[first] }
            symbols += ofLength.map { UInt16($0) }
        }
        self.quick = quick
        self.firstCode = firstCode
        self.codeCount = codeCount
        self.symbolOffset = symbolOffset
        self.symbols = symbols
        self.codes = codes
    }

    /// The most octets that so many coded ones can mean: the shortest code has 5 bits.
    static func decodedBound(_ count: Int) -> Int { count &* 8 / 5 &+ 1 }

    /// Appends what `input` means to `target`.
    ///
    /// - Returns: false if it is no valid coding: a code that does not exist, the end symbol, or a padding that is too long
    ///   or not of ones.
    func decode(_ input: Span<UInt8>, appendingTo target: inout [UInt8]) -> Bool {
        let start = target.count
        let bound = Self.decodedBound(input.count)
        target.append(contentsOf: repeatElement(0, count: bound))
        let written = target.withUnsafeMutableBufferPointer { all -> Int? in
            var output = all.extracting(start..<start &+ bound).mutableSpan
            return decode(input, into: &output)
        }
        target.removeLast(bound &- (written ?? bound))
        return written != nil
    }

    private func decode(_ input: Span<UInt8>, into output: inout MutableSpan<UInt8>) -> Int? {
        let quick = self.quick
        var bits: UInt64 = 0
        var bitCount: UInt32 = 0
        var written = 0
        var next = 0
        let count = input.count
        while true {
            while bitCount <= 56, next < count {
                bits = bits << 8 | UInt64(input[next])
                bitCount &+= 8
                next &+= 1
            }
            if bitCount == 0 { return written }
            // The next bits, left-aligned; behind the end stand ones, as padding does.
            let window: UInt32
            if bitCount >= 32 {
                window = UInt32(truncatingIfNeeded: bits >> UInt64(bitCount &- 32))
            } else {
                let missing = 32 &- bitCount
                window = UInt32(truncatingIfNeeded: bits << UInt64(missing)) | (UInt32(1) << missing &- 1)
            }
            let found = quick[Int(window >> 22)]
            if found != 0 {
                let length = found & 0xFF
                if length > bitCount { return isPadding(window, bitCount) ? written : nil }
                guard written < output.count else { return nil }
                output[written] = UInt8(truncatingIfNeeded: found >> 8)
                written &+= 1
                bitCount &-= length
                continue
            }
            guard bitCount > 7 || next < count || !isPadding(window, bitCount) else { return written }
            guard let (symbol, length) = long(window), length <= bitCount, symbol < 256, written < output.count else {
                return nil
            }
            output[written] = UInt8(truncatingIfNeeded: symbol)
            written &+= 1
            bitCount &-= length
        }
    }

    private func isPadding(_ window: UInt32, _ bitCount: UInt32) -> Bool {
        bitCount <= 7 && window >> (32 &- bitCount) == (UInt32(1) << bitCount) &- 1
    }

    private func long(_ window: UInt32) -> (symbol: UInt16, length: UInt32)? {
        for length in 11...30 where codeCount[length] > 0 {
            let code = window >> UInt32(32 &- length)
            guard code >= firstCode[length] else { continue }
            let offset = code &- firstCode[length]
            if offset < codeCount[length] { return (symbols[Int(symbolOffset[length] &+ offset)], UInt32(length)) }
        }
        return nil
    }

    /// The octets that coding takes.
    func encodedCount(_ bytes: UnsafeRawBufferPointer) -> Int {
        var bits = 0
        for byte in bytes { bits &+= Int(codes[Int(byte)] & 0xFF) }
        return (bits &+ 7) >> 3
    }

    /// Writes the coding, padded with ones.
    func encode(_ bytes: UnsafeRawBufferPointer, to writer: inout RawWriter) {
        var bits: UInt64 = 0
        var bitCount: UInt64 = 0
        for byte in bytes {
            let code = codes[Int(byte)]
            let length = code & 0xFF
            bits = bits << length | code >> 8
            bitCount &+= length
            while bitCount >= 8 {
                bitCount &-= 8
                writer.append(UInt8(truncatingIfNeeded: bits >> bitCount))
            }
        }
        if bitCount > 0 {
            let rest = 8 &- bitCount
            writer.append(UInt8(truncatingIfNeeded: bits << rest | ((1 << rest) &- 1)))
        }
    }
}
