/// Envoy's format of header values and access-log lines: `%COMMAND%`, `%COMMAND(argument)%`, `%COMMAND(argument):length%`,
/// and `%%` for a per cent sign. Envoy refuses the whole listener or route configuration that has a format it cannot
/// read, so a mistake must stay with the object that makes it.
enum SubstitutionFormat {
    /// What is wrong, as the end of a sentence that begins with "the value"; nil for a format that Envoy can read.
    static func problem(in value: String) -> String? {
        var rest = Array(value.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else { continue }
            if rest.first == byte {
                rest.removeFirst()
                continue
            }
            let name = rest.prefix(while: isNameByte)
            rest = rest[name.endIndex...]
            guard !name.isEmpty else { return "has a % that begins no %COMMAND%" }
            let command = String(decoding: name, as: UTF8.self)
            let before = rest
            guard let argument = takeArgument(&rest) else { return "has a % that begins no %COMMAND%" }
            let written = before[..<rest.startIndex]
            if let problem = problem(with: command, argument, hasLength: hasLength(written)) { return problem }
        }
        return nil
    }

    /// What is wrong with one command, as the end of the same sentence.
    private static func problem(
        with name: String, _ argument: ArraySlice<UInt8>, hasLength: Bool
    ) -> String? {
        guard let command = SubstitutionCommand.named(name) else {
            let closest = Suggestion.closest(to: name, among: SubstitutionCommand.names)
            return "has %\(name)%, which is no command of Envoy" + (closest.map { " (did you mean %\($0)%?)" } ?? "")
        }
        switch command {
        case .plain:
            if !argument.isEmpty || hasLength { return "has %\(name)% with an argument, and it takes none" }
        case .optionalArgument:
            if hasLength { return "has %\(name)% with a length, and it takes none" }
        case .option(let words):
            let word = String(decoding: argument.prefix { $0 != UInt8(ascii: ":") }, as: UTF8.self)
            if !argument.isEmpty, !words.contains(word) {
                return "has %\(name)% with an argument other than \(words.joined(separator: ", "))"
            }
        case .headers:
            if !namesHeaders(argument) { return "has %\(name)% without the name of a header in parentheses" }
        case .argument(let takesLength):
            if argument.isEmpty { return "has %\(name)% without an argument in parentheses" }
            if hasLength, !takesLength { return "has %\(name)% with a length, and it takes none" }
        }
        return nil
    }

    /// A command's text behind its name, up to its closing `%`, ends with `:length`.
    private static func hasLength(_ text: ArraySlice<UInt8>) -> Bool {
        let digits = text.dropLast().reversed().prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }.count
        guard digits > 0, let colon = text.dropLast(digits + 1).last, colon == UInt8(ascii: ":") else { return false }
        // A colon inside of parentheses belongs to the argument.
        let head = text.dropLast(digits + 2)
        return head.isEmpty || head.last == UInt8(ascii: ")")
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"): true
        default: false
        }
    }

    /// What follows the name, up to and with the closing `%`: the argument (empty without parentheses), or nil if the
    /// command does not end as it must. The argument ends at the first parenthesis after which the command can end.
    private static func takeArgument(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        if let tail = end(rest) {
            rest = tail
            return []
        }
        guard rest.first == UInt8(ascii: "(") else { return nil }
        let inner = rest.dropFirst()
        for index in inner.indices where inner[index] == UInt8(ascii: ")") {
            if let tail = end(inner[(index + 1)...]) {
                rest = tail
                return inner[..<index]
            }
        }
        return nil
    }

    /// The bytes after `%` or `:length%`.
    private static func end(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        var bytes = bytes
        if bytes.first == UInt8(ascii: ":") {
            let digits = bytes.dropFirst().prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            guard (1...9).contains(digits.count) else { return nil }
            bytes = bytes[digits.endIndex...]
        }
        return bytes.first == UInt8(ascii: "%") ? bytes.dropFirst() : nil
    }

    private static func namesHeaders(_ argument: ArraySlice<UInt8>) -> Bool {
        let names = argument.split(separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false)
        return names.allSatisfy { name in
            let text = String(decoding: name, as: UTF8.self)
            return DNSName.isToken(text.hasPrefix(":") ? String(text.dropFirst()) : text)
        }
    }
}
